"""Three factors: what a row and its eligibility are owed, replayed event by event.

    e(t) = keep * e(t-1) + pair terms of step t;   w(t) = clip(w(t-1) + r(t) * e(t), 0, w_max)
with r(t) = learning rate * (DA(t) - 0.5), 0 where learning is gated off (docs/equations.md, section 4).
Between two events of a synapse its e only decays, so that w moves by e(a) * S(a, b) from step a to b,
    S(a, b) = sum over a < s <= b of r(s) * keep^(s-a) = A(a) - keep^(b-a) * A(b),   A(a) = S(a, now)
and A follows from the steps backwards.  While r keeps its sign w moves one way only, and clipping once
equals clipping at every step; where r changes sign, every column is brought to that step first.
"""

# letters and ``rows`` as in plasticity_rows; ring, ring_n as in plasticity_replay; rows w[at], e[at] hold
# weights and eligibility of row i; ahead (R + 1,) f8, when (N,) i8 and rise (N,) are scratch;
# powers_e[k] = keep^k, f8

from __future__ import annotations

import numpy as np

from t4dm.kernels.compiled import jit
from t4dm.kernels.plasticity_replay import share_of
from t4dm.kernels.plasticity_rows import without

LOST = 1e-30
"""An eligibility below this moves a weight by less than 1e-24 before it is gone.  At a bound that is
not too little: the slope of (1 - w/w_max)^mu and (w/w_max)^mu has no limit there for mu < 1."""


@jit(counted=False)
def _look_ahead(t, born, rates, powers_e, ahead):  # type: ignore[no-untyped-def]
    """ahead[k] = S(born + k, t)."""
    keep, last = rates.shape[0], t - born
    ahead[last] = 0.0
    for k in range(last - 1, -1, -1):
        ahead[k] = powers_e[1] * (rates[(born + k + 1) % keep] + ahead[k + 1])


@jit(counted=False)
def _carry(w, e, at, j, a, b, born, ahead, powers_e, w_max):  # type: ignore[no-untyped-def]
    """Column j from the end of step a to the end of step b, without a pair in between."""
    decay = powers_e[b - a]
    v = w[at, j] + w.dtype.type(e[at, j] * (ahead[a - born] - decay * ahead[b - born]))
    v = w_max if v > w_max else v
    w[at, j] = v if v > w_max - w_max else w_max - w_max
    e[at, j] *= w.dtype.type(decay)


@jit(counted=False)
def replay(  # type: ignore[no-untyped-def]
    t, w, e, at, i, rows, ring, ring_n, decay, leave, plus, w_max, mu, rates, powers_e, ahead, when
):
    """Row i takes what it is owed up to the end of step t; returns its pre trace then."""
    one = w.dtype.type(1)
    zero, per = one - one, one / w_max
    keep, size = rates.shape[0], ring.shape[0]
    born, x, left = rows.born[i], rows.x[i], 0
    if born < 0:
        return zero
    _look_ahead(t, born, rates, powers_e, ahead)
    when.fill(born)
    sign = 0.0
    for s in range(born + 1, t + 1):
        r = rates[s % keep]
        if r * sign < 0:
            for j in range(w.shape[1]):
                _carry(w, e, at, j, when[j], s - 1, born, ahead, powers_e, w_max)
            when.fill(s - 1)
        sign = sign if r == 0 else r
        x *= decay
        if x > zero:
            past = s % size
            for k in range(ring_n[past]):
                j = ring[past, k]
                _carry(w, e, at, j, when[j], s - 1, born, ahead, powers_e, w_max)
                when[j] = s
                due = e[at, j] * w.dtype.type(powers_e[1])
                due += plus * x * (one if mu == zero else share_of((w_max - w[at, j]) * per, mu))
                v = w[at, j] + w.dtype.type(r) * due
                v = w_max if v > w_max else v
                w[at, j], e[at, j] = v if v > zero else zero, due
        if left < rows.n_leaves[i] and np.int64(rows.leaves[i, left]) == s - born:
            x = without(x, leave)
            left += 1
    for j in range(w.shape[1]):
        _carry(w, e, at, j, when[j], t, born, ahead, powers_e, w_max)
    return x


@jit(counted=False)
def fire(  # type: ignore[no-untyped-def]
    t, w, e, at, own, x, y, ids, n, plus, minus, w_max, mu, rates, powers_e, rise, out
):
    """Step t, in which row ``at`` fires with the pre trace x; ``ids[:n]`` fired, ``own`` stays 0.

    Both pair terms see the weights before the step.  The row is then added to ``out``.
    """
    one = w.dtype.type(1)
    zero, per = one - one, one / w_max
    decay, r = w.dtype.type(powers_e[1]), w.dtype.type(rates[t % rates.shape[0]])
    rise.fill(zero)
    if x > zero:
        for k in range(n):
            j = ids[k]
            rise[j] = plus * x * (one if mu == zero else share_of((w_max - w[at, j]) * per, mu))
    for j in range(w.shape[1]):
        fall = y[j] if mu == zero or y[j] == zero else y[j] * share_of(w[at, j] * per, mu)
        e[at, j] = e[at, j] * decay + (rise[j] - minus * fall)
    if own >= 0:
        e[at, own] = w[at, own] = zero
    for j in range(w.shape[1]):
        v = w[at, j] + r * e[at, j]
        v = w_max if v > w_max else v
        v = zero if v < zero else v
        w[at, j] = v
        out[j] += v


@jit(counted=False)
def is_lost(e_row):  # type: ignore[no-untyped-def]
    """Whether no eligibility of a row counts any more; all of them are then 0."""
    for j in range(e_row.shape[0]):
        if abs(e_row[j]) >= LOST:
            return False
    e_row.fill(0)
    return True
