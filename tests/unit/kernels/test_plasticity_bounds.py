"""Hard bounds in float32: no weight of any path leaves [0, float32(w_max)], looked at again and again.

Bursts and silences, windows that cut long traces, large steps: what is left of a trace when its last
spike leaves the window is where rounding could turn a depression into a potentiation.
"""

import numpy as np
import pytest

from t4dm.kernels.learning import settle
from t4dm.learning.params import STDPParams
from t4dm.spiking.population import Population
from tests.live_stdp import plastic_of, rule_of, steps_of

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

N, UPDATES = 24, 1_000_000
LARGE = {"a_plus": 1.0, "a_minus": 1.0}
CUT = LARGE | {"window_pre_to_post": 20, "window_post_to_pre": 20, "tau_minus": 30.0}
LONG = LARGE | {
    "window_pre_to_post": 500,
    "window_post_to_pre": 100,
    "tau_plus": 200.0,
    "tau_minus": 80.0,
}
WHOLE = LARGE | {"window_pre_to_post": 500, "window_post_to_pre": 500}
THREE = {"mode": "three_factor"}
CASES = [
    CUT, LONG, WHOLE, CUT | {"mu": 0.5}, LONG | {"mu": 0.5}, CUT | {"mu": 1.0},
    CUT | {"pairing": "nearest"}, CUT | THREE, LONG | THREE | {"mu": 0.5}, {"learning_rate": 50.0},
]  # fmt: skip


def bursts(steps: int, seed: int) -> np.ndarray:
    rng, raster, t = np.random.default_rng(seed), np.zeros((steps, N), bool), 0
    while t < steps:
        length = min(int(rng.integers(20, 200)), steps - t)
        raster[t : t + length] = rng.random((length, N)) < rng.choice([0, 0, 0.02, 0.1, 0.5])
        t += length
    return raster


def updates(raster: np.ndarray, window: int = 20) -> int:
    """Times that a spike meets a trace that is not 0, at a single weight each: up and down."""
    before = np.vstack([np.zeros((1, N), int), raster.cumsum(0)[:-1]])
    recent = before > np.vstack([np.zeros((window, N), int), before[:-window]])
    pairs = raster.sum(1) * recent.sum(1) - (raster & recent).sum(1)
    return 2 * int(pairs.sum())


def levels(steps: int) -> np.ndarray:
    return np.resize(np.repeat([0.5, 0.9, 0.2], 150), steps)


def check(w: np.ndarray, w_max: float) -> None:
    top = np.float32(w_max)
    assert w.dtype == np.float32 and w.min() >= 0
    assert w.max() <= top, f"{w.max()!r} is above {top!r}"


@pytest.mark.parametrize("w_max", [0.3, 7.7])
@pytest.mark.parametrize("values", CASES, ids=str)
def test_the_live_kernels_keep_them(values, w_max):
    rule, _, _ = rule_of(values | {"w_max": w_max}, np.float32)
    w = np.full((N, N), np.float32(w_max))
    np.fill_diagonal(w, 0)
    plastic, raster = plastic_of(w, N, np.float32), bursts(10_000, 1)
    moved = 0.0
    for t in steps_of(plastic, N, raster, rule, levels(len(raster))):
        check(plastic.w_rec, w_max)
        if t % 50 == 0:
            settle(t + 1, N, plastic, rule)
            check(plastic.w_rec, w_max)
            moved = max(moved, float(np.abs(plastic.w_rec - w).max()))
    assert updates(raster) > UPDATES and moved > 0.1 * w_max


@pytest.mark.parametrize("w_max", [0.3, 7.7])
@pytest.mark.parametrize("density", [1.0, 0.5])
@pytest.mark.parametrize("values", CASES, ids=str)
def test_the_population_keeps_them(values, density, w_max):
    stdp = STDPParams(**(values | {"w_max": w_max}))
    rng, raster = np.random.default_rng(0), bursts(int(10_000 / density), 2)
    w = np.float32(w_max) * (rng.random((N, N)) < density)
    population = Population(N, density, stdp=stdp, weights=w)
    drive, da, seen = np.where(raster, 1e3, -1e3), levels(len(raster)), []
    for t in range(0, len(raster), 10):
        population.da = float(da[t])
        population.run(drive[t : t + 10])
        seen.append(population.weights)
        check(seen[-1], w_max)
    assert updates(raster) * density > UPDATES and np.ptp(seen, 0).max() > 0.1 * w_max
