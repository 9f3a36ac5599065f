"""Every STDP kernel against the rule written out pair by pair on a dense matrix."""

import math

import numpy as np
import pytest

from t4dm.kernels.learning import begin_path, learn, settle
from t4dm.kernels.plasticity_lazy import IDLE, RING
from t4dm.kernels.stack_arrays import (
    EAGER_NEAREST,
    EAGER_PAIRS,
    HISTORY,
    LAZY,
    LAZY_CUT,
    THREE_FACTOR,
    WINDOW_MAX,
    Plastic,
    Rule,
)

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

N, N_EXC, STEPS = 24, 19, 400
A_PLUS, A_MINUS, TAU_PLUS, TAU_MINUS, W_MAX, TAU_E = 0.06, 0.05, 9.0, 13.0, 0.8, 40.0


def _rule(path, window, mu=0.0, real=np.float64):
    ages = np.arange(WINDOW_MAX + 2)
    cut = path != LAZY
    return Rule(
        powers_plus=np.exp(-ages / TAU_PLUS).astype(real),
        powers_minus=np.exp(-ages / TAU_MINUS).astype(real),
        bounds=np.array([W_MAX, mu], real),
        learning=np.array([1.0, 1.0, A_PLUS, A_MINUS, 0.0, TAU_E]),
        plan=np.array([path, window, window, cut, cut], np.int64),
    )


def _plastic(rng, real=np.float64):
    w = rng.uniform(0, W_MAX, (N, N))
    w[N_EXC:] *= -1
    np.fill_diagonal(w, 0)
    return Plastic(
        w.astype(real), np.zeros((HISTORY, N), np.uint16), np.zeros(HISTORY, np.int32),
        np.zeros(N, real), np.zeros(N, real), np.zeros(N, np.int64), np.full(N, IDLE, np.int64),
        np.zeros((RING, N), real), np.zeros(RING, np.int64), np.zeros((N_EXC, N), real),
    )  # fmt: skip


def _trace(raster, t, i, window, tau, nearest):
    ages = [age for age in range(1, min(window, t) + 1) if raster[t - age, i]]
    return sum(math.exp(-age / tau) for age in (ages[:1] if nearest else ages))


def _dense(w, e, raster, t, path, window, mu, da):
    """One step by the definition; changes ``w`` and ``e`` in place."""
    nearest, m = path == EAGER_NEAREST, min(1, max(-1, (da - 0.5) / 0.5))
    plus, minus = A_PLUS * (1 + 0.5 * m), A_MINUS * (1 - 0.3 * m)
    x = [_trace(raster, t, i, window, TAU_PLUS, nearest) for i in range(N)]
    y = [_trace(raster, t, j, window, TAU_MINUS, nearest) for j in range(N)]
    s = raster[t]
    for i in range(N_EXC):
        for j in range(N):
            if i == j:
                continue
            if path == THREE_FACTOR:
                due = A_PLUS * x[i] * s[j] - A_MINUS * s[i] * y[j]
                e[i, j] = e[i, j] * math.exp(-1 / TAU_E) + due
                w[i, j] = min(W_MAX, max(0, w[i, j] + e[i, j] * (da - 0.5)))
                continue
            if s[j]:
                w[i, j] = min(W_MAX, w[i, j] + plus * x[i] * (1 - w[i, j] / W_MAX) ** mu)
            if s[i]:
                w[i, j] = max(0, w[i, j] - minus * y[j] * (w[i, j] / W_MAX) ** mu)


@pytest.mark.parametrize(
    ("path", "window", "mu", "rate"),
    [
        (LAZY, 500, 0.0, 0.08),
        (LAZY, 500, 0.0, 0.005),
        (LAZY_CUT, 12, 0.0, 0.08),
        (LAZY_CUT, 90, 0.0, 0.01),
        (EAGER_PAIRS, 30, 0.4, 0.08),
        (EAGER_PAIRS, 30, 1.0, 0.08),
        (EAGER_NEAREST, 30, 0.0, 0.08),
        (THREE_FACTOR, 30, 0.0, 0.08),
    ],
)
def test_equal_to_the_definition(path, window, mu, rate):
    rng = np.random.default_rng(3)
    plastic, rule = _plastic(rng), _rule(path, window, mu)
    raster = rng.random((STEPS, N)) < rate
    w, e = plastic.w_rec.copy(), np.zeros((N, N))
    counted = np.zeros(N, np.int64)
    begin_path(0, N_EXC, plastic, rule, counted)
    for t in range(STEPS):
        da = 0.2 + 0.6 * (t % 100) / 100
        m = (da - 0.5) / 0.5
        levels = np.array([da, 0.5, 0.5, 0.5])
        gains = np.array([1, 1, 1 + 0.5 * m, 1 - 0.3 * m, 1])
        ids = np.flatnonzero(raster[t])
        plastic.ring[t % HISTORY, : len(ids)] = ids
        plastic.ring_n[t % HISTORY] = len(ids)
        learn(t, N_EXC, plastic, rule, levels, gains, counted)
        _dense(w, e, raster, t, path, window, mu, da)
        if t % 77 == 0:
            settle(t + 1, N_EXC, plastic, rule)
            np.testing.assert_allclose(plastic.w_rec, w, atol=1e-11)
    settle(STEPS, N_EXC, plastic, rule)
    np.testing.assert_allclose(plastic.w_rec, w, atol=1e-11)
    assert not np.diag(plastic.w_rec).any()
    assert ((w[:N_EXC] == 0).sum() > N_EXC or rate < 0.05) or mu > 0


def test_bounds_are_reached_and_kept():
    rng = np.random.default_rng(4)
    plastic, rule = _plastic(rng, np.float32), _rule(LAZY_CUT, 60, real=np.float32)
    counted, ones = np.zeros(N, np.int64), np.ones(5)
    begin_path(0, N_EXC, plastic, rule, counted)
    for t in range(600):
        ids = np.flatnonzero(rng.random(N) < 0.2)
        plastic.ring[t % HISTORY, : len(ids)] = ids
        plastic.ring_n[t % HISTORY] = len(ids)
        learn(t, N_EXC, plastic, rule, np.full(4, 0.5), ones, counted)
    settle(600, N_EXC, plastic, rule)
    rows = plastic.w_rec[:N_EXC]
    assert rows.min() == 0 and rows.max() <= np.float32(W_MAX)
    assert (plastic.w_rec[N_EXC:] <= 0).all()
