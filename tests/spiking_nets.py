"""Small nets that spike in ways that users' nets do."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from t4dm.spiking.fused import run_lif
from t4dm.spiking.lif import LIFNeuron
from tests.watched import T

N = 8


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


class Called(nn.Module):
    """A layer of ours called as ``how`` says; keeps the spikes (T,B,N) and membranes it should show."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.lif, self.how = LIFNeuron(N, beta=0.7, u_max=0.9), how
        self.spikes: list[Tensor] = []
        self.u: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        u = torch.zeros(len(x), N)
        twin = copy.deepcopy(self.lif)
        for x_t in x.unbind(1):
            done = twin.step(x_t, u)
            u = done.u
            self.spikes.append(done.spikes.detach())
            self.u.append(done.u_pre.detach())
        if self.how == "run":
            return self.lif.run(x)[0]
        if self.how == "run_lif":
            return run_lif(self.lif, x)[0]
        u, out = torch.zeros(len(x), N), []
        for x_t in x.unbind(1):
            done = self.lif.step(x_t, u)
            u = done.u
            out.append(done.spikes)
        return torch.stack(out, 1)


class Whole(nn.Module):
    """Makes its spikes in its own ``forward``, all steps at once: (B,T,N)."""

    def __init__(self, key: str = "") -> None:
        super().__init__()
        self.fc, self.key = nn.Linear(6, N), key

    def forward(self, x: Tensor) -> object:
        u, out = torch.zeros(len(x), N), []
        for _ in range(T):
            u = 0.9 * u + 4 * self.fc(x).abs()
            z = (u > 1).float()
            u = u - z
            out.append(z)
        spikes = torch.stack(out, 1)
        self.made = spikes.detach()
        return {"loss": x.sum(), self.key: spikes} if self.key else spikes


class Given(nn.Module):
    """Gives spikes as ``make`` packs them."""

    def __init__(self, make) -> None:
        super().__init__()
        self.make = make

    def forward(self, x: Tensor) -> object:
        return self.make((x > 0.5).float(), 2 * x)


class Outer(nn.Module):
    """Not the one that spikes: what it gives is what the layer inside gave, so that is shown."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> object:
        return self.inner(x)
