"""STDP of a block by the path its parameters allow, and homeostasis (docs/equations.md, 4 and 5)."""

# l block; for the other letters see stack_arrays

from __future__ import annotations

import math

import numpy as np

from t4dm.kernels.compiled import jit
from t4dm.kernels.plasticity_eager import eager_eligibility, eager_pairs, trace_from_history
from t4dm.kernels.plasticity_lazy import IDLE, RING, flush, lazy_step, post_trace
from t4dm.kernels.stack_arrays import (
    EAGER_NEAREST,
    LAZY_CUT,
    THREE_FACTOR,
    THREE_FACTOR_NEAREST,
)


@jit()
def homeostasis(theta_h, rate, settings, rest):  # type: ignore[no-untyped-def]
    """theta_h after a step in which the share ``rate`` of a stage fired."""
    enabled, target, learning_rate, bound = settings.homeostasis
    if rest or enabled == 0:
        return theta_h
    moved = theta_h - learning_rate * (target - rate)
    return min(bound, max(-bound, moved))


@jit()
def learn(l, t, k, n_exc, state, settings, out, work):  # type: ignore[no-untyped-def]
    """STDP of step t, whose spikes are in the ring; ``k`` is its row of levels and gains."""
    path, window_pre, window_post, cut_pre, cut_post = settings.plan
    enabled, rate, a_plus, a_minus, da_gate, _ = settings.learning
    open_ = enabled != 0 and out.levels[k, 0] >= da_gate
    if path > LAZY_CUT:
        _learn_eagerly(l, t, k, n_exc, open_, state, settings, out, work)
        return
    ring, ring_n = state.ring[l], state.ring_n[l]
    size = ring.shape[0]
    now, left, gone = t % size, (t - window_pre) % size, (t - window_post) % size
    real = state.w_rec.dtype.type
    n_left = ring_n[left] if cut_pre != 0 and t >= window_pre else 0
    n_gone = ring_n[gone] if cut_post != 0 and t >= window_post else 0
    lazy_step(
        t, state.w_rec[l], state.pre[l], state.post[l], state.held[l], state.born[l],
        state.buckets[l], state.bucket_rows[l], ring[now], ring_n[now], ring[left], n_left, n_exc,
        settings.powers_plus, real(rate * a_plus * out.gains[k, 2] if open_ else 0.0),
        real(rate * a_minus * out.gains[k, 3] if open_ else 0.0),
        settings.powers_plus[window_pre], settings.bounds[0], cut_pre != 0,
    )  # fmt: skip
    post_trace(
        state.post[l], ring[now], ring_n[now], ring[gone], n_gone, settings.powers_minus[1],
        settings.powers_minus[window_post + 1],
    )  # fmt: skip


@jit()
def _learn_eagerly(l, t, k, n_exc, open_, state, settings, out, work):  # type: ignore[no-untyped-def]
    path, window_pre, window_post, _, _ = settings.plan
    _, rate, a_plus, a_minus, _, tau_e = settings.learning
    ring, ring_n = state.ring[l], state.ring_n[l]
    now = t % ring.shape[0]
    nearest = path == EAGER_NEAREST or path == THREE_FACTOR_NEAREST
    x, y = state.pre[l], state.post[l]
    trace_from_history(
        t, ring, ring_n, window_pre, settings.powers_plus, 0, nearest, x, work.counted
    )
    trace_from_history(
        t, ring, ring_n, window_post, settings.powers_minus, 0, nearest, y, work.counted
    )
    real = state.w_rec.dtype.type
    w_max, mu = settings.bounds[0], settings.bounds[1]
    if path >= THREE_FACTOR:
        keep = math.exp(-1.0 / (tau_e * (0.5 + out.levels[k, 3])))
        eager_eligibility(
            state.w_rec[l], state.eligibility[l], x, y, ring[now], ring_n[now], n_exc,
            real(a_plus), real(a_minus), w_max, mu, real(keep),
            real(rate * (out.levels[k, 0] - 0.5)), not open_,
        )  # fmt: skip
    elif open_:
        eager_pairs(
            state.w_rec[l], x, y, ring[now], ring_n[now], n_exc,
            real(rate * a_plus * out.gains[k, 2]), real(rate * a_minus * out.gains[k, 3]),
            w_max, mu,
        )  # fmt: skip


@jit()
def settle(l, t, n_exc, state, settings):  # type: ignore[no-untyped-def]
    """Pay every row of block l what it is owed before step t: ``w_rec`` is then the true matrix."""
    if settings.plan[0] <= LAZY_CUT:
        flush(
            t, state.w_rec[l], state.pre[l], state.born[l], state.buckets[l],
            state.bucket_rows[l], n_exc, settings.powers_plus, settings.bounds[0],
        )  # fmt: skip


@jit()
def begin_path(t, n_exc, state, settings, counted):  # type: ignore[no-untyped-def]
    """Start learning at step t with new parameters: traces from the history, weights in bounds."""
    w_max = settings.bounds[0]
    zero = state.w_rec.dtype.type(0)
    window_pre, window_post = settings.plan[1], settings.plan[2]
    for l in range(state.w_rec.shape[0]):
        for i in range(n_exc):
            row = state.w_rec[l, i]
            for j in range(row.shape[0]):
                row[j] = zero if row[j] < zero else (w_max if row[j] > w_max else row[j])
        if settings.plan[0] < THREE_FACTOR:
            state.eligibility[l] = zero
        if settings.plan[0] > LAZY_CUT:
            continue
        ring, ring_n = state.ring[l], state.ring_n[l]
        trace_from_history(
            t, ring, ring_n, window_post, settings.powers_minus, 0, False, state.post[l], counted
        )
        trace_from_history(
            t, ring, ring_n, window_pre, settings.powers_plus, -1, False, state.pre[l],
            state.held[l],
        )  # fmt: skip
        state.buckets[l] = zero
        state.bucket_rows[l] = 0
        for i in range(state.born.shape[1]):
            state.born[l, i] = IDLE
            if i < n_exc and state.held[l, i] > 0:
                state.born[l, i] = t - 1
                state.bucket_rows[l, (t - 1) % RING] += 1


@jit()
def weights_of(l, t, n_exc, state, settings):  # type: ignore[no-untyped-def]
    """A copy (N, N) of the true weights of block l before step t; the state stays as it is."""
    w = state.w_rec[l].copy()
    if settings.plan[0] <= LAZY_CUT:
        flush(
            t, w, state.pre[l].copy(), state.born[l].copy(), state.buckets[l].copy(),
            state.bucket_rows[l].copy(), n_exc, settings.powers_plus, settings.bounds[0],
        )  # fmt: skip
    return w


@jit()
def finite(a):  # type: ignore[no-untyped-def]
    """Whether every value of a flat array is finite."""
    strange = 0
    for i in range(a.shape[0]):
        strange += not (abs(a[i]) < np.inf)
    return strange == 0
