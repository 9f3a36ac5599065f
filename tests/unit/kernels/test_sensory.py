"""The compiled sensory layer is the torch one: same winners, same weights."""

import numpy as np
import pytest
import torch

from t4dm.kernels.sensory import SETTINGS, SensoryOutput, arrays_of, sensory_steps
from t4dm.spiking.sensory import SensoryLayer
from t4dm.spiking.sensory_params import SensoryParams
from t4dm.stimuli.digits import digit_images

STEPS, N = 2000, 96
CHANGES = {  # step: (parameters, dopamine, plastic)
    0: ({}, 0.5, True),
    300: ({"learning_rate": 3.0}, 0.9, True),
    600: ({"x_target": 0.1, "trace_tau": 20.0}, 0.7, True),
    800: ({}, 0.7, False),
    1000: ({"refractory_ms": 0, "inhibition": 1.0, "theta_tau": 500.0}, 0.3, True),
    1200: ({"alpha": 0.8, "gain": 0.6, "theta_plus": 0.1}, 1.0, True),
    1500: ({"w_norm": 1.0, "tonic": 1.0, "phasic": 0.0}, 0.0, True),
    1700: ({"stdp": False}, 1.0, True),
}


def settings_of(params):
    known = params.model_dump() | {
        "refractory": params.refractory_ms,
        "theta_keep": np.exp(-1.0 / params.theta_tau),
        "trace_keep": np.exp(-1.0 / params.trace_tau),
    }
    return np.array([known[name] for name in SETTINGS])


def stimulus():
    """(STEPS, 64): twenty digits of 100 ms as spikes, then graded currents beyond 0..1."""
    rng = np.random.default_rng(3)
    images = digit_images()[0][:20].repeat(100, axis=0)
    rows = (rng.random((STEPS, 64)) < 0.2 * images).astype(np.float64)
    rows[1900:] = rng.normal(0.3, 0.6, (100, 64))
    return rows


def run(chunk, real):
    """Engine and twin over the same rows; returns winners and gaps."""
    layer = SensoryLayer(N, torch.Generator().manual_seed(1), getattr(torch, real))
    arrays = arrays_of(layer.weight.numpy().copy())
    watched = np.array([[0, 5]])
    out = SensoryOutput(
        np.zeros(chunk, np.int32), np.zeros(chunk, np.float32), np.zeros((chunk, 1), np.float32),
        np.full(1, -1),
    )  # fmt: skip
    rows, state = stimulus(), layer.init_state()
    ours, theirs = [], []
    for at in range(0, STEPS, chunk):
        change, da, plastic = CHANGES[max(step for step in CHANGES if step <= at)]
        params = SensoryParams(**change)
        sensory_steps(
            at, rows[at : at + chunk].astype(real), np.full(chunk, da), plastic, params.stdp,
            settings_of(params), arrays, watched, 0, out, np.zeros(N, real),
        )  # fmt: skip
        ours += out.winner.tolist()
        for k in range(chunk):
            made = layer.step(torch.from_numpy(rows[at + k]), state, params, da, plastic)
            state = made.state
            theirs.append(made.winner)
            if real == "float64":
                assert out.u_pre[k, 0] == pytest.approx(float(made.u_pre[5]), abs=1e-5)
                assert out.theta[k] == pytest.approx(float(made.theta.mean()), rel=1e-6)
    return ours, theirs, arrays, layer, state


def test_float64_winners_identical_and_weights_equal():
    ours, theirs, arrays, layer, state = run(50, "float64")
    assert len({w for w in ours if w >= 0}) > 20, "the test must see many neurons fire"
    assert ours == theirs
    assert np.abs(arrays.weight - layer.weight.numpy()).max() < 1e-9
    assert np.abs(arrays.theta_a - state.theta_a.numpy()).max() < 1e-9
    assert np.abs(arrays.trace - state.trace.numpy()).max() < 1e-9


def test_the_length_of_a_chunk_changes_nothing():
    first, second = run(50, "float32"), run(4, "float32")
    assert first[0] == second[0]
    assert np.array_equal(first[2].weight, second[2].weight)


def test_a_membrane_that_is_not_finite_is_reported_with_its_step():
    layer = SensoryLayer(8)
    arrays = arrays_of(layer.weight.numpy().copy())
    arrays.u[3] = np.nan
    out = SensoryOutput(
        np.zeros(4, np.int32), np.zeros(4, np.float32), np.zeros((4, 0), np.float32),
        np.full(1, -1),
    )  # fmt: skip
    sensory_steps(
        17, np.zeros((4, 64), np.float32), np.full(4, 0.5), True, True,
        settings_of(SensoryParams()), arrays, np.zeros((0, 2), np.int64), 0, out,
        np.zeros(8, np.float32),
    )  # fmt: skip
    assert out.strange[0] == 17
