"""Calls of a watched module of which no hook tells that they ended, and calls that give nothing."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from t4dm.live import watch_hold
from t4dm.live.client import SessionClient
from tests.spiking_nets import Given, N, draws
from tests.waiting import eventually
from tests.watched import B, Ours, T, ask, raster, window


class Stopped(nn.Module):
    """``T`` steps of a layer; raises ``stop`` once, in the third.  ``inside`` is called in the first."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = Given(lambda s, u: (s, u))
        self.stop: BaseException | None = None
        self.inside: list[Callable[[Tensor], object]] = []
        self.fired: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        for k in range(T):
            if k == 0 and self.inside:
                self.inside.pop()(x)
            if k == 2 and self.stop is not None:
                stop, self.stop = self.stop, None
                raise stop
            z, _ = self.layer((x + 0.2 * k) % 1)
            self.fired.append(z[0] > 0)
        return z


def recorder(handle):
    return handle._ref()


def shown(net, run, calls, name="w"):
    """What the session has of ``calls`` calls is what the layer gave last."""
    found = window(run, name, steps=calls * T)
    assert found.n_steps == calls * T
    truth = torch.stack(net.fired[-T:]).numpy()
    np.testing.assert_array_equal(raster(found, 0, N)[-T:], truth)
    assert truth.any()


@pytest.mark.parametrize(
    "kind", [KeyboardInterrupt, SystemExit, asyncio.CancelledError, ValueError]
)
@pytest.mark.parametrize("before", [0, 1], ids=["in the first call", "later"])
def test_a_call_that_was_stopped_ends_no_recording_and_keeps_nothing(run, watched, kind, before):
    net, x = Stopped(), draws(B, N)
    handle = watched(net)
    for _ in range(before):
        net(x)
    net.stop = kind()
    with pytest.raises(kind):
        net(x)
    for seed in range(5):
        net(draws(B, N, seed=seed))
        assert not net.layer._forward_hooks
        assert not any(layer.spikes or layer.membranes for layer in recorder(handle)._all)
    shown(net, run, 5 + before)
    assert handle.recording["recorded"] == 6 + before


def test_a_call_inside_another_belongs_to_it_also_where_it_was_stopped(run, watched):
    net, x = Stopped(), draws(B, N)
    handle = watched(net)

    def stopped_inside(x: Tensor) -> None:
        net.stop = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            net(x)

    for inside in ([net], [stopped_inside], []):
        net.inside = inside
        net(x)
        assert not net.layer._forward_hooks
    handle.close()  # publishes what waits
    assert window(run).n_steps == 2 * T + (2 + T) + T


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_call_that_another_thread_left_is_not_waited_for(run, watched):
    net, x = Stopped(), draws(B, N)
    watched(net)
    net.stop = SystemExit()
    thread = threading.Thread(target=net, args=(x,))
    thread.start()
    thread.join()
    net(x)
    shown(net, run, 1)


def test_a_call_of_another_thread_meanwhile_is_left_alone(run, watched):
    net, x = Stopped(), draws(B, N)
    watched(net)

    def beside(x: Tensor) -> None:
        thread = threading.Thread(target=net, args=(x,))
        thread.start()
        thread.join()

    net.inside = [beside]
    net(x)
    shown(net, run, 1)


def test_a_held_script_can_be_stopped_and_goes_on(run, watched, monkeypatch):
    net, x = Ours(), torch.rand(B, 6)
    watched(net, hold=True)
    (run / "supervisor.json").write_text(json.dumps({"pid": os.getpid(), "sessions": {}}))
    net(x)
    window(run, steps=T)
    client = SessionClient(run, "w")
    assert client.command({"type": "pause"})["ok"]
    eventually(lambda: client.status()["state"] == "paused")

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(watch_hold.time, "sleep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            net(x)
    thread, answers = ask(run, {"type": "run"})
    thread.join()
    assert answers[0]["ok"]
    net(x)
    assert window(run, steps=2 * T).n_steps == 2 * T


class Loss(nn.Module):
    """Keeps its loss itself and gives nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = Given(lambda s, u: s)

    def forward(self, x: Tensor) -> None:
        self.loss = self.layer(x).sum()


def test_a_forward_that_gives_nothing_is_recorded(run, watched):
    net = Loss()
    watched(net)
    try:
        raise ValueError
    except ValueError:
        net(draws(B, N))  # while an exception is handled that is not the call's
    net(draws(B, N))
    found = window(run, steps=2)
    np.testing.assert_array_equal(raster(found, 0, N), [draws(B, N)[0] > 0.5] * 2)
