"""The timed population kernel: every path against the trace form, bounds, and what is promised of it.

Rasters are forced through the public door: an input of +-1000 decides every spike.
"""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from t4dm.learning.params import STDPParams
from t4dm.learning.stdp import STDPLearner, init_stdp_state, stdp_step
from t4dm.params import ParamError
from t4dm.spiking.population import KEEP, Population

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

N, STEPS, UNCUT = 24, 500, 500
BASE = {"a_plus": 0.06, "a_minus": 0.05, "tau_plus": 9.0, "tau_minus": 13.0, "w_max": 0.8}


def params(window=UNCUT, **others):
    windows = {"window_pre_to_post": window, "window_post_to_pre": max(1, window - 5)}
    return STDPParams(**(BASE | windows | others))


def raster_of(rate, steps=STEPS, n=N, seed=3):
    return np.random.default_rng(seed).random((steps, n)) < rate


def start(n=N, n_exc=N, share=1.0, seed=4):
    """Weights in [0, 0.8], rows from ``n_exc`` on negative, a share of them 0, no autapses."""
    rng = np.random.default_rng(seed)
    w = rng.uniform(0, BASE["w_max"], (n, n)) * (rng.random((n, n)) < share)
    w[n_exc:] *= -1
    np.fill_diagonal(w, 0)
    return w


def forced(population, raster):
    spikes = population.run(np.where(raster, 1e3, -1e3))
    assert np.array_equal(spikes, raster)


def by_trace(w, raster, stdp, n_exc=N, levels=None, kept=None):
    """Weights after ``raster`` by :func:`stdp_step`; ``levels`` is the dopamine of each step."""
    plastic = torch.ones(N, N, dtype=torch.bool).fill_diagonal_(False)
    plastic[n_exc:] = False
    plastic = plastic if kept is None else plastic & torch.from_numpy(kept)
    w, state = torch.from_numpy(w), init_stdp_state(N, N)
    for t, spikes in enumerate(torch.from_numpy(raster)):
        da = 0.5 if levels is None else levels[t]
        w, state = stdp_step(w, spikes, spikes, state, stdp, da=da, plastic=plastic)
    return w.numpy()


THREE = {
    "mode": "three_factor",
    "tau_e": 60.0,
    "learning_rate": 0.04,
}  # a pair moves w as far as elsewhere
CASES = [
    ({}, 0.08, "row sums"),
    ({}, 0.004, "row sums"),
    ({"tau_plus": 1.5}, 0.3, "row sums"),
    ({"window": 12}, 0.08, "row sums, cut windows"),
    ({"window": 90, "tau_plus": 60.0}, 0.02, "row sums, cut windows"),
    ({"window": 200, "tau_plus": 90.0}, 0.004, "row sums, cut windows"),
    ({"window": KEEP, "tau_plus": 100.0, "tau_minus": 60.0}, 0.004, "row sums, cut windows"),
    ({"window": KEEP, "tau_plus": 100.0, "tau_minus": 60.0, "pairing": "nearest"}, 0.004, "row sums, cut windows, nearest pairs"),
    ({"pairing": "nearest"}, 0.08, "row sums, nearest pairs"),
    ({"pairing": "nearest", "window": 9}, 0.1, "row sums, cut windows, nearest pairs"),
    ({"mu": 0.5}, 0.08, "event replay"),
    ({"mu": 1.0}, 0.08, "event replay"),
    ({"mu": 0.3, "window": 12}, 0.08, "event replay, cut windows"),
    ({"mu": 0.5, "window": 90, "tau_plus": 60.0}, 0.01, "event replay, cut windows"),
    ({"mu": 1.0, "pairing": "nearest", "window": 30}, 0.08, "event replay, cut windows, nearest pairs"),
    (THREE, 0.08, "event replay, three factors"),
    (THREE, 0.004, "event replay, three factors"),
    (THREE | {"tau_e": 1.5}, 0.12, "event replay, three factors"),
    (THREE | {"mu": 0.5}, 0.08, "event replay, three factors"),
    (THREE | {"mu": 1.0, "window": 12}, 0.08, "event replay, three factors, cut windows"),
    (THREE | {"pairing": "nearest"}, 0.08, "event replay, three factors, nearest pairs"),
]  # fmt: skip


@pytest.mark.parametrize("density", [1.0, 0.3])
@pytest.mark.parametrize(("changed", "rate", "path"), CASES)
def test_every_path_equals_the_trace_form(changed, rate, path, density):
    stdp, raster, n_exc = params(**changed), raster_of(rate), 19
    w = start(n_exc=n_exc, share=density)
    kept = w != 0 if density < 1 else None
    da = 0.9 if stdp.mode == "three_factor" else 0.5
    want = by_trace(w, raster, stdp, n_exc, np.full(STEPS, da), kept)
    assert np.abs(want - w).max() > 0.01
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-6)):
        population = Population(
            N, density, stdp=stdp, weights=w, n_exc=n_exc, dtype=dtype
        )  # fmt: skip
        assert population.path == path
        population.da = da
        forced(population, raster)
        np.testing.assert_allclose(population.weights, want, rtol=0, atol=tolerance)


HARD = {"mode": "three_factor", "tau_e": 200.0, "learning_rate": 1.0}
STEEP = {"a_plus": 0.5, "a_minus": 0.2, "w_max": 7.7, "window": 12}


def agree(stdp, raster, levels, single):
    """Both precisions against the trace form, within 5e-9 and ``single`` of w_max."""
    want = by_trace(start(), raster, stdp, levels=levels)
    assert (want == stdp.w_max).any()
    cuts = [0, *(np.flatnonzero(np.diff(levels)) + 1), len(levels)]
    for dtype, tolerance in (("float64", 5e-9), ("float32", single)):
        population = Population(N, stdp=stdp, weights=start(), dtype=dtype)
        for first, stop in itertools.pairwise(cuts):
            population.da = levels[first]
            forced(population, raster[first:stop])
        atol = tolerance * stdp.w_max
        np.testing.assert_allclose(population.weights, want, rtol=0, atol=atol)
    return want


@pytest.mark.parametrize(
    ("changed", "single"),
    [
        (HARD, 5e-5),
        (HARD | {"mu": 1.0}, 5e-5),
        (HARD | {"pairing": "nearest"}, 5e-5),
        (HARD | STEEP | {"mu": 0.5}, 1e-3),
        (HARD | STEEP | {"mu": 0.3, "pairing": "nearest"}, 1e-3),
    ],
)
def test_three_factors_at_the_default_rate_and_decay_reach_both_bounds(changed, single):
    """float32: what rounding leaves in an eligibility is multiplied by rate * tau_e."""
    levels = np.repeat([0.5, 0.9, 0.3, 1.0, 0.45], STEPS // 5)
    want = agree(params(**changed), raster_of(0.08), levels, single)
    assert (want[~np.eye(N, dtype=bool)] == 0).any()


def test_an_eligibility_that_is_nearly_gone_moves_a_weight_off_its_bound():
    """By 1e-12 after 35 tau_e, of which (1 - w/w_max)^0.5 makes 1e-6 of a pair."""
    stdp = params(**(HARD | STEEP | {"mu": 0.5, "tau_e": 20.0}))
    rate = np.repeat([0.08, 0.0, 0.08], [150, 750, 150])
    raster = np.random.default_rng(3).random((len(rate), N)) < rate[:, None]
    agree(stdp, raster, np.repeat([0.9, 0.3, 0.9], [850, 50, 150]), 1e-2)


@pytest.mark.parametrize(
    "changed", [{}, {"window": 12}, {"mu": 0.5}, {"mu": 1.0}, THREE, THREE | {"mu": 0.5}]
)
def test_changing_dopamine_scales_the_pairs_of_its_own_steps(changed):
    stdp, raster, w = params(da_gate=0.15, **changed), raster_of(0.1), start()
    levels = np.repeat([0.5, 1.0, 0.1, 0.3, 0.9], STEPS // 5)
    population = Population(N, stdp=stdp, weights=w, dtype="float64")
    for k in range(0, STEPS, STEPS // 5):
        population.da = levels[k]
        forced(population, raster[k : k + STEPS // 5])
    want = by_trace(w, raster, stdp, levels=levels)
    np.testing.assert_allclose(population.weights, want, rtol=0, atol=1e-9)


@pytest.mark.parametrize("mu", [0.0, 0.5, 1.0])
def test_two_neurons_follow_the_pair_form(mu):
    raster, stdp = raster_of(0.15, n=2), params(window=20, mu=mu)
    population = Population(2, stdp=stdp, weights=[[0, 0.4], [0.3, 0]], dtype="float64")
    forced(population, raster)
    learner = STDPLearner(**stdp.model_dump())
    times = [torch.from_numpy(np.flatnonzero(raster[:, i])) for i in (0, 1)]
    want = [learner.update_weight(0.4, *times), learner.update_weight(0.3, *times[::-1])]
    np.testing.assert_allclose(population.weights[[0, 1], [1, 0]], want, atol=1e-10)


@pytest.mark.parametrize("changed", [{}, {"window": 40}, {"mu": 0.5}, {"mu": 1.0}, THREE])
def test_bounds_are_never_crossed_in_float32_after_a_million_updates(changed):
    stdp = params(**changed, a_plus=0.9, a_minus=0.9)
    population = Population(3, stdp=stdp, weights=start(3))
    drive = np.where(raster_of(0.5, 4096, 3), 1e3, -1e3)
    spikes, seen = 0, []
    while spikes < 1_000_000:
        spikes += int(population.run(drive, 100_000).sum())
        seen.append(population.weights[~np.eye(3, dtype=bool)])
    assert np.min(seen) >= 0 and np.max(seen) <= np.float32(0.8)
    assert np.ptp(seen) > 0.1


@pytest.mark.parametrize("density", [1.0, 0.4])
@pytest.mark.parametrize(
    "stdp", [None, params(), params(window=30), params(mu=0.5), params(**THREE)]
)
def test_cuts_looks_and_resuming_change_no_bit(stdp, density):
    inputs = np.random.default_rng(0).normal(0.1, 0.5, (700, 64))

    def fresh():
        made = Population(64, density, stdp=stdp, gain=0.01, generator=np.random.default_rng(1))
        made.da = 0.8
        return made

    whole, pieces = fresh(), fresh()
    spikes = whole.run(inputs)
    assert 0.02 < spikes.mean() < 0.2
    got, first = [], 0
    for n in (1, 9, 140, 0, 250, 300):
        got.append(pieces.run(inputs, n, first))
        _ = pieces.weights
        resumed = fresh()
        resumed.load_state(pieces.state)
        pieces, first = resumed, first + n
    assert np.array_equal(np.concatenate(got), spikes)
    assert np.array_equal(pieces.weights, whole.weights)
    assert np.array_equal(pieces.u, whole.u) and pieces.step == whole.step == 700


@pytest.mark.parametrize("density", [1.0, 0.4])
def test_dynamics_are_the_equation(density):
    rng = np.random.default_rng(5)
    w = start(32, 26, density)
    population = Population(
        32, density, weights=w, n_exc=26, alpha=0.85, v_thresh=0.9, beta=0.7, u_max=1.5,
        gain=0.2, dtype="float64",
    )  # fmt: skip
    inputs = rng.normal(0.1, 0.6, (300, 32))
    u, s, clamped = np.zeros(32), np.zeros(32), 0
    spikes = population.run(inputs)
    for t in range(300):
        u_pre = 0.85 * u + inputs[t] + 0.2 * (s @ w)
        s = (u_pre >= 0.9).astype(float)
        free = u_pre - 0.7 * 0.9 * s
        u, clamped = free.clip(-1.5, 1.5), clamped + (np.abs(free) > 1.5).sum()
        assert np.array_equal(spikes[t], s > 0), t
    np.testing.assert_allclose(population.u, u, atol=1e-12)
    assert population.clamped == clamped > 0


def test_neurons_may_feed_themselves():
    stdp, raster, w = params(), raster_of(0.1), np.full((N, N), 0.4)
    population = Population(N, stdp=stdp, weights=w, autapses=True, dtype="float64")
    forced(population, raster)
    w, state = torch.from_numpy(w), init_stdp_state(N, N)
    for spikes in torch.from_numpy(raster):
        w, state = stdp_step(w, spikes, spikes, state, stdp)
    np.testing.assert_allclose(population.weights, w, atol=1e-9)
    alone = Population(N, stdp=stdp, weights=np.full((N, N), 0.4))
    forced(alone, raster)
    assert not np.diag(alone.weights).any()


def test_eligibility_outlives_the_spikes_and_waits_for_dopamine():
    """A pair at 1 and 4; dopamine rises after 300 silent steps, falls below 0.5 after 300 more."""
    stdp = params(mode="three_factor", tau_e=400.0, learning_rate=0.05)
    raster = np.zeros((1200, N), bool)
    raster[1, 0], raster[4, 1] = True, True
    levels = np.repeat([0.5, 1.0, 0.2, 0.5], 300)
    population = Population(N, stdp=stdp, weights=start(), dtype="float64")
    for k in range(0, 1200, 300):
        population.da = levels[k]
        forced(population, raster[k : k + 300])
    want = by_trace(start(), raster, stdp, levels=levels)
    assert np.abs(want - start()).max() > 0.01
    np.testing.assert_allclose(population.weights, want, rtol=0, atol=1e-9)


def test_rows_that_wait_are_paid_in_time():
    stdp = params(tau_plus=150.0, a_plus=0.01)
    raster = np.zeros((4 * KEEP, 2), bool)
    raster[0, 0], raster[5::7, 1] = True, True
    population = Population(2, stdp=stdp, weights=[[0, 0.1], [0, 0]], dtype="float64")
    forced(population, raster)
    ages = np.flatnonzero(raster[:UNCUT, 1])
    rise = 0.01 * np.exp(-ages / 150.0).sum()
    assert 0.1 + rise < BASE["w_max"]
    assert population.weights[0, 1] == pytest.approx(0.1 + rise, abs=1e-12)


def test_static_weights_stay_and_the_rows_come_in_turn():
    population = Population(8, generator=np.random.default_rng(2))
    before, inputs = population.weights, np.random.default_rng(3).normal(0.2, 0.8, (10, 8))
    spikes = population.run(inputs, 25, first=4)
    again = Population(8, weights=before)
    assert np.array_equal(again.run(inputs[(4 + np.arange(25)) % 10]), spikes)
    assert np.array_equal(population.weights, before) and population.path == "static"
    assert population.run(inputs, 5, record=False).shape == (0, 8)


@pytest.mark.parametrize(
    ("made", "field"),
    [
        ({"n": 0}, "n"),
        ({"n": 70_000}, "n"),
        ({"density": 0.0}, "density"),
        ({"n_exc": 9}, "n_exc"),
        ({"dtype": "float16"}, "dtype"),
        ({"weights": np.zeros((3, 8))}, "weights"),
        ({"weights": np.full((8, 8), 2.0)}, "weights"),
        ({"weights": np.full((8, 8), np.nan)}, "weights"),
    ],
)
def test_what_cannot_be_is_refused_by_name(made, field):
    with pytest.raises(ParamError) as refused:
        Population(**({"n": 8, "stdp": STDPParams()} | made))
    assert refused.value.field == field


def test_inputs_and_states_that_do_not_fit_are_refused():
    population = Population(8)
    for wrong in (np.zeros(8), np.zeros((3, 9)), np.zeros((0, 8))):
        with pytest.raises(ParamError, match="inputs"):
            population.run(wrong)
    with pytest.raises(ParamError, match="da"):
        population.da = 1.5
    with pytest.raises(ParamError, match=r"cells\.u"):
        population.load_state(Population(9).state)
    with pytest.raises(FloatingPointError):
        population.run(np.full((1, 8), np.nan))


def test_a_second_start_compiles_nothing():
    code = (
        "import numpy as np, sys; from numba.core.dispatcher import Dispatcher;"
        "from t4dm.spiking.population import Population; from t4dm.learning.params import STDPParams;"
        "x = np.zeros((4, 8));"
        "[Population(8, d, stdp=p).run(x) for d in (1.0, 0.5) for p in (None, STDPParams())];"
        "found = [v for m in list(sys.modules.values()) if m.__name__.startswith('t4dm.')"
        " for v in vars(m).values() if isinstance(v, Dispatcher)];"
        "print(sum(sum(d.stats.cache_misses.values()) for d in found),"
        " sum(sum(d.stats.cache_hits.values()) for d in found))"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True
        )
    misses, hits = map(int, done.stdout.split())
    assert misses == 0 and hits > 0
