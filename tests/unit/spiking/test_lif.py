"""LIF against its closed forms and its reference rates."""

import re

import pytest
import torch

from t4dm.params import ParamError
from t4dm.spiking.lif import LIFNeuron


def rate_of(current_TN: torch.Tensor, **params: float) -> float:
    lif = LIFNeuron(current_TN.shape[1], **params)
    spikes, _ = lif.run(current_TN[None])
    return spikes.mean().item()


def constant(level: float) -> torch.Tensor:
    return torch.full((400, 4), level, dtype=torch.float64)


@pytest.mark.parametrize("alpha", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("v_thresh", [0.5, 1.0, 2.0])
def test_constant_input_below_the_rheobase_never_fires_and_above_it_does(alpha, v_thresh):
    bound = v_thresh * (1 - alpha)
    current = constant(bound).repeat(5, 1)
    assert rate_of(current * 0.99, alpha=alpha, v_thresh=v_thresh) == 0
    assert rate_of(current * 1.01, alpha=alpha, v_thresh=v_thresh) > 0


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_input_above_the_upper_bound_fires_every_step_in_the_long_run(beta):
    alpha, v_thresh = 0.9, 1.0
    bound = v_thresh * (1 - alpha + alpha * beta)
    lif = LIFNeuron(4, alpha=alpha, v_thresh=v_thresh, beta=beta)
    above, _ = lif.run(constant(bound * 1.01)[None])
    below, _ = lif.run(constant(bound * 0.99)[None])
    assert above[:, 100:].min() == 1
    assert below[:, 100:].min() == 0


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.0])
def test_membrane_stays_within_max_input_over_one_minus_alpha(beta):
    torch.manual_seed(0)
    current = torch.randn(2000, 64, dtype=torch.float64)
    lif = LIFNeuron(64, beta=beta, u_max=1e9)
    u = lif.init_state(dtype=torch.float64)
    largest = 0.0
    for row in current:
        _, u = lif(row, u)
        largest = max(largest, u.abs().max().item())
    assert largest <= current.abs().max().item() / (1 - lif.alpha)


@pytest.mark.parametrize(
    ("mean", "std", "beta", "expected"),
    [
        (0.0, 0.1, 1.0, 0.0),
        (0.0, 0.5, 1.0, 0.047),
        (0.0, 1.0, 1.0, 0.117),
        (0.5, 0.5, 0.5, 0.76),
        (0.5, 0.5, 1.0, 0.45),
        (0.5, 0.5, 2.0, 0.25),
    ],
)
def test_reference_rates_under_gaussian_input(mean, std, beta, expected):
    generator = torch.Generator().manual_seed(0)
    current = mean + std * torch.randn(400, 256, generator=generator)
    assert rate_of(current, beta=beta) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(
    ("alpha", "expected"), [(0.8, 0.133), (0.9, 0.115), (0.95, 0.094), (0.99, 0.055)]
)
def test_raising_alpha_lowers_the_rate_under_zero_mean_noise(alpha, expected):
    generator = torch.Generator().manual_seed(1)
    assert rate_of(torch.randn(400, 256, generator=generator), alpha=alpha) == pytest.approx(
        expected, abs=0.006
    )


def test_raising_alpha_raises_the_rate_of_a_subthreshold_input():
    assert rate_of(constant(0.15), alpha=0.95) > rate_of(constant(0.15), alpha=0.9)


def test_step_reports_the_membrane_before_the_reset_and_counts_clamps():
    lif = LIFNeuron(3, u_max=2.0)
    done = lif.step(torch.tensor([0.5, 1.5, 9.0]), torch.zeros(3))
    assert done.u_pre.tolist() == [0.5, 1.5, 9.0]
    assert done.spikes.tolist() == [0, 1, 1]
    assert done.u.tolist() == [0.5, 0.5, 2.0]
    assert done.clamped.tolist() == [False, False, True]


def test_parameters_can_change_between_two_steps():
    lif = LIFNeuron(1)
    lif.v_thresh = 5.0
    assert lif(torch.tensor([2.0]))[0].item() == 0
    lif.v_thresh = 1.0
    assert lif(torch.tensor([2.0]))[0].item() == 1


def test_detached_reset_changes_the_gradient_only():
    current = torch.full((2, 1), 1.2, requires_grad=True)
    grads = []
    for detach in (False, True):
        lif = LIFNeuron(1, detach_reset=detach)
        _, u = lif(current[0])
        spikes, u = lif(current[1], u)
        grads.append((spikes.item(), torch.autograd.grad(u.sum(), current)[0][0].item()))
    assert grads[0][0] == grads[1][0]
    assert grads[0][1] != grads[1][1]
    assert grads[1][1] == pytest.approx(0.9)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_dtype_is_kept(dtype):
    spikes, u = LIFNeuron(8)(torch.ones(8, dtype=dtype))
    assert (spikes.dtype, u.dtype) == (dtype, dtype)


def test_padded_steps_leave_the_membrane_alone():
    lif = LIFNeuron(2)
    current = torch.rand(1, 6, 2)
    mask = torch.tensor([[True, True, False, False, True, True]])
    spikes, u = lif.run(current, mask_BT=mask)
    short, u_short = lif.run(current[:, [0, 1, 4, 5]])
    assert torch.equal(spikes[:, [0, 1, 4, 5]], short)
    assert torch.equal(u, u_short)
    assert spikes[:, 2:4].sum() == 0


@pytest.mark.parametrize("shape", [(3, 5), (4, 1), (), (4, 3)])
def test_input_of_another_number_of_neurons_is_refused_with_its_shape(shape):
    lif, fits = LIFNeuron(4), torch.zeros(2, 4)
    assert lif(fits)[0].shape == (2, 4)
    with pytest.raises(
        ParamError, match=re.escape(f"current needs 4 neurons on its last axis, is {shape}")
    ):
        lif(torch.zeros(shape))
    with pytest.raises(
        ParamError, match=re.escape(f"u needs 4 neurons on its last axis, is {shape}")
    ):
        lif(fits, torch.zeros(shape))


@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ({"size": 0}, "size", "from 1, got 0"),
        ({"size": -1}, "size", "from 1, got -1"),
        ({"alpha": float("nan")}, "alpha", "from 0 to 1, got nan"),
        ({"alpha": 1.1}, "alpha", "from 0 to 1, got 1.1"),
        ({"v_thresh": float("inf")}, "v_thresh", "finite number, got inf"),
        ({"beta": float("nan")}, "beta", "finite number, got nan"),
        ({"u_max": 0.0}, "u_max", "more than 0, got 0.0"),
    ],
)
def test_a_setting_that_no_neuron_can_have_is_refused_by_name(settings, field, words):
    with pytest.raises(ParamError, match=words) as refusal:
        LIFNeuron(**({"size": 3} | settings))
    assert refusal.value.field == field


def test_a_run_of_no_steps_gives_none_and_the_state_it_was_given():
    lif, u = LIFNeuron(3), torch.rand(2, 3)
    spikes, last = lif.run(torch.zeros(2, 0, 3), u)
    assert spikes.shape == (2, 0, 3) and last is u
    spikes, last = lif.run(torch.zeros(0, 3))
    assert spikes.shape == (0, 3) and torch.equal(last, torch.zeros(3))
