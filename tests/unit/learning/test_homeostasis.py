"""Homeostasis: sign, bound, freezing, convergence."""

import math
from collections.abc import Callable

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


RATE = 0.005
"""Learning rate at which the settling times below are promised: the default."""


class Population:
    """256 neurons under noise around a mean that :attr:`drive` sets, and their one threshold."""

    def __init__(self, drive: float) -> None:
        self.lif, self.drive, self.theta_h = LIFNeuron(256), drive, 0.0
        self.u, self.generator = self.lif.init_state(), torch.Generator().manual_seed(0)

    def run(self, steps: int, control: Callable[[float, float], float]) -> list[float]:
        """Share of neurons that fired in each step; ``control(theta_h, rate)`` moves theta_h."""
        rates = []
        for _ in range(steps):
            current = self.drive + 0.3 * torch.randn(256, generator=self.generator)
            done = self.lif.step(current, self.u, theta=1.0 + self.theta_h)
            self.u = done.u
            rates.append(done.spikes.mean().item())
            self.theta_h = control(self.theta_h, rates[-1])
        return rates


def mean(rates: list[float]) -> float:
    return sum(rates) / len(rates)


@pytest.mark.parametrize(("drive", "start"), [(-0.022, 0.01), (0.35, 0.30), (0.65, 0.60)])
def test_a_population_comes_to_the_target_within_15_s_and_stays_through_a_step(drive, start):
    """``HomeostasisControl`` at the stated rate; it has no bound."""
    adjust = HomeostasisControl(target_rate=0.1, learning_rate=RATE).compute_adjustment

    def control(theta_h: float, rate: float) -> float:
        return theta_h - adjust(rate)

    free = Population(drive)
    assert mean(free.run(1000, lambda theta_h, rate: theta_h)) == pytest.approx(start, rel=0.15)
    steered = Population(drive)
    steered.run(13_000, control)
    assert mean(steered.run(2000, control)) == pytest.approx(0.1, abs=0.01)
    settled = steered.theta_h
    steered.drive += 0.1
    shocked = steered.run(8000, control)
    assert abs(mean(shocked[:20]) - 0.1) > 0.02
    assert mean(shocked[-2000:]) == pytest.approx(0.1, abs=0.01)
    assert steered.theta_h > settled + 0.1


@pytest.mark.parametrize(
    ("theta_max", "reached"),
    [(0.5, {0.01: 0.04, 0.30: 0.18, 0.60: 0.38}), (2.0, {0.01: 0.10, 0.30: 0.10, 0.60: 0.16})],
)
def test_how_far_it_comes_is_its_bound(theta_max, reached):
    """The default 0.5, and 2.0, at the default learning rate; the docs state these."""
    params = HomeostasisParams(target_rate=0.1, theta_max=theta_max)
    for (start, end), drive in zip(reached.items(), (-0.022, 0.35, 0.65), strict=True):
        population = Population(drive)
        population.run(8000, lambda theta_h, rate: homeostasis_step(theta_h, rate, params))
        last = population.run(1000, lambda theta_h, _: theta_h)
        assert mean(last) == pytest.approx(end, abs=0.01), f"from {start:.0%}"


def test_the_class_steers_as_the_function_does_where_its_bound_is_far():
    params = HomeostasisParams(target_rate=0.1, theta_max=10.0)
    assert params.learning_rate == RATE
    control, free, bounded = HomeostasisControl(0.1, RATE), 0.0, 0.0
    for rate in torch.rand(2000, generator=torch.Generator().manual_seed(1)).tolist():
        free -= control.compute_adjustment(current_rate=rate)
        bounded = homeostasis_step(bounded, rate, params)
        assert free == bounded
    assert free > 3
