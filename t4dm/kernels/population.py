"""A recurrent population with plastic weights: every step in one compiled loop, driven by spikes.

    current = input + gain * sum of the rows of W whose neurons fired in the step before
then the LIF rule (docs/equations.md, section 3) and STDP (section 4).  A row that fires is paid, depressed
and added to the next step's current in one pass.
"""

# letters as in plasticity_rows; T rows of input; ``real`` is float32 or float64

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from t4dm.kernels import plasticity_eligibility as by_eligibility
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
    """Weights in one of two forms; the other one is empty, and so is eligibility that no path needs."""

    w: np.ndarray  # (N, N) pre-major
    ptr: np.ndarray  # (N + 1,) i8 first synapse of each row
    tgt: np.ndarray  # (synapses,) u2
    val: np.ndarray  # (synapses,)
    e: np.ndarray  # (N, N) eligibility
    e_val: np.ndarray  # (synapses,)


class Scratch(NamedTuple):
    u_pre: np.ndarray  # (N,)
    due: np.ndarray  # (4, N)
    overdue: np.ndarray  # (N,) i8
    when: np.ndarray  # (N,) i8
    ahead: np.ndarray  # (R + 1,) f8
    rise: np.ndarray  # (N,)


class Law(NamedTuple):
    """Parameters as the kernels take them."""

    lif: np.ndarray  # (5,) real: alpha, threshold, beta, u_max, gain
    powers_plus: np.ndarray  # exp(-k/tau_plus)
    powers_minus: np.ndarray
    bounds: (
        np.ndarray
    )  # (4,) real: w_max, mu, A+ and A-; with learning rate and dopamine if modulated
    rate: np.ndarray  # (1,) f8: learning rate * (DA - 0.5), for eligibility
    powers_e: np.ndarray  # f8 exp(-k/tau_e)
    plan: (
        np.ndarray
    )  # (9,) i8: path, E, pre and post window, does pre, post cut, nearest, span, autapses


@jit(counted=False)
def advance(step0, n, cells, syn, rows, law, inputs, first, scratch, out):  # type: ignore[no-untyped-def]
    """Steps step0..step0+n-1 with the rows first, first+1, ... of ``inputs`` (T, N), in turn.

    ``out`` (n, N) bool becomes true where a neuron fired; (0, N) keeps nothing.  Returns the spikes.
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
            learn(t, cells, syn, rows, law, ids, fired, plastic, scratch)
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
def learn(t, cells, syn, rows, law, ids, fired, plastic, scratch):  # type: ignore[no-untyped-def]
    """STDP of step t; the rows that fired are added to ``cells.current`` on the way."""
    window, window_post = law.plan[2], law.plan[3]
    cut, cut_post, nearest = law.plan[4] != 0, law.plan[5] != 0, law.plan[6] != 0
    powers, size = law.powers_plus, cells.ring.shape[0]
    leave = powers[window]
    summed = law.plan[0] == SUMS
    rows.amounts[t % rows.amounts.shape[0]] = law.bounds[2]
    rows.rates[t % rows.rates.shape[0]] = law.rate[0]
    if summed:
        by_sums.collect(t, law.plan[7], rows.sums, powers, ids, fired, law.bounds[2])
    visit_fired(t, cells, syn, rows, law, ids, fired, plastic, scratch)
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
        settle_row(t, i, cells, syn, rows, law, scratch)
        after_payment(t, i, rows, powers, leave, cut, is_eligible(i, syn, law))
    if summed:
        by_sums.keep_copy(t, law.plan[7], rows.sums, rows.copies)


@jit(counted=False)
def visit_fired(t, cells, syn, rows, law, ids, fired, n, scratch):  # type: ignore[no-untyped-def]
    """Pay, depress and pass on the rows ``ids[:n]`` of the ``ids[:fired]`` that fired."""
    w, y, out, due = syn.w, rows.y, cells.current, scratch.due
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
        if law.plan[0] == ELIGIBILITY:
            visit_eligible(t, np.int64(ids[k]), cells, syn, rows, law, ids, fired, scratch)
        else:
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
    spread(syn.ptr, syn.tgt, syn.val, i, due, 0)
    by_replay.replay(t, due, 0, i, rows, cells.ring, cells.ring_n, powers[1], leave, w_max, mu)
    by_replay.depress(due, 0, y, fall, w_max, mu, due[1])
    gather(syn.ptr, syn.tgt, syn.val, i, due, 0)
    for k in range(syn.ptr[i], syn.ptr[i + 1]):
        out[syn.tgt[k]] += syn.val[k]


@jit(counted=False)
def visit_eligible(t, i, cells, syn, rows, law, ids, fired, scratch):  # type: ignore[no-untyped-def]  # fmt: skip
    """:func:`visit_row` with eligibility; ``ids[:fired]`` fired in step t."""
    due, mu, w_max = scratch.due, law.bounds[1], law.bounds[0]
    x = replay_eligible(t - 1, i, cells, syn, rows, law, scratch) * law.powers_plus[1]
    if syn.w.shape[0] > 0:
        by_eligibility.fire(
            t, syn.w, syn.e, i, i if law.plan[8] == 0 else -1, x, rows, ids, fired,
            law.bounds[2], law.bounds[3], w_max, mu, law.powers_e, scratch.rise, cells.current,
        )  # fmt: skip
        return
    spread(syn.ptr, syn.tgt, syn.val, i, due, 0)
    spread(syn.ptr, syn.tgt, syn.e_val, i, due, 2)
    by_eligibility.fire(
        t, due[:1], due[2:3], 0, -1, x, rows, ids, fired,
        law.bounds[2], law.bounds[3], w_max, mu, law.powers_e, scratch.rise, due[1],
    )  # fmt: skip
    gather(syn.ptr, syn.tgt, syn.val, i, due, 0)
    gather(syn.ptr, syn.tgt, syn.e_val, i, due, 2)
    for k in range(syn.ptr[i], syn.ptr[i + 1]):
        cells.current[syn.tgt[k]] += syn.val[k]


@jit(counted=False)
def replay_eligible(t, i, cells, syn, rows, law, scratch):  # type: ignore[no-untyped-def]
    """Weights and eligibility of row i up to the end of step t; returns its pre trace then."""
    due, leave = scratch.due, law.powers_plus[law.plan[2]]
    if syn.w.shape[0] > 0:
        x = by_eligibility.replay(
            t, syn.w, syn.e, i, i, rows, cells.ring, cells.ring_n, law.powers_plus[1], leave,
            law.bounds[2], law.bounds[0], law.bounds[1], law.powers_e, scratch.ahead, scratch.when,
        )  # fmt: skip
        if law.plan[8] == 0:
            syn.w[i, i] = x - x
        return x
    spread(syn.ptr, syn.tgt, syn.val, i, due, 0)
    spread(syn.ptr, syn.tgt, syn.e_val, i, due, 2)
    x = by_eligibility.replay(
        t, due[:1], due[2:3], 0, i, rows, cells.ring, cells.ring_n, law.powers_plus[1], leave,
        law.bounds[2], law.bounds[0], law.bounds[1], law.powers_e, scratch.ahead, scratch.when,
    )  # fmt: skip
    gather(syn.ptr, syn.tgt, syn.val, i, due, 0)
    gather(syn.ptr, syn.tgt, syn.e_val, i, due, 2)
    return x


@jit(counted=False)
def is_eligible(i, syn, law):  # type: ignore[no-untyped-def]
    """Whether row i has an eligibility that still counts."""
    if law.plan[0] != ELIGIBILITY:
        return False
    if syn.w.shape[0] > 0:
        return not by_eligibility.is_lost(syn.e[i])
    return not by_eligibility.is_lost(syn.e_val[syn.ptr[i] : syn.ptr[i + 1]])


@jit(counted=False)
def settle_row(t, i, cells, syn, rows, law, scratch):  # type: ignore[no-untyped-def]
    """Pay row i what it is owed up to the end of step t."""
    if law.plan[0] == ELIGIBILITY:
        replay_eligible(t, i, cells, syn, rows, law, scratch)
        return
    w, w_max, due = syn.w, law.bounds[0], scratch.due
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
        spread(syn.ptr, syn.tgt, syn.val, i, due, 0)
        by_replay.replay(
            t, due, 0, i, rows, cells.ring, cells.ring_n, powers[1], leave, w_max, law.bounds[1]
        )  # fmt: skip
        gather(syn.ptr, syn.tgt, syn.val, i, due, 0)
    if dense and law.plan[8] == 0:
        w[i, i] = w_max - w_max


@jit(counted=False)
def spread(ptr, tgt, val, i, due, at):  # type: ignore[no-untyped-def]
    """due[at] = row i of a sparse matrix, 0 where there is no synapse; due[1] = 0."""
    due[at].fill(0)
    due[1].fill(0)
    for k in range(ptr[i], ptr[i + 1]):
        due[at, tgt[k]] = val[k]


@jit(counted=False)
def gather(ptr, tgt, val, i, due, at):  # type: ignore[no-untyped-def]
    """Row i of a sparse matrix takes its values from due[at]."""
    for k in range(ptr[i], ptr[i + 1]):
        val[k] = due[at, tgt[k]]


@jit(counted=False)
def settle(t, cells, syn, rows, law, scratch):  # type: ignore[no-untyped-def]
    """Pay every row up to the end of step t - 1: the weights are then the true ones."""
    if law.plan[0] == STATIC:
        return
    for i in range(law.plan[1]):
        if rows.born[i] >= 0 and rows.born[i] < t - 1:
            settle_row(t - 1, i, cells, syn, rows, law, scratch)
            after_payment(
                t - 1, i, rows, law.powers_plus, law.powers_plus[law.plan[2]], law.plan[4] != 0,
                is_eligible(i, syn, law),
            )  # fmt: skip
