"""When the rows of a plastic matrix are visited, and the traces that are kept meanwhile.

A row of W is read and written when its presynaptic neuron fires, and when it has waited R steps: cost
grows with spikes.  Between two visits it is only potentiated, so clipping once at the visit equals
clipping at every step.  What it is owed is found by ``plasticity_sums`` (mu = 0) or ``plasticity_replay``.
Everything depends on absolute steps only, never on how they are cut into chunks
(docs/equations.md, section 4).
"""

# N neurons, E of them excitatory (rows < E are plastic)  R steps a row may wait  P running sums
# x (N,) pre trace as of the end of step born[i]; y (N,) post trace before the coming step
# ids (N,) u2: those that fired in a step, ascending; leaving: those that fired a whole window before
# powers[k] = exp(-k/tau); leave = powers[window]

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from t4dm.kernels.compiled import jit

IDLE = -1
LONG_AGO = -(1 << 40)
FADED = 1e-30


class Rows(NamedTuple):
    """What the rows of one plastic matrix are owed."""

    x: np.ndarray  # (N,)
    y: np.ndarray  # (N,)
    born: np.ndarray  # (N,) i8 step of a row's last visit, IDLE where nothing is owed
    held: np.ndarray  # (N,) i8 spikes that count in x, where the pre window cuts
    last: np.ndarray  # (N,) i8 step of the newest spike
    leaves: np.ndarray  # (N, R) u2 steps after born at which a spike left the pre window
    n_leaves: np.ndarray  # (N,) i8
    waiting: np.ndarray  # (R,) i8 rows by born % R
    sums: np.ndarray  # (P, N), see plasticity_sums
    copies: np.ndarray  # (R, N), see plasticity_sums
    amounts: np.ndarray  # (R,) A+ of each of the last R steps


def empty_rows(n: int, keep: int, span: int, real: np.dtype) -> Rows:
    """No spike seen yet; ``keep`` = R is a multiple of ``span``."""
    return Rows(
        x=np.zeros(n, real),
        y=np.zeros(n, real),
        born=np.full(n, IDLE, np.int64),
        held=np.zeros(n, np.int64),
        last=np.full(n, LONG_AGO, np.int64),
        leaves=np.zeros((n, keep), np.uint16),
        n_leaves=np.zeros(n, np.int64),
        waiting=np.zeros(keep, np.int64),
        sums=np.zeros((keep // span + 1, n), real),
        copies=np.zeros((keep, n), real),
        amounts=np.zeros(keep, real),
    )


@jit(counted=False)
def without(trace, leave):  # type: ignore[no-untyped-def]
    """A trace less the share of a spike that left its window: 0 where rounding would go below.

    A trace below 0 would turn depression into potentiation, past the bound of a weight.
    """
    rest = trace - leave
    return rest if rest > rest - rest else rest - rest


@jit(counted=False)
def plastic_ids(ids, n, n_exc):  # type: ignore[no-untyped-def]
    """How many of the ascending ``ids[:n]`` are below ``n_exc``."""
    while n > 0 and ids[n - 1] >= n_exc:
        n -= 1
    return n


@jit(counted=False)
def trace_now(t, i, x, born, held, leaves, n_leaves, powers, leave, cut):  # type: ignore[no-untyped-def]  # fmt: skip
    """The pre trace of row i as of the end of step t, without a spike in it."""
    now, start = x[i], born[i]
    if start == IDLE or (cut and held[i] == 0):
        return now - now
    now *= powers[t - start]
    for k in range(n_leaves[i]):
        now = without(now, leave * powers[t - start - np.int64(leaves[i, k])])
    return now


@jit(counted=False)
def after_visits(t, rows, ids, n, powers, leave, cut, nearest):  # type: ignore[no-untyped-def]
    """Rows ``ids[:n]`` fired in step t and were visited: their traces take the spike in."""
    x, born, held, waiting = rows.x, rows.born, rows.held, rows.waiting
    leaves, n_leaves = rows.leaves, rows.n_leaves
    keep = waiting.shape[0]
    one = x.dtype.type(1)
    waiting[t % keep] += n
    for k in range(n):
        i = np.int64(ids[k])
        now = trace_now(t, i, x, born, held, leaves, n_leaves, powers, leave, cut)
        if born[i] != IDLE:
            waiting[born[i] % keep] -= 1
        x[i] = one if nearest else now + one
        held[i] = 1 if nearest else held[i] + 1
        born[i] = t
        n_leaves[i] = 0


@jit(counted=False)
def note_leaving(t, rows, leaving, n, window, leave, nearest):  # type: ignore[no-untyped-def]
    """The pre spikes of step t - window count up to step t and no longer."""
    keep = rows.waiting.shape[0]
    for k in range(n):
        i = leaving[k]
        if nearest and rows.last[i] != t - window:
            continue
        rows.held[i] -= 1
        if rows.born[i] == t:
            rows.x[i] = without(rows.x[i], leave)
            if rows.held[i] == 0:
                rows.x[i] = leave - leave
                rows.born[i] = IDLE
                rows.waiting[t % keep] -= 1
        else:
            rows.leaves[i, rows.n_leaves[i]] = t - rows.born[i]
            rows.n_leaves[i] += 1


@jit(counted=False)
def overdue(t, rows, n_exc, out):  # type: ignore[no-untyped-def]
    """Fills ``out`` with the rows that have waited R steps; returns how many."""
    keep = rows.waiting.shape[0]
    n = 0
    if t >= keep and rows.waiting[t % keep] > 0:
        for i in range(n_exc):
            if rows.born[i] == t - keep:
                out[n] = i
                n += 1
    return n


@jit(counted=False)
def after_payment(t, i, rows, powers, leave, cut):  # type: ignore[no-untyped-def]
    """Row i was paid up to the end of step t without a spike of its neuron."""
    keep = rows.waiting.shape[0]
    x = trace_now(
        t, i, rows.x, rows.born, rows.held, rows.leaves, rows.n_leaves, powers, leave, cut
    )
    rows.waiting[rows.born[i] % keep] -= 1
    rows.n_leaves[i] = 0
    if abs(x) < FADED:
        rows.x[i] = x - x
        rows.born[i] = IDLE
    else:
        rows.x[i] = x
        rows.born[i] = t
        rows.waiting[t % keep] += 1


@jit(counted=False)
def take_in_post(t, y, last, ids, n, leaving, n_leaving, window, decay, leave, nearest):  # type: ignore[no-untyped-def]  # fmt: skip
    """``y`` takes in the spikes of step t and decays by one step; cut ones are taken out.

    ``leave`` = exp(-(window+1)/tau_minus).
    """
    one = y.dtype.type(1)
    for k in range(n):
        i = ids[k]
        last[i] = t
        y[i] = one if nearest else y[i] + one
    for j in range(y.shape[0]):
        y[j] *= decay
    for k in range(n_leaving):
        i = leaving[k]
        if not nearest:
            y[i] = without(y[i], leave)
        elif last[i] == t - window:
            y[i] = one - one
