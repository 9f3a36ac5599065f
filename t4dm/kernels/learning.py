"""STDP of one block by the path its parameters allow, and homeostasis (docs/equations.md, 4 and 5)."""

# for the letters and the groups ``plastic`` and ``rule`` see stack_arrays

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
    if rest or settings[0] == 0:
        return theta_h
    moved = theta_h - settings[2] * (settings[1] - rate)
    return min(settings[3], max(-settings[3], moved))


@jit()
def learn(t, n_exc, plastic, rule, levels, gains, counted):  # type: ignore[no-untyped-def]
    """STDP of step t, whose spikes are in the ring, at that step's levels (4,) and gains (5,)."""
    enabled, rate, da_gate = rule.learning[0], rule.learning[1], rule.learning[4]
    window_pre, window_post = rule.plan[1], rule.plan[2]
    open_ = enabled != 0 and levels[0] >= da_gate
    real = plastic.w_rec.dtype.type
    rise = real(rate * rule.learning[2] * gains[2] if open_ else 0.0)
    fall = real(rate * rule.learning[3] * gains[3] if open_ else 0.0)
    if rule.plan[0] > LAZY_CUT:
        _learn_eagerly(t, n_exc, plastic, rule, levels, open_, rise, fall, counted)
        return
    ring, ring_n = plastic.ring, plastic.ring_n
    size = ring.shape[0]
    now, left, gone = t % size, (t - window_pre) % size, (t - window_post) % size
    cut_pre, cut_post = rule.plan[3] != 0, rule.plan[4] != 0
    lazy_step(
        t, plastic.w_rec, plastic.pre, plastic.post, plastic.held, plastic.born, plastic.buckets,
        plastic.bucket_rows, ring[now], ring_n[now], ring[left],
        ring_n[left] if cut_pre and t >= window_pre else 0, n_exc, rule.powers_plus,
        rise, fall, rule.powers_plus[window_pre], rule.bounds[0], cut_pre,
    )  # fmt: skip
    post_trace(
        plastic.post, ring[now], ring_n[now], ring[gone],
        ring_n[gone] if cut_post and t >= window_post else 0,
        rule.powers_minus[1], rule.powers_minus[window_post + 1],
    )  # fmt: skip


@jit()
def _learn_eagerly(  # type: ignore[no-untyped-def]
    t, n_exc, plastic, rule, levels, open_, rise, fall, counted
):
    path, ring, ring_n = rule.plan[0], plastic.ring, plastic.ring_n
    now = t % ring.shape[0]
    nearest = path in (EAGER_NEAREST, THREE_FACTOR_NEAREST)
    x, y = plastic.pre, plastic.post
    trace_from_history(t, ring, ring_n, rule.plan[1], rule.powers_plus, 0, nearest, x, counted)
    trace_from_history(t, ring, ring_n, rule.plan[2], rule.powers_minus, 0, nearest, y, counted)
    real = plastic.w_rec.dtype.type
    w_max, mu = rule.bounds[0], rule.bounds[1]
    if path >= THREE_FACTOR:
        keep = math.exp(-1.0 / (rule.learning[5] * (0.5 + levels[3])))
        eager_eligibility(
            plastic.w_rec, plastic.eligibility, x, y, ring[now], ring_n[now], n_exc,
            real(rule.learning[2]), real(rule.learning[3]), w_max, mu, real(keep),
            real(rule.learning[1] * (levels[0] - 0.5)), not open_,
        )  # fmt: skip
    elif open_:
        eager_pairs(
            plastic.w_rec, x, y, ring[now], ring_n[now], n_exc, rise, fall, w_max, mu
        )  # fmt: skip


@jit()
def settle(t, n_exc, plastic, rule):  # type: ignore[no-untyped-def]
    """Pay every row what it is owed before step t: ``w_rec`` is then the true matrix."""
    if rule.plan[0] <= LAZY_CUT:
        flush(
            t, plastic.w_rec, plastic.pre, plastic.born, plastic.buckets, plastic.bucket_rows,
            n_exc, rule.powers_plus, rule.bounds[0],
        )  # fmt: skip


@jit()
def begin_path(t, n_exc, plastic, rule, counted):  # type: ignore[no-untyped-def]
    """Start learning at step t with new parameters: traces from the history, weights in bounds."""
    w_max = rule.bounds[0]
    zero = w_max - w_max
    for i in range(n_exc):
        row = plastic.w_rec[i]
        for j in range(row.shape[0]):
            v = row[j]
            row[j] = zero if v < zero else (w_max if v > w_max else v)
    if rule.plan[0] < THREE_FACTOR:
        plastic.eligibility.fill(0)
    if rule.plan[0] > LAZY_CUT:
        return
    ring, ring_n = plastic.ring, plastic.ring_n
    trace_from_history(
        t, ring, ring_n, rule.plan[2], rule.powers_minus, 0, False, plastic.post, counted
    )
    trace_from_history(
        t, ring, ring_n, rule.plan[1], rule.powers_plus, -1, False, plastic.pre, plastic.held
    )
    plastic.buckets.fill(0)
    plastic.bucket_rows.fill(0)
    for i in range(plastic.born.shape[0]):
        plastic.born[i] = IDLE
        if i < n_exc and plastic.held[i] > 0:
            plastic.born[i] = t - 1
            plastic.bucket_rows[(t - 1) % RING] += 1


@jit()
def finite(a):  # type: ignore[no-untyped-def]
    """Whether every value of a flat array is finite."""
    strange = 0
    for i in range(a.shape[0]):
        strange += not (abs(a[i]) < np.inf)
    return strange == 0
