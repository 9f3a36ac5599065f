"""Watching a module of one's own: what its hooks record."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from t4dm.live.client import SessionClient
from t4dm.params import param
from tests.watched import N1, N2, B, Cell, Leaky, Ours, T, acknowledged, raster, window


def test_every_spike_of_the_chosen_sample_is_shown(run, watched):
    net = Ours()
    watched(net, batch_index=1)
    for k in range(4):
        net(torch.rand(B, 6, generator=torch.Generator().manual_seed(k)))
    found = window(run, steps=4 * T)
    assert [g.name for g in found.layout.groups] == ["lif1", "lif2"]
    assert found.layout.sizes == [N1, N2] and found.axis == "step"
    np.testing.assert_array_equal(raster(found, 0, N1), [s1[1] > 0 for s1, _, _ in net.seen])
    np.testing.assert_array_equal(raster(found, N1, N2), [s2[1] > 0 for _, _, s2 in net.seen])
    assert raster(found, 0, N1).any()


def test_membranes_and_thresholds_come_with_the_spikes(run, watched):
    net = Ours()
    watched(net)
    net(torch.rand(B, 6))
    found = window(run, steps=T)
    neuron = int(found.membrane[0])
    np.testing.assert_allclose(found.u[:, 0], [u1[0, neuron] for _, u1, _ in net.seen])
    assert (found.theta == 1.0).all()


def test_a_neuron_asked_for_is_recorded_from_the_next_call_on(run, watched):
    net, x = Ours(), torch.rand(B, 6)
    watched(net)
    net(x)
    window(run, steps=T)
    assert SessionClient(run, "w").command({"type": "watch", "neurons": [3]})["ok"]
    net.seen.clear()
    net(x)
    found = window(run, steps=2 * T, membrane=(3,))
    assert np.isnan(found.u[:T, 0]).all()
    np.testing.assert_allclose(found.u[T:, 0], [u1[0, 3] for _, u1, _ in net.seen])


def test_a_time_axis_inside_the_tensor(run, watched):
    class Sequence(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x > 0.7).float()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = Sequence()

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x)

    net, x = Net(), torch.rand(B, 30, 7)
    watched(net, time_axis=1, batch_index=2)
    net(x)
    found = window(run, steps=30)
    np.testing.assert_array_equal(raster(found, 0, 7), x[2].numpy() > 0.7)


@pytest.mark.parametrize("hidden", [True, False])
def test_a_layer_like_snntorchs(run, watched, hidden):
    net = nn.Sequential(nn.Linear(6, 8), Leaky(hidden))
    nn.init.constant_(net[0].weight, 2.0)  # fires in the first call
    watched(net, params={"threshold": param(1.0, 0.1, 5.0, help="Threshold.")})
    x = torch.rand(B, 6)
    net(x)
    found = window(run, steps=1)
    assert found.axis == "call" and [g.name for g in found.layout.groups] == ["1"]
    np.testing.assert_allclose(found.u[0], net[1].mem[0, found.membrane.tolist()])
    buffer = net[1].threshold
    assert acknowledged(run, net, {"type": "set", "path": "script.threshold", "value": 2.0}, x)[
        "ok"
    ]
    assert net[1].threshold is buffer and float(buffer) == 2.0


def test_a_cell_like_norses(run, watched):
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.cell = nn.Linear(6, 9), Cell()

        def forward(self, x: Tensor) -> Tensor:
            state, out = None, []
            for _ in range(T):
                z, state = self.cell(self.fc(x), state)
                out.append(z)
            self.state = state
            return torch.stack(out)

    net = Net()
    watched(net, params={"v_th": (net.cell, "p.v_th", 0.1, 2.0)})
    net(torch.rand(B, 6) * 3)
    found = window(run, steps=T)
    np.testing.assert_allclose(found.u[-1], net.state.v.detach()[0, found.membrane.tolist()])
    assert SessionClient(run, "w").manifest()["membranes"] == "membrane as the layer gives it"
    assert (found.theta == 0.5).all()


class Learnt(nn.Module):
    """One step of a cell with a leak that is learnt: ``(z, u)``; a sequence is 25 calls of it."""

    def __init__(self) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(0.9))

    def forward(self, x: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        u = self.beta * u + x
        return (u > 1).float(), u


def test_a_control_moves_between_two_steps_of_one_backward(run, watched):
    net, x, u, calls = Learnt(), 2 * torch.rand(B, 9), torch.zeros(B, 9), 0
    watched(net, params={"beta": param(0.9, 0.1, 1.0, help="Leak.")})

    def step(x: Tensor) -> Tensor:
        nonlocal u, calls
        _, u = net(x, u)
        calls += 1
        return u

    step(x)
    window(run, steps=1)
    answer = acknowledged(run, step, {"type": "set", "path": "script.beta", "value": 0.5}, x)
    assert answer["ok"] and net.beta.item() == 0.5
    while calls < 25:
        step(x)
    u.sum().backward()
    assert torch.isfinite(net.beta.grad)
    u = u.detach()
    step(x).sum().backward()


def test_more_neurons_than_fit_are_thinned_out_and_that_is_said(run, watched):
    class Big(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x > 0.5).float()

    net = nn.Sequential(Big())
    watched(net)
    x = torch.rand(2, 40, 1000)
    net(x)
    found = window(run, steps=1)
    group = found.layout.groups[0]
    assert group.n == 16_384 and group.name == "0 (16384 of 40000)"
    index = torch.linspace(0, 39_999, 16_384).round().long()
    np.testing.assert_array_equal(raster(found, 0, group.n)[0], x[0].reshape(-1)[index] > 0.5)


def test_weights_of_linear_layers_are_counted(run, watched):
    net = Ours()
    watched(net)
    net(torch.rand(B, 6))
    found = window(run, steps=T)
    assert found.meta["weights"] == ["fc1.weight", "fc2.weight"]
    counts = found.hist_exc[0].sum(axis=1) + found.hist_inh[0].sum(axis=1)
    assert counts.tolist() == [6 * N1, N1 * N2]
    w, edges = net.fc1.weight.detach().numpy(), np.linspace(0, found.meta["w_hi"], 65)
    np.testing.assert_array_equal(found.hist_exc[0, 0], np.histogram(w[w >= 0], edges)[0])


def test_every_second_call(run, watched):
    net, x = Ours(), torch.rand(B, 6)
    handle = watched(net, every=2)
    for _ in range(6):
        net(x)
    handle.close()  # publishes what waits
    assert window(run, steps=3 * T).n_steps == 3 * T


def test_tensors_that_the_script_writes_into_are_copied_from_then_on(run, watched):
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = Leaky(hidden=True)

        def forward(self, x: Tensor) -> Tensor:
            spikes = self.layer(x)
            kept = spikes.clone()
            spikes.zero_()
            return kept

    net, x = Net(), torch.rand(B, 9) * 2
    watched(net)
    net(x)
    shown = [net(x)[0] > 0 for _ in range(3)]
    np.testing.assert_array_equal(raster(window(run, steps=3), 0, 9), shown)
    assert torch.stack(shown).any()
