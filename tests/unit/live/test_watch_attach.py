"""What a watch attaches to: neurons of ours however they are called, and any module whose output spikes."""

from __future__ import annotations

import copy
import pickle
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from t4dm.spiking.cortical_stack import CorticalStack
from t4dm.spiking.gif import GIFNeuron
from t4dm.spiking.settings import StepSettings
from tests.spiking_nets import Called, Given, N, Outer, Whole, draws
from tests.watched import B, T, raster, window


@pytest.mark.parametrize("time_axis", [None, 1])
@pytest.mark.parametrize("how", ["run", "run_lif", "step"])
def test_ours_is_seen_however_it_is_called(run, watched, how, time_axis):
    net = Called(how)
    watched(net, time_axis=time_axis, batch_index=1)
    for seed in range(2):
        net(1.5 * draws(B, T, N, seed=seed))
    found = window(run, steps=2 * T)
    assert [(g.name, g.n) for g in found.layout.groups] == [("lif", N)] and found.n_steps == 2 * T
    fired = torch.stack(net.spikes)[:, 1] > 0
    np.testing.assert_array_equal(raster(found, 0, N), fired)
    shown = torch.stack(net.u)[:, 1, found.membrane.tolist()]
    assert len(found.membrane)
    np.testing.assert_allclose(found.u, shown, rtol=1e-6, atol=1e-7)
    assert fired.any() and not fired.all() and (found.theta == 1.0).all()


def test_a_neuron_of_ours_has_nothing_on_it_between_calls_and_in_a_copy(run, watched):
    net = Called("run_lif")
    for name in ("one", "two"):
        watched(net, name)
    for seed in range(2):
        net(draws(B, T, N, seed=seed))
        assert "tap" not in net.lif.__dict__
        net.lif(draws(B, N))  # outside a call of the module
    for name in ("one", "two"):
        assert window(run, name, steps=2 * T).n_steps == 2 * T
    net.how = "step"
    twins = []
    handle = net.register_forward_hook(
        lambda *_: twins.extend([copy.deepcopy(net.lif), pickle.loads(pickle.dumps(net.lif))]),
        prepend=True,
    )
    net(draws(B, T, N))
    handle.remove()
    assert [twin.tap for twin in twins] == [None, None]


def test_the_cortical_stack_shows_its_neurons_and_the_thresholds_in_use(run, watched):
    stack, settings = CorticalStack(2, 32, 4), StepSettings.default(2)
    settings.v_thresh[:] = (0.8, 0.9, 1.1, 1.2)
    made = []
    watched(stack)
    for seed in range(2):
        made.append(stack(5 * (draws(1, T, 64, seed=seed) < 0.3).float(), settings=settings)[0])
    found = window(run, steps=2 * T)
    names = [f"spiking_blocks.{b}.lif_{side}" for b in range(2) for side in ("in", "out")]
    assert [(g.name, g.n) for g in found.layout.groups] == [(name, 32) for name in names]
    np.testing.assert_allclose(found.theta[-1], (0.8, 0.9, 1.1, 1.2), rtol=1e-6)
    last = raster(found, 64, 32).astype(int) + raster(found, 96, 32)
    np.testing.assert_array_equal(last, torch.cat(made, 1)[0].detach())
    assert last.any()


class Recurrent(nn.Module):
    """A layer of a user's own, with a Linear inside: ``(z, (z, u))``."""

    threshold = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.rec = nn.Linear(N, N)

    def forward(self, current: Tensor, state: tuple[Tensor, Tensor]) -> tuple:
        z, u = state
        u = 0.9 * u + current + self.rec(z) - z
        z = (u > self.threshold).float()
        return z, (z, u)


class Net(nn.Module):
    """``T`` steps of a cell that takes and gives its state, behind a Linear; ends in a readout."""

    def __init__(self, cell: nn.Module, state: object) -> None:
        super().__init__()
        self.fc, self.cell, self.state, self.out = nn.Linear(6, N), cell, state, nn.Linear(N, 2)
        self.seen: list[tuple] = []

    def forward(self, x: Tensor) -> Tensor:
        state = self.state
        for _ in range(T):
            z, state = self.cell(4 * self.fc(x).abs(), state)
            self.seen.append((z.detach(), state))
        return self.out(z)


def test_a_layer_with_modules_of_torch_inside(run, watched):
    net = Net(Recurrent(), (torch.zeros(B, N), torch.zeros(B, N)))
    watched(net)
    net(draws(B, 6))
    found = window(run, steps=T)
    assert [(g.name, g.n) for g in found.layout.groups] == [("cell", N)]
    fired = torch.stack([z for z, _ in net.seen])[:, 0] > 0
    np.testing.assert_array_equal(raster(found, 0, N), fired)
    shown = torch.stack([u for _, (_, u) in net.seen])[:, 0, found.membrane.tolist()]
    assert len(found.membrane)
    np.testing.assert_allclose(found.u, shown.detach(), rtol=1e-6)
    assert fired.any() and (found.theta == 1.0).all()


@pytest.mark.parametrize("key", ["", "spikes"])
def test_a_root_that_makes_its_own_spikes(run, watched, key):
    net = Whole(key)
    watched(net, time_axis=1)
    net(draws(B, 6))
    found = window(run, steps=T)
    assert [(g.name, g.n) for g in found.layout.groups] == [("Whole", N)]
    np.testing.assert_array_equal(raster(found, 0, N), net.made[0] > 0)
    assert net.made[0].any()


class Inside(NamedTuple):
    v: Tensor
    i: Tensor


class Outside(NamedTuple):
    lif: Inside
    rho: Tensor


@pytest.mark.parametrize(
    "make",
    [
        lambda s, u: [s, u],
        lambda s, u: {"spk": s, "mem": u, "rate": 3 * u},
        lambda s, u: {"out": s, "v": u},
        lambda s, u: (s, Outside(Inside(u, 5 * u), 7 * u)),
        lambda s, u: (s, [(s, u)]),
        lambda s, u: (s, {"i": 5 * u, "u": u}),
    ],
    ids=["list", "dict", "dict by place", "nested state", "plain tuples", "state in a dict"],
)
def test_spikes_and_membrane_are_found_in_any_output(run, watched, make):
    net, x = Outer(Given(make)), draws(B, N)
    watched(net)
    net(x)
    found = window(run, steps=1)
    assert [g.name for g in found.layout.groups] == ["inner"]
    np.testing.assert_array_equal(raster(found, 0, N)[0], x[0] > 0.5)
    assert len(found.membrane)
    np.testing.assert_allclose(found.u[0], 2 * x[0, found.membrane.tolist()], rtol=1e-6)


def test_a_nested_threshold_is_found(run, watched):
    class Lif(NamedTuple):
        tau: float
        v_th: Tensor

    class Parameters(NamedTuple):
        lif: Lif
        rho: float

    cell = Given(lambda s, u: s)
    cell.p = Parameters(Lif(5.0, torch.tensor(0.4)), 5.0)
    watched(net := Outer(cell))
    net(draws(B, N))
    assert window(run, steps=1).theta == pytest.approx(0.4)


def test_neurons_that_fire_several_spikes_are_seen_in_a_run(run, watched):
    class Gif(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gif = GIFNeuron(6, N, generator=torch.Generator().manual_seed(1))

        def forward(self, x: Tensor) -> Tensor:
            return self.gif.run(x)[0]

    net, x = Gif(), 4 * draws(B, T, 6)
    watched(net)
    counts = net(x)
    found = window(run, steps=T)
    assert [g.name for g in found.layout.groups] == ["gif"] and counts.max() > 1
    np.testing.assert_array_equal(raster(found, 0, N), counts[0].detach() > 0)
