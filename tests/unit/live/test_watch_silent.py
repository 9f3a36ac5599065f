"""Layers that had not spiked when the session was opened: they are named, and shown once they fire."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from t4dm.live.client import SessionClient
from t4dm.spiking.lif import LIFNeuron
from tests.spiking_nets import Given, N, draws
from tests.watched import B, T, raster, window


class Encoder(nn.Module):
    """Spikes of its inputs."""

    def forward(self, x: Tensor) -> Tensor:
        return (x > 0.5).float()


class Currents(nn.Module):
    """Gives ``gain`` times its input."""

    gain = 0.0

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x


class Quiet(nn.Module):
    """``first`` fires from the start; ``own`` from when ``is_awake``; ``ours`` is called from then on."""

    def __init__(self, first: nn.Module) -> None:
        super().__init__()
        self.first, self.own = first, Given(lambda s, u: (s * self.is_awake, u))
        self.late, self.currents = LIFNeuron(N), Currents()
        self.is_awake, self.is_late = False, False

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(T):
            given = self.first(x)
            z, _ = self.own(x)
            total = self.currents(z).sum()
            if self.is_late:
                self.late(x)
        return total + (given[0] if isinstance(given, tuple) else given).sum()


def test_what_gave_zeros_alone_is_named_and_shown_once_it_fires(run, watched, capfd):
    for name, first in (("own", Encoder()), ("ours", LIFNeuron(N))):
        net = Quiet(first)
        handle = watched(net, name)
        for seed in range(4):
            net(3 * draws(B, N, seed=seed))
        before = window(run, name, steps=T)
        assert [g.name for g in before.layout.groups] == ["first"]
        err = capfd.readouterr().err
        left = (
            "own (Given), which gave zeros alone, late (LIFNeuron), which was not called, "
            "currents (Currents), which gave zeros alone"
        )
        assert err.count(f"'{name}' leaves out {left}; once one of them fires") == 1
        net.is_awake, net.currents.gain = True, 0.37
        for seed in range(3):
            net(draws(B, N, seed=seed))
        assert capfd.readouterr().err.count("own (Given) fired, the session begins anew") == 1
        after = window(run, name, steps=2 * T)
        assert [g.name for g in after.layout.groups] == ["first", "own"]
        assert after.n_steps == 2 * T and after.epoch > before.epoch
        truth = torch.stack([draws(B, N, seed=seed)[0] > 0.5 for seed in (1, 2)])
        np.testing.assert_array_equal(raster(after, N, N), truth.repeat_interleave(T, 0))
        assert set(SessionClient(run, name).manifest()["watch"]) & set(range(N, 2 * N))
        net.is_late = True
        for _ in range(2):
            net(draws(B, N))
        assert (
            capfd.readouterr().err.count("late (LIFNeuron) fired too; watch the module again") == 1
        )
        assert handle.active and window(run, name, steps=4 * T).n_steps == 4 * T


def test_one_of_ours_that_is_called_late_is_shown_with_its_membranes(run, watched):
    net = Quiet(LIFNeuron(N))
    watched(net)
    net(draws(B, N))
    net.is_late = True
    for _ in range(3):
        net(draws(B, N))
    found = window(run, steps=2 * T)
    assert [g.name for g in found.layout.groups] == ["first", "late"]
    neurons = found.membrane.tolist()
    assert any(neuron >= N for neuron in neurons) and np.isfinite(found.u).all()
    want = draws(B, N)[0, [neuron % N for neuron in neurons]]
    np.testing.assert_allclose(found.u, want.expand(2 * T, -1), rtol=1e-6)
    assert SessionClient(run, "w").status()["state"] == "running"
