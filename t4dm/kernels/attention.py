"""Spike attention of one block, one step (docs/equations.md, section 3).

Torch twin: ``t4dm.spiking.spike_attention.SpikeAttention.step``.  Query and key projections are sums of
the rows of neurons that fired; the last WINDOW keys lie in a ring with the window as the last axis, so
that a score is made for the whole window at once.
"""

# D channels  H heads  C = D/H channels of a head  WINDOW keys; slot of step t is t % WINDOW
# keys (H, 2C, WINDOW): Kbar(t') over K(t')   values (H, WINDOW, C): s(t')

from __future__ import annotations

import math

from t4dm.kernels.compiled import jit
from t4dm.kernels.exponential import exp
from t4dm.kernels.products import add_rows

WINDOW = 64


@jit()
def attend(  # type: ignore[no-untyped-def]
    t,
    w_q,
    w_k,
    p_bar,
    k_bar,
    keys,
    values,
    ids,
    n,
    lam,
    kappa,
    sharpness,
    p,
    k,
    scores,
    out,
    told,
    each,
):
    """Mixed spikes ``out`` (D,) of step t, at which ``ids[:n]`` fired; moves traces and ring.

    ``p``, ``k`` (D,) and ``scores`` (WINDOW,) are scratch.  ``told`` (WINDOW + 1,) gets the weights
    summed over the heads, slot by slot, then the sum of each head's largest; ``each`` (H, WINDOW)
    the weights of every head; of length 0, they are not asked for.
    """
    n_heads, width = keys.shape[0], keys.shape[1] // 2
    zero = out.dtype.type(0)
    p.fill(zero)
    k.fill(zero)
    add_rows(w_q, ids, n, p)
    add_rows(w_k, ids, n, k)
    scale = out.dtype.type(sharpness / math.sqrt(width))
    seen = min(t + 1, WINDOW)
    for h in range(n_heads):
        values[h, t % WINDOW].fill(zero)
    for m in range(n):
        values[ids[m] // width, t % WINDOW, ids[m] % width] = out.dtype.type(1)
    for h in range(n_heads):
        lo, hi = h * width, (h + 1) * width
        _remember(keys[h], t % WINDOW, k_bar[lo:hi], k[lo:hi])
        _score(keys[h], p[lo:hi], p_bar[lo:hi], -kappa, scores)
        _softmax(scores, scale, seen)
        if told.shape[0] > 0:
            largest = zero
            for s in range(seen):
                told[s] += scores[s]
                largest = max(largest, scores[s])
            told[WINDOW] += largest
        if each.shape[0] > 0:
            for s in range(seen):
                each[h, s] = scores[s]
        _mix(seen, values[h], scores, out[lo:hi])
    for c in range(p.shape[0]):
        p_bar[c] = lam * p_bar[c] + p[c]
        k_bar[c] = lam * k_bar[c] + k[c]


@jit()
def _remember(head, slot, k_bar, k):  # type: ignore[no-untyped-def]
    width = k.shape[0]
    for c in range(width):
        head[c, slot] = k_bar[c]
        head[width + c, slot] = k[c]


@jit()
def _score(head, p, p_bar, late, scores):  # type: ignore[no-untyped-def]
    """scores = p . Kbar + late * p_bar . K for every slot of the window."""
    width = p.shape[0]
    scores.fill(0)
    for c in range(0, width, 2):
        p0, p1 = p[c], p[c + 1]
        q0, q1 = late * p_bar[c], late * p_bar[c + 1]
        b0, b1, k0, k1 = head[c], head[c + 1], head[width + c], head[width + c + 1]
        for s in range(WINDOW):
            scores[s] += p0 * b0[s] + p1 * b1[s] + q0 * k0[s] + q1 * k1[s]


@jit()
def _softmax(scores, scale, seen):  # type: ignore[no-untyped-def]
    """Weights of the first ``seen`` slots in place; before the window is full the rest are unused."""
    top = scores[0]
    for s in range(1, seen):
        top = scores[s] if scores[s] > top else top
    total = scores.dtype.type(0)
    for s in range(seen):
        scores[s] = exp(scale * (scores[s] - top))
    for s in range(seen):
        total += scores[s]
    for s in range(seen):
        scores[s] /= total


@jit()
def _mix(seen, values, scores, out):  # type: ignore[no-untyped-def]
    """out = attention-weighted sum of the spikes of one head; all of its channels (C,)."""
    out.fill(0)
    width = out.shape[0]
    s = 0
    while s + 4 <= seen:
        a0, a1, a2, a3 = scores[s], scores[s + 1], scores[s + 2], scores[s + 3]
        v0, v1, v2, v3 = values[s], values[s + 1], values[s + 2], values[s + 3]
        for c in range(width):
            out[c] += (a0 * v0[c] + a1 * v1[c]) + (a2 * v2[c] + a3 * v3[c])
        s += 4
    while s < seen:
        a0, v0 = scores[s], values[s]
        for c in range(width):
            out[c] += a0 * v0[c]
        s += 1
