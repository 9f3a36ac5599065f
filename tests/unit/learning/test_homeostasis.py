"""Homeostasis: sign, bound, freezing, convergence."""

import math

import pytest
import torch

from t4dm.learning.homeostasis import (
    HomeostasisControl,
    effective_threshold,
    homeostasis_step,
)
from t4dm.learning.params import HomeostasisParams
from t4dm.spiking.lif import LIFNeuron


def test_adjustment_is_positive_when_the_rate_is_too_low():
    control = HomeostasisControl(target_rate=0.1, learning_rate=0.001)
    assert control.compute_adjustment(current_rate=0.02) == pytest.approx(8e-5)
    assert control.compute_adjustment(current_rate=0.15) == pytest.approx(-5e-5)
    assert control.compute_adjustment(current_rate=0.1) == 0


def test_threshold_moves_against_the_error_and_stays_within_its_bound():
    params = HomeostasisParams(learning_rate=0.1, target_rate=0.1, theta_max=0.02)
    assert homeostasis_step(0.0, 0.0, params) == pytest.approx(-0.01)
    assert homeostasis_step(0.0, 0.2, params) == pytest.approx(0.01)
    assert homeostasis_step(0.0, 1.0, params) == 0.02
    assert homeostasis_step(-0.015, 0.0, params) == -0.02


def test_the_effective_threshold_stays_above_zero():
    assert effective_threshold(1.0, -0.5) == 0.5
    assert effective_threshold(0.05, -0.5) == effective_threshold(0.05, -0.045) == 0.01
    assert math.isnan(effective_threshold(1.0, math.nan))


def test_rests_and_the_switch_freeze_it():
    params = HomeostasisParams()
    assert homeostasis_step(0.3, 1.0, params, rest=True) == 0.3
    assert homeostasis_step(0.3, 1.0, params.model_copy(update={"enabled": False})) == 0.3


@pytest.mark.parametrize("drive", [0.3, 1.0])
def test_a_population_converges_to_the_target(drive):
    params = HomeostasisParams(target_rate=0.08, learning_rate=0.01, theta_max=5.0)
    generator = torch.Generator().manual_seed(0)
    lif, theta_h, rates = LIFNeuron(256), 0.0, []
    u = lif.init_state()
    for _ in range(3000):
        current = drive * torch.randn(256, generator=generator)
        done = lif.step(current, u, theta=1.0 + theta_h)
        u, rate = done.u, done.spikes.mean().item()
        rates.append(rate)
        theta_h = homeostasis_step(theta_h, rate, params)
    assert sum(rates[:50]) / 50 != pytest.approx(0.08, rel=0.2)
    assert sum(rates[-500:]) / 500 == pytest.approx(0.08, rel=0.05)
