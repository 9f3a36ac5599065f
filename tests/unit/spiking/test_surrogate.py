"""Surrogate slopes against finite differences of the smooth steps they belong to."""

import math

import pytest
import torch

from t4dm.spiking.surrogate import spike

SMOOTH = {
    "atan": lambda x, a: 0.5 + torch.atan(a * x) / math.pi,
    "fast_sigmoid": lambda x, a: 0.5 + a * x / (2 * (1 + a * x.abs())),
    "super_spike": lambda x, a: x / (1 + a * x.abs()),
}


@pytest.mark.parametrize("kind", SMOOTH)
@pytest.mark.parametrize("a", [1.0, 2.0, 25.0])
def test_backward_is_the_slope_of_the_smooth_step(kind, a):
    x = torch.linspace(-2, 2, 80, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(spike(x, kind, a).sum(), x)
    h = 1e-6
    at = x.detach()
    expected = (SMOOTH[kind](at + h, a) - SMOOTH[kind](at - h, a)) / (2 * h)
    torch.testing.assert_close(slope, expected, rtol=1e-5, atol=1e-8)


def test_forward_is_a_step_that_fires_at_zero():
    assert spike(torch.tensor([-1e-9, 0.0, 1.0])).tolist() == [0, 1, 1]


def test_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'fast_sigmoid'"):
        spike(torch.zeros(1), "fast_sigmod")
