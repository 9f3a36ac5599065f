"""The rules of the sensory layer, one by one, with numbers worked out by hand."""

import math

import pytest
import torch

from t4dm.spiking.sensory import (
    AFFERENTS,
    SensoryLayer,
    compete,
    dopamine_gate,
    learnt,
)
from t4dm.spiking.sensory_params import SensoryParams

STILL = torch.zeros(3, dtype=torch.int64)


def test_the_greatest_margin_wins_not_the_greatest_membrane():
    assert compete(torch.tensor([5.0, 4.0, 1.0]), torch.tensor([4.5, 3.0, 2.0]), STILL) == 1


def test_nobody_fires_below_threshold_and_equal_margins_go_to_the_lowest():
    assert compete(torch.tensor([0.9, 0.5, 0.0]), torch.ones(3), STILL) == -1
    assert compete(torch.tensor([1.0, 2.0, 2.0]), torch.ones(3), STILL) == 1


def test_a_refractory_neuron_does_not_compete():
    refractory = torch.tensor([0, 2, 0])
    assert compete(torch.tensor([1.5, 9.0, 1.2]), torch.ones(3), refractory) == 0


@pytest.mark.parametrize(
    ("da", "gate"), [(0.5, 0.02), (1.0, 4.02), (0.75, 2.02), (0.0, 0.0), (0.495, 0.0)]
)
def test_dopamine_opens_and_shuts_the_learning_rate(da, gate):
    assert dopamine_gate(da, 0.02, 4.0) == pytest.approx(gate)


def test_weights_move_to_the_trace_and_keep_their_length():
    column, trace = torch.tensor([0.6, 0.8, 0.0]), torch.tensor([0.0, 0.2, 0.3])
    moved = learnt(column, trace, rate=2.0, x_target=0.1, w_norm=1.0)
    raw = torch.tensor([0.4, 1.0, 0.4])
    torch.testing.assert_close(moved, raw / raw.norm())


def test_a_neuron_that_would_lose_every_weight_keeps_them():
    column = torch.tensor([0.6, 0.8])
    assert torch.equal(learnt(column, torch.zeros(2), 10.0, 0.5, 1.0), column)


def fired(params, state=None, plastic=True):
    """A layer of three whose second neuron is driven over threshold in one step."""
    layer = SensoryLayer(3, dtype=torch.float64)
    layer.weight[:] = 0
    layer.weight[0, 1] = 2.0
    stim = torch.zeros(AFFERENTS)
    stim[0] = 1.0
    state = layer.init_state() if state is None else state
    return layer, layer.step(stim, state, params, 0.5, plastic)


def test_one_spike_resets_inhibits_adapts_and_starts_the_refractory_time():
    params = SensoryParams(gain=2.0, inhibition=1.5, refractory_ms=7, theta_plus=0.25)
    _, made = fired(params)
    assert made.winner == 1
    assert made.u_pre.tolist() == [0.0, 4.0, 0.0]
    assert made.state.u.tolist() == [-1.5, 0.0, -1.5]
    assert made.state.refractory.tolist() == [0, 7, 0]
    assert made.state.theta_a.tolist() == pytest.approx([0.0, 0.25, 0.0])


def test_inhibition_never_pushes_a_membrane_below_its_floor():
    params = SensoryParams(gain=2.0, inhibition=1.5, refractory_ms=0, alpha=0.9)
    _, first = fired(params)
    _, second = fired(params, first.state)
    assert second.winner == 1
    assert second.state.u.tolist() == [-1.5, 0.0, -1.5]


def test_adaptation_decays_with_its_time_constant():
    params = SensoryParams(theta_tau=1000.0)
    layer = SensoryLayer(2, dtype=torch.float64)
    state = layer.init_state()
    state.theta_a[0] = 1.0
    for _ in range(500):
        state = layer.step(torch.zeros(AFFERENTS), state, params).state
    assert float(state.theta_a[0]) == pytest.approx(math.exp(-0.5))


def test_held_out_steps_change_neither_weights_nor_thresholds():
    params = SensoryParams(gain=2.0)
    layer, made = fired(params, plastic=False)
    assert made.winner == 1
    assert made.state.theta_a.tolist() == [0.0, 0.0, 0.0]
    assert layer.weight[0].tolist() == [0.0, 2.0, 0.0]


def test_stdp_off_adapts_thresholds_only():
    layer, made = fired(SensoryParams(gain=2.0, stdp=False, w_norm=1.0))
    assert made.state.theta_a[1] > 0
    assert layer.weight[0].tolist() == [0.0, 2.0, 0.0]


def test_weights_are_drawn_from_the_generator_and_have_the_length_asked_for():
    first = SensoryLayer(5, torch.Generator().manual_seed(3), w_norm=3.0)
    again = SensoryLayer(5, torch.Generator().manual_seed(3), w_norm=3.0)
    assert torch.equal(first.weight, again.weight)
    torch.testing.assert_close(first.weight.norm(dim=0), torch.full((5,), 3.0))
    assert first.weight.min() >= 0
