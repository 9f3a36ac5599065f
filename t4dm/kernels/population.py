"""A recurrent population with plastic weights: every step in one compiled loop, driven by spikes.

    current = input + gain * sum of the rows of W whose neurons fired in the step before
then the LIF rule (docs/equations.md, section 3) and STDP (section 4).  A row that fires is paid, depressed
and added to the next step's current in one pass.
"""

# letters as in plasticity_rows; T rows of input; ``real`` is float32 or float64

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from t4dm.kernels import plasticity_replay as by_replay
from t4dm.kernels import plasticity_sums as by_sums
from t4dm.kernels.compiled import jit
from t4dm.kernels.lif import lif_step
from t4dm.kernels.plasticity_rows import (
    after_payment,
    after_visits,
    note_leaving,
    overdue,
    plastic_ids,
    take_in_post,
)
from t4dm.kernels.population_eligibility import settle_eligible, visit_eligible
from t4dm.kernels.products import add_rows

STATIC, SUMS, REPLAY, ELIGIBILITY = range(4)
BELOW = -1e30


class Cells(NamedTuple):
    """Neurons and their spikes."""

    u: np.ndarray  # (N,) membrane after the reset
    current: np.ndarray  # (N,) recurrent sum for the coming step
    ring: np.ndarray  # (S, N) u2 ids of the spikes of step t in row t % S
    ring_n: np.ndarray  # (S,) i4
    counts: np.ndarray  # (2,) i8 membranes clamped so far, and those that were NaN or Inf


class Synapses(NamedTuple):
    """Weights in one of two forms; the other one is empty."""

    w: np.ndarray  # (N, N) pre-major
    ptr: np.ndarray  # (N + 1,) i8 first synapse of each row
    tgt: np.ndarray  # (synapses,) u2
    val: np.ndarray  # (synapses,)


class Scratch(NamedTuple):
    u_pre: np.ndarray  # (N,)
    due: np.ndarray  # (4, N)
    overdue: np.ndarray  # (N,) i8


class Law(NamedTuple):
    """Parameters as the kernels take them."""

    lif: np.ndarray  # (5,) real: alpha, threshold, beta, u_max, gain
    powers_plus: np.ndarray  # exp(-k/tau_plus)
    powers_minus: np.ndarray
    bounds: (
        np.ndarray
    )  # (4,) real: w_max, mu, A+ and A- (with learning rate and dopamine if modulated)
    plan: (
        np.ndarray
    )  # (9,) i8: path, E, pre and post window, does pre, post cut, nearest, span, autapses


@jit(counted=False)
def advance(step0, n, cells, syn, rows, law, inputs, first, scratch, out, third):  # type: ignore[no-untyped-def]  # fmt: skip
    """Steps step0..step0+n-1 with the rows first, first+1, ... of ``inputs`` (T, N), in turn.

    ``out`` (n, N) bool becomes true where a neuron fired; (0, N) keeps nothing.  Returns the spikes.
    ``third`` is None but for three factors, for which this is compiled apart: the other paths keep
    the loops that the compiler makes of them.
    """
    current, u, size = cells.current, cells.u, cells.ring.shape[0]
    alpha, theta, beta, u_max, gain = law.lif
    total, dense = 0, syn.w.shape[0] > 0
    for k in range(n):
        t, row = step0 + k, (first + k) % inputs.shape[0]
        for i in range(current.shape[0]):
            current[i] = inputs[row, i] + gain * current[i]
        ids = cells.ring[t % size]
        fired, clamped, strange = lif_step(
            current, u, alpha, theta, beta, u_max, scratch.u_pre, ids
        )  # fmt: skip
        cells.ring_n[t % size] = fired
        cells.counts[0] += clamped
        cells.counts[1] += strange
        for i in range(current.shape[0]):
            current[i] = gain - gain
        for m in range(min(fired, out.shape[0] * fired)):
            out[k, ids[m]] = True
        plastic = 0
        if law.plan[0] != STATIC:
            plastic = plastic_ids(ids, fired, law.plan[1])
            learn(t, cells, syn, rows, law, ids, fired, plastic, scratch, third)
        if dense:
            add_rows(syn.w, ids[plastic:], fired - plastic, current)
        else:
            add_sparse(syn.ptr, syn.tgt, syn.val, ids[plastic:], fired - plastic, current)
        total += fired
    return total


@jit(counted=False)
def add_sparse(ptr, tgt, val, ids, n, out):  # type: ignore[no-untyped-def]
    """out += the sum of the sparse rows ``ids[:n]``."""
    for k in range(n):
        i = ids[k]
        for e in range(ptr[i], ptr[i + 1]):
            out[tgt[e]] += val[e]


@jit(counted=False)
def learn(t, cells, syn, rows, law, ids, fired, plastic, scratch, third):  # type: ignore[no-untyped-def]
    """STDP of step t; the rows that fired are added to ``cells.current`` on the way."""
    window, window_post = law.plan[2], law.plan[3]
    cut, cut_post, nearest = law.plan[4] != 0, law.plan[5] != 0, law.plan[6] != 0
    powers, size = law.powers_plus, cells.ring.shape[0]
    leave = powers[window]
    summed = law.plan[0] == SUMS
    rows.amounts[t % rows.amounts.shape[0]] = law.bounds[2]
    if summed:
        by_sums.collect(t, law.plan[7], rows.sums, powers, ids, fired, law.bounds[2])
    if third is None:
        visit_fired(t, cells, syn, rows, law, ids, plastic, scratch.due)
    else:
        third.rates[t % third.rates.shape[0]] = third.rate[0]
        for k in range(plastic):
            i = np.int64(ids[k])
            visit_eligible(t, i, cells, syn, rows, law, ids, fired, scratch.due, third)
    after_visits(t, rows, ids, plastic, powers, leave, cut, nearest)
    past = (t - window_post) % size
    gone = cells.ring_n[past] if cut_post and t >= window_post else 0
    take_in_post(
        t, rows.y, rows.last, ids, fired, cells.ring[past], gone, window_post,
        law.powers_minus[1], law.powers_minus[window_post + 1], nearest,
    )  # fmt: skip
    if cut and t >= window:
        past = (t - window) % size
        leaving = plastic_ids(cells.ring[past], cells.ring_n[past], law.plan[1])
        note_leaving(t, rows, cells.ring[past], leaving, window, leave, nearest)
    for k in range(overdue(t, rows, law.plan[1], scratch.overdue)):
        i = scratch.overdue[k]
        if third is None:
            settle_row(t, i, cells, syn, rows, law, scratch.due)
            after_payment(t, i, rows, powers, leave, cut)
        else:
            settle_eligible(t, i, cells, syn, rows, law, scratch.due, third)
    if summed:
        by_sums.keep_copy(t, law.plan[7], rows.sums, rows.copies)


@jit(counted=False)
def visit_fired(t, cells, syn, rows, law, ids, n, due):  # type: ignore[no-untyped-def]
    """Pay, depress and pass on the rows ``ids[:n]``."""
    w, y, out = syn.w, rows.y, cells.current
    w_max, fall, span = law.bounds[0], law.bounds[3], law.plan[7]
    powers, leave = law.powers_plus, law.powers_plus[law.plan[2]]
    x, born, leaves, n_leaves = rows.x, rows.born, rows.leaves, rows.n_leaves
    sums, copies = rows.sums, rows.copies
    k = 0
    if law.plan[0] == SUMS and w.shape[0] > 0:
        if law.plan[8] == 0:
            for m in range(n):
                w[ids[m], ids[m]] = BELOW
        while k + 4 <= n:
            a, b = np.int64(ids[k]), np.int64(ids[k + 1])
            c, d = np.int64(ids[k + 2]), np.int64(ids[k + 3])
            k += 4
            if law.plan[4] == 0:
                by_sums.visit_four_whole(
                    w, a, b, c, d, span, x, born, sums, copies, powers, y, fall, w_max, out
                )
                continue
            for m, i in enumerate((a, b, c, d)):
                by_sums.owed(
                    i, span, x, born, leaves, n_leaves, sums, copies, powers,
                    leave, due, m,
                )  # fmt: skip
            by_sums.visit_four(w, a, b, c, d, due, y, fall, w_max, out)
    while k < n:
        visit_row(t, np.int64(ids[k]), cells, syn, rows, law, due)
        k += 1


@jit(counted=False)
def visit_row(t, i, cells, syn, rows, law, due):  # type: ignore[no-untyped-def]
    """Pay row i, depress it and add it to the current of the coming step."""
    w, y, out = syn.w, rows.y, cells.current
    w_max, mu, fall, span = law.bounds[0], law.bounds[1], law.bounds[3], law.plan[7]
    powers, leave = law.powers_plus, law.powers_plus[law.plan[2]]
    dense = w.shape[0] > 0
    if law.plan[0] == SUMS:
        by_sums.owed(
            i, span, rows.x, rows.born, rows.leaves, rows.n_leaves, rows.sums, rows.copies,
            powers, leave, due, 0,
        )  # fmt: skip
        if dense:
            by_sums.visit(w, i, due, 0, y, fall, w_max, out)
        else:
            first, last = syn.ptr[i], syn.ptr[i + 1]
            by_sums.visit_sparse(syn.val, syn.tgt, first, last, due, 0, y, fall, w_max, out)
        return
    if dense:
        kept = w[i, i]
        by_replay.replay(
            t, w, i, i, rows, cells.ring, cells.ring_n, powers[1], leave, w_max, mu
        )  # fmt: skip
        if law.plan[8] == 0:
            w[i, i] = kept - kept
        by_replay.depress(w, i, y, fall, w_max, mu, out)
        return
    spread(syn, i, due)
    by_replay.replay(t, due, 0, i, rows, cells.ring, cells.ring_n, powers[1], leave, w_max, mu)
    by_replay.depress(due, 0, y, fall, w_max, mu, due[1])
    for e in range(syn.ptr[i], syn.ptr[i + 1]):
        syn.val[e] = due[0, syn.tgt[e]]
        out[syn.tgt[e]] += syn.val[e]


@jit(counted=False)
def settle_row(t, i, cells, syn, rows, law, due):  # type: ignore[no-untyped-def]
    """Pay row i what it is owed up to the end of step t."""
    w, w_max = syn.w, law.bounds[0]
    powers, leave = law.powers_plus, law.powers_plus[law.plan[2]]
    dense = w.shape[0] > 0
    if law.plan[0] == SUMS:
        by_sums.owed(
            i, law.plan[7], rows.x, rows.born, rows.leaves, rows.n_leaves, rows.sums, rows.copies,
            powers, leave, due, 0,
        )  # fmt: skip
        if dense:
            by_sums.pay(w, i, due, 0, w_max)
        else:
            by_sums.pay_sparse(syn.val, syn.tgt, syn.ptr[i], syn.ptr[i + 1], due, 0, w_max)
    elif dense:
        by_replay.replay(
            t, w, i, i, rows, cells.ring, cells.ring_n, powers[1], leave, w_max, law.bounds[1]
        )  # fmt: skip
    else:
        spread(syn, i, due)
        by_replay.replay(
            t, due, 0, i, rows, cells.ring, cells.ring_n, powers[1], leave, w_max, law.bounds[1]
        )  # fmt: skip
        for e in range(syn.ptr[i], syn.ptr[i + 1]):
            syn.val[e] = due[0, syn.tgt[e]]
    if dense and law.plan[8] == 0:
        w[i, i] = w_max - w_max


@jit(counted=False)
def spread(syn, i, due):  # type: ignore[no-untyped-def]
    """due[0] = row i of a sparse matrix, 0 where there is no synapse; due[1] = 0."""
    for j in range(due.shape[1]):
        due[0, j] = 0
        due[1, j] = 0
    for e in range(syn.ptr[i], syn.ptr[i + 1]):
        due[0, syn.tgt[e]] = syn.val[e]


@jit(counted=False)
def settle(t, cells, syn, rows, law, due, third):  # type: ignore[no-untyped-def]
    """Pay every row up to the end of step t - 1: the weights are then the true ones."""
    if law.plan[0] == STATIC:
        return
    for i in range(law.plan[1]):
        if rows.born[i] < 0 or rows.born[i] >= t - 1:
            continue
        if third is None:
            settle_row(t - 1, i, cells, syn, rows, law, due)
            after_payment(
                t - 1, i, rows, law.powers_plus, law.powers_plus[law.plan[2]], law.plan[4] != 0
            )
        else:
            settle_eligible(t - 1, i, cells, syn, rows, law, due, third)
