"""Watching snnTorch's own neurons, and what they answer beside ours.  norse: tests/watch_norse.py."""

from __future__ import annotations

import numpy as np
import pytest
import snntorch
import torch
from torch import Tensor, nn

from t4dm.params import param
from t4dm.spiking.lif import LIFNeuron
from tests.watched import B, T, acknowledged, raster, window

N = 8


class Stepped(nn.Module):
    """``T`` steps a call of a layer that takes its state and gives it back, the membrane last."""

    def __init__(self, cell: nn.Module, states: int) -> None:
        super().__init__()
        self.fc, self.cell, self.states = nn.Linear(6, N), cell, states
        with torch.no_grad():
            draws = torch.Generator().manual_seed(5)
            self.fc.weight.copy_(torch.rand(N, 6, generator=draws))
        self.spikes: list[Tensor] = []
        self.membranes: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        state = [torch.zeros(len(x), N) for _ in range(self.states)]
        for _ in range(T):
            spikes, *state = self.cell(self.fc(x), *state)
            self.spikes.append(spikes.detach())
            self.membranes.append(state[-1].detach())
        return spikes


@pytest.mark.parametrize(
    ("cell", "states"),
    [
        (snntorch.Leaky(beta=0.9), 1),
        (snntorch.Leaky(beta=0.9, reset_mechanism="zero", learn_threshold=True), 1),
        (snntorch.Synaptic(alpha=0.8, beta=0.9), 2),
    ],
    ids=["leaky", "leaky, learnt threshold", "synaptic"],
)
def test_spikes_membrane_and_threshold_are_shown(run, watched, cell, states):
    net = Stepped(cell, states)
    watched(net)
    for seed in (0, 1):
        net(torch.rand(B, 6, generator=torch.Generator().manual_seed(seed)))
    found = window(run, steps=2 * T)
    assert [g.name for g in found.layout.groups] == ["cell"]
    np.testing.assert_array_equal(raster(found, 0, N), torch.stack(net.spikes)[:, 0] > 0)
    shown = torch.stack(net.membranes)[:, 0, found.membrane.tolist()]
    np.testing.assert_allclose(found.u, shown, rtol=1e-6)
    assert raster(found, 0, N).any() and (found.theta == 1.0).all()


def test_a_hidden_state_and_a_threshold_as_a_control(run, watched):
    net = nn.Sequential(nn.Linear(6, N), snntorch.Leaky(beta=0.9, init_hidden=True))
    watched(net, params={"threshold": param(1.0, 0.1, 5.0, help="Threshold.")})
    x = torch.rand(B, 6, generator=torch.Generator().manual_seed(0))
    spikes = net(x)
    found = window(run, steps=1)
    assert found.axis == "call"
    np.testing.assert_array_equal(raster(found, 0, N)[0], spikes[0].detach() > 0)
    np.testing.assert_allclose(found.u[0], net[1].mem[0, found.membrane.tolist()].detach())
    net[1].reset_mem()
    buffer = net[1].threshold
    answer = acknowledged(run, net, {"type": "set", "path": "script.threshold", "value": 2.0}, x)
    assert answer["ok"] and net[1].threshold is buffer and float(buffer) == 2.0


@pytest.mark.parametrize(("delayed", "beta"), [(True, 1 / 0.875), (False, 1.0)])
def test_leaky_and_ours_fire_alike(delayed, beta):
    """Ours with beta = 1/alpha is its default, which resets after the next leak."""
    draws = torch.Generator().manual_seed(7)
    current = torch.round(256 * (0.1 + 0.3 * torch.randn(400, 32, generator=draws))) / 256
    current = current.clamp(-0.7, 0.85).double()
    theirs = snntorch.Leaky(
        beta=0.875, threshold=1.0, reset_mechanism="subtract", reset_delay=delayed
    ).double()
    ours = LIFNeuron(32, alpha=0.875, v_thresh=1.0, beta=beta)
    mem, u, fired = torch.zeros(32).double(), ours.init_state(dtype=torch.float64), []
    for row in current:
        spikes, mem = theirs(row, mem)
        done = ours.step(row, u)
        u = done.u
        fired.append(done.spikes)
        assert torch.equal(spikes, done.spikes)
    assert 0.03 < torch.stack(fired).mean() < 0.5
