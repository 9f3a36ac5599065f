"""What a row is owed where the weight itself decides (mu > 0): its post spikes replayed in order.

At a visit the row lies in the nearest cache while every post spike since the last visit is applied to
its column: LTP = A+(t) x_i(t) (1 - w/w_max)^mu, bounded at w_max; then LTD = A-(t) y_j (w/w_max)^mu at the
pre spike (docs/equations.md, section 4; Guetig et al. 2003).
"""

# letters and ``rows`` as in plasticity_rows; ring (S, N) u2 ids and ring_n (S,) counts of the last S
# steps, S >= R; w (.., N): a row is addressed as w[i]

from __future__ import annotations

import math

import numpy as np

from t4dm.kernels.compiled import jit
from t4dm.kernels.plasticity_rows import without


@jit(counted=False)
def share_of(base, mu):  # type: ignore[no-untyped-def]
    """base^mu for base >= 0; 0 below."""
    zero = type(base)(0)
    base = base if base > zero else zero
    if mu == type(base)(1):
        return base
    return type(base)(math.sqrt(base)) if mu == type(base)(0.5) else base**mu


@jit(counted=False)
def replay(t, w, row, i, rows, ring, ring_n, decay, leave, w_max, mu):  # type: ignore[no-untyped-def]
    """Row i, lying in w[row], takes what it is owed up to the end of step t."""
    one = w.dtype.type(1)
    zero, per = one - one, one / w_max
    keep, size = rows.waiting.shape[0], ring.shape[0]
    born, x, left = rows.born[i], rows.x[i], 0
    if x == zero:
        return
    for s in range(born + 1, t + 1):
        x *= decay
        rise, past = rows.amounts[s % keep] * x, s % size
        if rise > zero:
            for k in range(ring_n[past]):
                j = ring[past, k]
                v = w[row, j]
                v += rise if mu == zero else rise * share_of((w_max - v) * per, mu)
                w[row, j] = w_max if v > w_max else v
        if left < rows.n_leaves[i] and np.int64(rows.leaves[i, left]) == s - born:
            x = without(x, leave)
            left += 1


@jit(counted=False)
def depress(w, row, y, fall, w_max, mu, out):  # type: ignore[no-untyped-def]
    """w[row] loses ``fall * y * (w/w_max)^mu``, down to 0, and is added to ``out``."""
    one = w.dtype.type(1)
    zero, per = one - one, one / w_max
    if mu == one:
        for j in range(w.shape[1]):
            w[row, j] -= fall * y[j] * (w[row, j] * per)
    elif mu == w.dtype.type(0.5):
        for j in range(w.shape[1]):
            w[row, j] -= fall * y[j] * math.sqrt(w[row, j] * per)
    else:
        for j in range(w.shape[1]):
            if y[j] != zero:
                w[row, j] -= fall * y[j] * share_of(w[row, j] * per, mu)
    for j in range(w.shape[1]):
        v = zero if w[row, j] < zero else w[row, j]
        w[row, j] = v
        out[j] += v
