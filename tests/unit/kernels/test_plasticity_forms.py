"""The live engine's STDP kernels, by the path their parameters choose: equal to trace and pair form."""

import numpy as np
import pytest
import torch

from t4dm.kernels.plasticity_lazy import RING
from t4dm.learning.stdp import STDPLearner, init_stdp_state, stdp_step
from tests.live_stdp import rule_of, run_live

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

N, N_EXC, STEPS = 24, 19, 500
THREE = {"mode": "three_factor", "tau_e": 60.0, "learning_rate": 0.1}
UNCUT = {
    "window_pre_to_post": 500, "window_post_to_pre": 500, "tau_plus": 9.0, "tau_minus": 13.0,
}  # fmt: skip
CASES = [
    ({}, "lazy, cut windows"),
    (UNCUT, "lazy"),
    ({"window_pre_to_post": 12, "window_post_to_pre": 7}, "lazy, cut windows"),
    ({"mu": 0.5}, "eager"),
    ({"mu": 1.0}, "eager"),
    ({"pairing": "nearest"}, "eager, nearest pairs"),
    (THREE, "three-factor"),
    (THREE | {"mu": 0.5}, "three-factor"),
    (THREE | {"pairing": "nearest"}, "three-factor, nearest pairs"),
]


def start():
    rng = np.random.default_rng(4)
    w = rng.uniform(0, 0.8, (N, N))
    w[N_EXC:] *= -1
    np.fill_diagonal(w, 0)
    return w


def by_kernel(w, raster, rule, real, levels):
    return run_live(w, N_EXC, raster, rule, real, levels)


def by_trace(w, raster, params, levels):
    plastic = torch.ones(N, N, dtype=torch.bool).fill_diagonal_(False)
    plastic[N_EXC:] = False
    w, state = torch.from_numpy(w), init_stdp_state(N, N)
    for t, spikes in enumerate(torch.from_numpy(raster)):
        w, state = stdp_step(w, spikes, spikes, state, params, da=levels[t], plastic=plastic)
    return w.numpy()


@pytest.mark.parametrize(("values", "path"), CASES, ids=str)
def test_each_path_equals_the_trace_form_under_changing_dopamine(values, path):
    raster = np.random.default_rng(3).random((STEPS, N)) < 0.06
    levels = np.repeat([0.5, 0.9, 0.3, 1.0, 0.45], STEPS // 5)
    for real, tolerance in ((np.float64, 1e-9), (np.float32, 1e-6)):
        rule, params, chosen = rule_of(values, real)
        assert chosen == path
        want = by_trace(start(), raster, params, levels)
        assert np.abs(want - start()).max() > 0.01
        got = by_kernel(start(), raster, rule, real, levels)
        np.testing.assert_allclose(got, want, rtol=0, atol=tolerance)


AT_THE_BOUNDS = {"mode": "three_factor", "w_max": 7.7, "a_plus": 0.5, "a_minus": 0.2}


@pytest.mark.parametrize(
    ("values", "single"),
    [
        ({"mode": "three_factor"}, 5e-5),
        ({"mode": "three_factor", "mu": 1.0}, 5e-5),
        ({"mode": "three_factor", "pairing": "nearest"}, 5e-5),
        (AT_THE_BOUNDS, 5e-5),
        (AT_THE_BOUNDS | {"mu": 0.5}, 1e-3),
        (AT_THE_BOUNDS | {"pairing": "nearest", "mu": 0.3}, 1e-3),
    ],
    ids=str,
)
def test_three_factors_at_the_default_rate_and_decay(values, single):
    """Rate 1 and tau_e 200, which drive most weights to a bound; float32 within ``single`` of w_max."""
    raster = np.random.default_rng(3).random((STEPS, N)) < 0.06
    levels = np.repeat([0.5, 0.9, 0.3, 1.0, 0.45], STEPS // 5)
    for real, tolerance in ((np.float64, 1e-9), (np.float32, single)):
        rule, params, _ = rule_of(values, real)
        assert params.learning_rate == 1 and params.tau_e == 200
        want = by_trace(start(), raster, params, levels)
        got = by_kernel(start(), raster, rule, real, levels)
        np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * params.w_max)


@pytest.mark.parametrize("window", [RING - 1, RING, RING + 1, 2 * RING])
@pytest.mark.parametrize("rate", [0.004, 0.3])
def test_a_window_as_long_as_rows_may_wait(window, rate):
    """A spike leaves its window in the step in which its row has waited longest."""
    windows = {"window_pre_to_post": window, "window_post_to_pre": window}
    rule, params, path = rule_of(windows | {"tau_plus": 100.0, "tau_minus": 60.0}, np.float64)
    assert path == "lazy, cut windows"
    raster = np.random.default_rng(6).random((STEPS, N)) < rate
    want = by_trace(start(), raster, params, np.full(STEPS, 0.5))
    got = by_kernel(start(), raster, rule, np.float64, np.full(STEPS, 0.5))
    assert np.abs(want - start()).max() > 0.01
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("values", "path"), CASES[:6], ids=str)
def test_each_path_equals_the_pair_form(values, path):
    """Neurons 0 and 1 fire, the others never do."""
    raster = np.zeros((STEPS, N), bool)
    raster[:, :2] = np.random.default_rng(5).random((STEPS, 2)) < 0.1
    rule, params, chosen = rule_of(values, np.float64)
    assert chosen == path
    got = by_kernel(start(), raster, rule, np.float64, np.full(STEPS, 0.5))
    times = [torch.from_numpy(np.flatnonzero(raster[:, i])) for i in (0, 1)]
    learner = STDPLearner(**params.model_dump())
    for (pre, post), trains in (((0, 1), times), ((1, 0), times[::-1])):
        want = learner.update_weight(float(start()[pre, post]), *trains)
        assert got[pre, post] == pytest.approx(want, abs=1e-10)
