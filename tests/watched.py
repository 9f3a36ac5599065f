"""Modules that spike, for the tests of watching, and how such a test reads and asks a session."""

from __future__ import annotations

import threading

import numpy as np
import torch
from torch import Tensor, nn

from t4dm.live.client import SessionClient
from t4dm.live.merge import merge
from t4dm.live.segment import Segment
from t4dm.live.view import View
from t4dm.spiking.lif import LIFNeuron
from tests.waiting import eventually

T, B, N1, N2 = 5, 3, 12, 4


class Ours(nn.Module):
    """Two layers of ours, stepped ``T`` times a call; keeps spikes and u before reset of the first."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.fc1, self.lif1 = nn.Linear(6, N1), LIFNeuron(N1)
        self.fc2, self.lif2 = nn.Linear(N1, N2), LIFNeuron(N2)
        with torch.no_grad():
            for weight in (self.fc1.weight, self.fc2.weight):
                weight.copy_(torch.rand(weight.shape, generator=generator))
        self.seen: list[tuple[Tensor, ...]] = []

    def forward(self, x: Tensor) -> Tensor:
        u1 = u2 = None
        out = []
        for _ in range(T):
            current = self.fc1(x)
            before = current if u1 is None else self.lif1.alpha * u1 + current
            s1, u1 = self.lif1(current, u1)
            s2, u2 = self.lif2(self.fc2(s1), u2)
            self.seen.append((s1.detach().clone(), before.detach(), s2.detach().clone()))
            out.append(s2)
        return torch.stack(out)


class Leaky(nn.Module):
    """Stands for snnTorch's: state on the module, ``(spk, mem)`` or spikes alone, threshold a buffer."""

    def __init__(self, hidden: bool) -> None:
        super().__init__()
        self.hidden, self.mem = hidden, torch.zeros(1)
        self.register_buffer("threshold", torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        mem = 0.9 * (self.mem if self.mem.shape == x.shape else torch.zeros_like(x)) + x
        spk = (mem > self.threshold).float()
        self.mem = (mem - spk * self.threshold).detach()
        return spk if self.hidden else (spk, self.mem)


class Cell(nn.Module):
    """Stands for norse's: ``(z, state)`` with the membrane in ``state.v``, parameters in ``p``."""

    class State:
        def __init__(self, v: Tensor) -> None:
            self.v = v

    class Parameters:
        v_th = torch.tensor(0.5)

    p = Parameters()

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        v = x if state is None else state.v * 0.8 + x
        z = (v > self.p.v_th).float()
        return z, Cell.State(v * (1 - z))


def window(run, name="w", steps=None, rows="all", **view):
    """Everything the session published, once there are ``steps`` steps of it."""
    client = SessionClient(run, name)
    held = eventually(
        lambda: (h := client.reader().held()) and (steps is None or h[3] >= steps) and h
    )
    epoch = client.reader().entry(held[1]).epoch
    segments = [Segment.decode(data) for data in client.reader().range(epoch, 0, held[3])]
    return merge(segments, View(rows=rows, **view))


def raster(found, first, n):
    """(T, n) spikes of the rows ``first`` to ``first + n - 1``."""
    out = np.zeros((found.n_steps, found.n_total), bool)
    out[found.spk_dt.astype(int), found.rows[found.spk_row]] = True
    return out[:, first : first + n]


def ask(run, body, name="w"):
    """Send ``body`` from another thread, as the page does; returns where the answer will be."""
    answers: list[dict] = []
    thread = threading.Thread(
        target=lambda: answers.append(SessionClient(run, name).command(body, "test"))
    )
    thread.start()
    return thread, answers


def acknowledged(run, module, body, x, name="w"):
    """The answer to ``body``, while the script goes on calling its module."""
    thread, answers = ask(run, body, name)
    eventually(lambda: module(x) is not None and not thread.is_alive())
    return answers[0]
