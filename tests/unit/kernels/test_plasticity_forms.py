"""The live engine's STDP kernels, by the path their parameters choose: equal to trace and pair form."""

import numpy as np
import pytest
import torch

from t4dm.kernels.learning import begin_path, learn, settle
from t4dm.kernels.plasticity_lazy import IDLE, RING
from t4dm.kernels.stack_arrays import HISTORY, PATHS, Plastic
from t4dm.learning.params import STDPParams
from t4dm.learning.reward import dopamine_factors
from t4dm.learning.stdp import STDPLearner, init_stdp_state, stdp_step
from t4dm.live.engine_settings import read_settings
from t4dm.live.tree import ParamTree

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


def rule_of(values, real):
    """The rule of the live defaults with ``values``, and the name of the path it takes."""
    tree = ParamTree(1)
    for name, value in ({"a_plus": 0.02, "a_minus": 0.021, "w_max": 0.8} | values).items():
        tree.set(f"stdp.{name}", value)
    rule = read_settings(tree, np.dtype(real)).rule
    params = STDPParams(**{name: tree.get(f"stdp.{name}") for name in STDPParams.model_fields})
    return rule, params, PATHS[int(rule.plan[0])]


def start():
    rng = np.random.default_rng(4)
    w = rng.uniform(0, 0.8, (N, N))
    w[N_EXC:] *= -1
    np.fill_diagonal(w, 0)
    return w


def by_kernel(w, raster, rule, real, levels):
    plastic = Plastic(
        w.astype(real), np.zeros((HISTORY, N), np.uint16), np.zeros(HISTORY, np.int32),
        np.zeros(N, real), np.zeros(N, real), np.zeros(N, np.int64), np.full(N, IDLE, np.int64),
        np.zeros((RING, N), real), np.zeros(RING, np.int64), np.zeros((N_EXC, N), real),
    )  # fmt: skip
    counted = np.zeros(N, np.int64)
    begin_path(0, N_EXC, plastic, rule, counted)
    for t, spikes in enumerate(raster):
        ids = np.flatnonzero(spikes)
        plastic.ring[t % HISTORY, : len(ids)] = ids
        plastic.ring_n[t % HISTORY] = len(ids)
        gains = np.array([1, 1, *dopamine_factors(levels[t]), 1])
        now = np.array([levels[t], 0.5, 0.5, 0.5])
        learn(t, N_EXC, plastic, rule, now, gains, counted)
    settle(len(raster), N_EXC, plastic, rule)
    return plastic.w_rec


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
