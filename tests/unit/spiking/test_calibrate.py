"""Calibration: no stage silent or saturated."""

import numpy as np
import pytest
import torch

from t4dm.spiking.calibrate import apply_scales, bisect_scale, calibrate
from t4dm.spiking.cortical_stack import CorticalStack
from t4dm.spiking.settings import StepSettings


def test_every_stage_fires_at_the_target_on_the_calibration_stimulus(images_TP):
    stack = CorticalStack(3, 64, 4, seed=2, dtype=torch.float64)
    weights = {name: value.clone() for name, value in stack.state_dict().items()}
    apply_scales(stack, calibrate(stack, images_TP, target=0.08))
    assert all(torch.equal(value, weights[name]) for name, value in stack.state_dict().items())
    stim, settings = torch.as_tensor(images_TP[None]), StepSettings.default(3)
    x = stack.encode(stim)
    for block in stack.blocks():
        before = block(x)[0] / block.c_l
        assert before.mean().item() == pytest.approx(0.16, rel=0.1)
        x, _ = block(x, settings=settings)


def test_calibrated_stages_stay_in_the_healthy_band_while_learning(images_TP):
    stack = CorticalStack(2, 64, 4, seed=4)
    apply_scales(stack, calibrate(stack, images_TP))
    state, settings, total = stack.init_state(), StepSettings.default(2), 0
    stim = torch.as_tensor(np.tile(images_TP, (2, 1)), dtype=torch.float32)
    for t, row in enumerate(stim):
        neutral = settings.at({"DA": 0.5, "ACh": 0.5, "NE": 0.5, "5HT": 0.5}, t % 300 >= 250)
        _, state, probes = stack.step(row, state, neutral)
        total = total + probes["spikes"]
    rates = (total / len(stim)).mean(1)
    assert ((rates > 0.02) & (rates < 0.15)).all(), rates


def test_calibration_is_a_function_of_seed_and_stimulus(images_TP):
    first, again = (CorticalStack(1, 64, 4, seed=3, dtype=torch.float64) for _ in range(2))
    assert calibrate(first, images_TP[:300]) == calibrate(again, images_TP[:300])


def test_a_silent_stimulus_is_refused():
    with pytest.raises(ValueError, match="stays silent"):
        calibrate(CorticalStack(1, 64, 4), np.zeros((20, 64)))


def test_bisection_finds_the_scale_of_a_known_curve():
    draws = np.random.default_rng(0).random(100_000)
    scale, spikes = bisect_scale(lambda c: draws < c / 100, target=0.2)
    assert scale == pytest.approx(20, rel=0.03)
    assert spikes.mean() == pytest.approx(0.2, rel=0.01)


def test_scales_of_another_depth_are_refused(images_TP):
    scales = calibrate(CorticalStack(1, 64, 4), images_TP[:300])
    with pytest.raises(ValueError, match="1 blocks for a stack of 2"):
        apply_scales(CorticalStack(2, 64, 4), scales)
