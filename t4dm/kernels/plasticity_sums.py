"""What a row is owed for mu = 0: one subtraction a weight, whatever happened since its last visit.

    owed_ij = x_i(born) * B_j(born),   B_j(born) = sum over t > born of A+(t) s_j(t) exp(-(t-born)/tau+)
Every ``span`` steps a running sum P begins: P_j = sum over t of A+(t) s_j(t) exp(-(t-start)/tau+).  The newest
one is copied at every step, so that B_j(born) = (P_j(now) - P_j(born)) * exp((born-start)/tau+).
A pre spike that left a cut window in between is taken off in the same way, from the step it left.
"""

# letters and ``rows`` as in plasticity_rows; w (N, N) pre-major; val, tgt, ptr: its rows in CSR form

from __future__ import annotations

import numpy as np

from t4dm.kernels.compiled import jit


def span_for(tau: float) -> int:
    """Steps between two running sums: few enough that their differences keep their digits."""
    return max(span for span in (1, 2, 4, 8, 16) if span <= max(tau, 1.0))


@jit(counted=False)
def collect(t, span, sums, powers, ids, n, amount):  # type: ignore[no-untyped-def]
    """Every running sum takes in the post spikes of step t."""
    n_sums, block = sums.shape[0], t // span
    if t % span == 0:
        begun = block % n_sums
        for j in range(sums.shape[1]):
            sums[begun, j] = amount - amount
    for b in range(max(0, block - n_sums + 1), block + 1):
        row = b % n_sums
        share = amount * powers[t - b * span]
        for k in range(n):
            sums[row, ids[k]] += share


@jit(counted=False)
def keep_copy(t, span, sums, copies):  # type: ignore[no-untyped-def]
    """The newest running sum as it stands at the end of step t."""
    row, copy = (t // span) % sums.shape[0], t % copies.shape[0]
    for j in range(sums.shape[1]):
        copies[copy, j] = sums[row, j]


@jit(counted=False)
def owed(i, span, x, born, leaves, n_leaves, sums, copies, powers, leave, due, at):  # type: ignore[no-untyped-def]  # fmt: skip
    """due[at] (N,) = what row i is owed by now."""
    n_sums, keep = sums.shape[0], copies.shape[0]
    start = born[i]
    scale = x[i] / powers[start % span]
    p, c = (start // span) % n_sums, start % keep
    for j in range(sums.shape[1]):
        due[at, j] = scale * (sums[p, j] - copies[c, j])
    for k in range(n_leaves[i]):
        left = start + np.int64(leaves[i, k])
        if left == start + keep:  # in this very step, of which there is no copy yet: nothing since
            continue
        scale = leave / powers[left % span]
        p, c = (left // span) % n_sums, left % keep
        for j in range(sums.shape[1]):
            due[at, j] -= scale * (sums[p, j] - copies[c, j])


@jit(counted=False)
def pay(w, i, due, at, w_max):  # type: ignore[no-untyped-def]
    """Row i of w takes what it is owed, within its bounds."""
    zero = w_max - w_max
    for j in range(w.shape[1]):
        v = w[i, j] + due[at, j]
        v = w_max if v > w_max else v
        w[i, j] = zero if v < zero else v


@jit(counted=False)
def visit(w, i, due, at, y, fall, w_max, out):  # type: ignore[no-untyped-def]
    """Pay row i, depress it by ``fall * y``, and add it to ``out``: its neuron fires."""
    zero = w_max - w_max
    for j in range(w.shape[1]):
        v = w[i, j] + due[at, j]
        v = (w_max if v > w_max else v) - fall * y[j]
        v = zero if v < zero else v
        w[i, j] = v
        out[j] += v


@jit(counted=False)
def _keep_four(w, a, b, c, d, j, va, vb, vc, vd, less, w_max, out):  # type: ignore[no-untyped-def]
    """Column j of four paid rows: bounded, depressed by ``less``, stored and added to ``out``."""
    zero = w_max - w_max
    va = (w_max if va > w_max else va) - less
    vb = (w_max if vb > w_max else vb) - less
    vc = (w_max if vc > w_max else vc) - less
    vd = (w_max if vd > w_max else vd) - less
    va = zero if va < zero else va
    vb = zero if vb < zero else vb
    vc = zero if vc < zero else vc
    vd = zero if vd < zero else vd
    w[a, j] = va
    w[b, j] = vb
    w[c, j] = vc
    w[d, j] = vd
    out[j] += (va + vb) + (vc + vd)


@jit(counted=False)
def visit_four(w, a, b, c, d, due, y, fall, w_max, out):  # type: ignore[no-untyped-def]
    """:func:`visit` for four rows, owed ``due[0..3]``: four streams keep the memory busy."""
    for j in range(w.shape[1]):
        va, vb = w[a, j] + due[0, j], w[b, j] + due[1, j]
        vc, vd = w[c, j] + due[2, j], w[d, j] + due[3, j]
        _keep_four(w, a, b, c, d, j, va, vb, vc, vd, fall * y[j], w_max, out)


@jit(counted=False)
def visit_four_whole(w, a, b, c, d, span, x, born, sums, copies, powers, y, fall, w_max, out):  # type: ignore[no-untyped-def]  # fmt: skip
    """:func:`owed` and :func:`visit_four` in one pass, for windows that do not cut."""
    n_sums, keep = sums.shape[0], copies.shape[0]
    ta, tb, tc, td = born[a], born[b], born[c], born[d]
    xa, xb = x[a] / powers[ta % span], x[b] / powers[tb % span]
    xc, xd = x[c] / powers[tc % span], x[d] / powers[td % span]
    pa, pb = (ta // span) % n_sums, (tb // span) % n_sums
    pc, pd = (tc // span) % n_sums, (td // span) % n_sums
    ca, cb, cc, cd = ta % keep, tb % keep, tc % keep, td % keep
    for j in range(w.shape[1]):
        va = w[a, j] + xa * (sums[pa, j] - copies[ca, j])
        vb = w[b, j] + xb * (sums[pb, j] - copies[cb, j])
        vc = w[c, j] + xc * (sums[pc, j] - copies[cc, j])
        vd = w[d, j] + xd * (sums[pd, j] - copies[cd, j])
        _keep_four(w, a, b, c, d, j, va, vb, vc, vd, fall * y[j], w_max, out)


@jit(counted=False)
def pay_sparse(val, tgt, first, last, due, at, w_max):  # type: ignore[no-untyped-def]
    """:func:`pay` for the synapses first..last-1 of a row."""
    zero = w_max - w_max
    for e in range(first, last):
        v = val[e] + due[at, tgt[e]]
        v = w_max if v > w_max else v
        val[e] = zero if v < zero else v


@jit(counted=False)
def visit_sparse(val, tgt, first, last, due, at, y, fall, w_max, out):  # type: ignore[no-untyped-def]
    """:func:`visit` for the synapses first..last-1 of a row."""
    zero = w_max - w_max
    for e in range(first, last):
        j = tgt[e]
        v = val[e] + due[at, j]
        v = (w_max if v > w_max else v) - fall * y[j]
        v = zero if v < zero else v
        val[e] = v
        out[j] += v
