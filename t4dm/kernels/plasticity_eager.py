"""STDP at every step, for what the row-lazy form cannot do: mu > 0, nearest pairs, three factors.

Same rule, same order of events (docs/equations.md, section 4); torch twin:
``t4dm.learning.stdp.stdp_step``.  Traces come from the spike history, so a changed tau or window acts
at once and exactly.
"""

# N neurons, E of them excitatory (rows < E are plastic)
# x, y (N,) pre and post traces before the step; e (E, N) eligibility
# ring (S, N) ids and ring_n (S,) counts of the spikes of the last S steps, at step % S

from __future__ import annotations

from t4dm.kernels.compiled import jit


@jit()
def trace_from_history(  # type: ignore[no-untyped-def]
    t, ring, ring_n, window, powers, offset, nearest, out, held
):
    """out = sum of powers[age + offset] over the spikes 1..window steps before t; held = how many.

    ``nearest``: only the newest spike of each neuron counts in ``out``.
    """
    size = ring.shape[0]
    out.fill(0)
    held.fill(0)
    for age in range(1, min(window, t) + 1):
        row = (t - age) % size
        for k in range(ring_n[row]):
            i = ring[row, k]
            if not nearest or held[i] == 0:
                out[i] += powers[age + offset]
            held[i] += 1


@jit()
def _power(base, mu):  # type: ignore[no-untyped-def]
    zero = type(base)(0)
    one = type(base)(1)
    if mu == zero:
        return one
    base = base if base > zero else zero
    return base if mu == one else base**mu


@jit()
def eager_pairs(w, x, y, ids, n, n_exc, a_plus, a_minus, w_max, mu):  # type: ignore[no-untyped-def]
    """Post spikes potentiate by ``a_plus * x``, then pre spikes depress by ``a_minus * y``."""
    zero = w.dtype.type(0)
    for i in range(n_exc):
        if x[i] == zero or a_plus == zero:
            continue
        row = w[i]
        for k in range(n):
            j = ids[k]
            if j != i:
                v = row[j] + a_plus * x[i] * _power((w_max - row[j]) / w_max, mu)
                row[j] = w_max if v > w_max else v
    if a_minus == zero:
        return
    for k in range(n):
        i = ids[k]
        if i >= n_exc:
            break
        row = w[i]
        for j in range(row.shape[0]):
            if y[j] != zero and j != i:
                v = row[j] - a_minus * y[j] * _power(row[j] / w_max, mu)
                row[j] = zero if v < zero else v


@jit()
def eager_eligibility(  # type: ignore[no-untyped-def]
    w, e, x, y, ids, n, n_exc, a_plus, a_minus, w_max, mu, keep, rate, gated
):
    """e <- keep * e + pair terms; w <- clip(w + rate * e, 0, w_max) unless gated off."""
    zero = w.dtype.type(0)
    for i in range(n_exc):
        row, due = w[i], e[i]
        for j in range(due.shape[0]):
            due[j] *= keep
        if x[i] != zero:
            for k in range(n):
                j = ids[k]
                due[j] += a_plus * x[i] * _power((w_max - row[j]) / w_max, mu)
    for k in range(n):
        i = ids[k]
        if i >= n_exc:
            break
        row, due = w[i], e[i]
        for j in range(due.shape[0]):
            if y[j] != zero:
                due[j] -= a_minus * y[j] * _power(row[j] / w_max, mu)
    if gated:
        return
    for i in range(n_exc):
        row, due = w[i], e[i]
        kept = row[i]
        for j in range(row.shape[0]):
            v = row[j] + rate * due[j]
            v = w_max if v > w_max else v
            row[j] = zero if v < zero else v
        row[i] = kept
