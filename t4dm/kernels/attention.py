"""Spike attention of one block, one step (docs/equations.md, section 3).

Torch twin: ``t4dm.spiking.spike_attention.SpikeAttention.step``.  Query and key projections are sums of
the rows of neurons that fired; the last WINDOW keys lie in a ring with the window as the last axis, so
that a score is made for the whole window at once.
"""

# D channels  H heads  C = D/H channels of a head  WINDOW keys; slot of step t is t % WINDOW
# keys (H, 2C, WINDOW): Kbar(t') over K(t')   ring (S, N), ring_n (S,): spikes of step t at t % S

from __future__ import annotations

import math

from t4dm.kernels.compiled import jit
from t4dm.kernels.exponential import exp
from t4dm.kernels.products import add_rows

WINDOW = 64


@jit()
def attend(  # type: ignore[no-untyped-def]
    t, w_q, w_k, p_bar, k_bar, keys, ring, ring_n, lam, kappa, sharpness, p, k, scores, out
):
    """Mixed spikes ``out`` (D,) of step t, whose spikes are already in ``ring``; moves the traces.

    ``p``, ``k`` (D,) and ``scores`` (H, WINDOW) are scratch.
    """
    n_heads, width = keys.shape[0], keys.shape[1] // 2
    zero = out.dtype.type(0)
    ids, n = ring[t % ring.shape[0]], ring_n[t % ring.shape[0]]
    p[:] = zero
    k[:] = zero
    add_rows(w_q, ids, n, p)
    add_rows(w_k, ids, n, k)
    scale = out.dtype.type(sharpness / math.sqrt(width))
    seen = min(t + 1, WINDOW)
    for h in range(n_heads):
        lo, hi = h * width, (h + 1) * width
        _remember(keys[h], t % WINDOW, k_bar[lo:hi], k[lo:hi])
        _score(keys[h], p[lo:hi], p_bar[lo:hi], -kappa, scores[h])
        _softmax(scores[h], scale, seen)
    _mix(t, seen, ring, ring_n, width, scores, out)
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
    scores[:] = scores.dtype.type(0)
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
def _mix(t, seen, ring, ring_n, width, scores, out):  # type: ignore[no-untyped-def]
    """out = attention-weighted sum of the spikes of the last ``seen`` steps."""
    out[:] = out.dtype.type(0)
    for past in range(seen):
        row, slot = (t - past) % ring.shape[0], (t - past) % WINDOW
        for k in range(ring_n[row]):
            i = ring[row, k]
            out[i] += scores[i // width, slot]
