"""STDP that touches a row of W only when its presynaptic neuron fires (docs/equations.md, section 4).

Exact for mu = 0, all-to-all pairs, modulated.  Between two visits a row is only potentiated, and what
it is owed is its own trace times a sum over post spikes that all rows last visited at the same step
share:   owed_ij = x_i(born) * B_j,   B_j = sum over t > born of A+(t) s_j(t) exp(-(t-born)/tau_plus).
These sums are the *buckets*, a ring of ``RING`` steps; a row that waited RING steps is visited then.
A cut window adds a visit at the end of the last step at which a pre spike still counts.
Everything depends on absolute steps only, never on how they are cut into chunks.
"""

# N neurons, E of them excitatory (rows < E are plastic)
# x (E,) pre trace as of the end of step born[i]; y (N,) post trace before the coming step
# held (N,) spikes of each neuron that are still inside the pre window

from __future__ import annotations

from t4dm.kernels.compiled import jit
from t4dm.kernels.plasticity_rows import without

RING = 64
IDLE = -1


@jit()
def _pay(w_row, owed, x, w_max, own):  # type: ignore[no-untyped-def]
    """Potentiate a row by what it is owed, up to ``w_max``; its own entry stays."""
    kept = w_row[own]
    for j in range(w_row.shape[0]):
        v = w_row[j] + x * owed[j]
        w_row[j] = w_max if v > w_max else v
    w_row[own] = kept


@jit()
def _pay_and_depress(w_row, owed, x, y, amount, w_max, own):  # type: ignore[no-untyped-def]
    """Pay, then depress by ``amount * y``, down to 0: the visit of a row whose neuron fires."""
    kept = w_row[own]
    zero = w_row.dtype.type(0)
    for j in range(w_row.shape[0]):
        v = w_row[j] + x * owed[j]
        v = (w_max if v > w_max else v) - amount * y[j]
        w_row[j] = zero if v < zero else v
    w_row[own] = kept


@jit()
def _depress(w_row, y, amount, own):  # type: ignore[no-untyped-def]
    kept = w_row[own]
    zero = w_row.dtype.type(0)
    for j in range(w_row.shape[0]):
        v = w_row[j] - amount * y[j]
        w_row[j] = zero if v < zero else v
    w_row[own] = kept


@jit()
def _collect(t, ids, n, amount, powers, buckets, bucket_rows):  # type: ignore[no-untyped-def]
    """Add the post spikes of step t to every bucket that has rows."""
    for slot in range(RING):
        if bucket_rows[slot] > 0:
            age = (t - slot) % RING
            share = amount * powers[age if age > 0 else RING]
            bucket = buckets[slot]
            for k in range(n):
                bucket[ids[k]] += share


@jit()
def lazy_step(  # type: ignore[no-untyped-def]
    t, w, x, y, held, born, buckets, bucket_rows, ids, n, leaving, n_leaving, n_exc,
    powers, a_plus, a_minus, leave_plus, w_max, cut,
):  # fmt: skip
    """STDP of step t, all but the post trace.

    ``ids[:n]`` fired, ascending; ``leaving[:n_leaving]`` fired a whole pre window ago;
    ``powers[k] = exp(-k/tau_plus)``; ``a_plus``, ``a_minus`` hold learning rate and dopamine.
    """
    zero = w.dtype.type(0)
    one = w.dtype.type(1)
    if a_plus != zero:
        _collect(t, ids, n, a_plus, powers, buckets, bucket_rows)
    fresh = 0
    for k in range(n):
        i = ids[k]
        if i >= n_exc:
            break
        if born[i] == IDLE:
            _depress(w[i], y, a_minus, i)
            x[i] = one
        else:
            slot = born[i] % RING
            _pay_and_depress(w[i], buckets[slot], x[i], y, a_minus, w_max, i)
            bucket_rows[slot] -= 1
            x[i] = x[i] * powers[t - born[i]] + one
        born[i] = t
        held[i] += 1 if cut else 0
        fresh += 1
    if cut:
        for k in range(n_leaving):
            i = leaving[k]
            if i >= n_exc:
                break
            fresh += _visit(i, t, w, x, born, buckets, bucket_rows, powers, w_max)
            held[i] -= 1
            x[i] = without(x[i], leave_plus)
            if held[i] == 0:
                x[i] = zero
                born[i] = IDLE
                fresh -= 1
    slot = t % RING
    if bucket_rows[slot] > 0:
        for i in range(n_exc):
            if born[i] == t - RING:
                fresh += _visit(i, t, w, x, born, buckets, bucket_rows, powers, w_max)
                if x[i] < 1e-30:
                    x[i] = zero
                    born[i] = IDLE
                    fresh -= 1
    if fresh > 0:
        buckets[slot].fill(zero)
    bucket_rows[slot] = fresh


@jit()
def _visit(i, t, w, x, born, buckets, bucket_rows, powers, w_max):  # type: ignore[no-untyped-def]
    """Pay row i up to step t unless that was done; 1 if the row moves to this step's bucket."""
    if born[i] == t:
        return 0
    slot = born[i] % RING
    _pay(w[i], buckets[slot], x[i], w_max, i)
    bucket_rows[slot] -= 1
    x[i] *= powers[t - born[i]]
    born[i] = t
    return 1


@jit()
def flush(t, w, x, born, buckets, bucket_rows, n_exc, powers, w_max):  # type: ignore[no-untyped-def]
    """Pay every row up to the end of step t - 1: afterwards ``w`` is the true weight matrix."""
    fresh = 0
    for i in range(n_exc):
        if born[i] == t - 1:
            fresh += 1
        elif born[i] != IDLE:
            fresh += _visit(i, t - 1, w, x, born, buckets, bucket_rows, powers, w_max)
    if fresh > 0:
        buckets[(t - 1) % RING].fill(0)
    bucket_rows[(t - 1) % RING] = fresh


@jit()
def post_trace(y, ids, n, leaving, n_leaving, decay, leave):  # type: ignore[no-untyped-def]
    """``y`` takes in the spikes of this step and decays by one; cut ones are taken out.

    ``leave`` = exp(-(window+1)/tau_minus).
    """
    one = y.dtype.type(1)
    for k in range(n):
        y[ids[k]] += one
    for j in range(y.shape[0]):
        y[j] *= decay
    for k in range(n_leaving):
        j = leaving[k]
        y[j] = without(y[j], leave)
