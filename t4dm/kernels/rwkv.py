"""RWKV time mixing, the sequential part (docs/equations.md, section 3).

Torch twin: ``t4dm.spiking.rwkv.wkv_step``.  Of the two exponents of each maximum one is 0, so one
exponential each is enough.   D channels
"""

from __future__ import annotations

from t4dm.kernels.compiled import jit
from t4dm.kernels.exponential import exp


@jit()
def shift(m, before, mu_r, mu_k, mu_v, m_r, m_k, m_v):  # type: ignore[no-untyped-def]
    """Token shift of m(t) against m(t-1) for r, k, v; ``before`` then holds m(t).  All (D,)."""
    one = m.dtype.type(1)
    for i in range(m.shape[0]):
        now, past = m[i], before[i]
        m_r[i] = mu_r[i] * now + (one - mu_r[i]) * past
        m_k[i] = mu_k[i] * now + (one - mu_k[i]) * past
        m_v[i] = mu_v[i] * now + (one - mu_v[i]) * past
        before[i] = now


@jit()
def wkv(r, k, v, a, b, p, rate, faster, bonus, out):  # type: ignore[no-untyped-def]
    """out = sigmoid(r) * wkv; sums ``a``, ``b`` and their running maximum ``p`` move on.  All (D,).

    The decay of a channel is ``rate * faster`` per step; ``out`` must not be one of the others.
    """
    one = k.dtype.type(1)
    for i in range(k.shape[0]):
        lead = bonus[i] + k[i] - p[i]
        small = exp(-abs(lead))
        past = small if lead > 0 else one
        now = one if lead > 0 else small
        mixed = (past * a[i] + now * v[i]) / (past * b[i] + now)
        out[i] = mixed / (one + exp(-r[i]))
        faded = p[i] - rate[i] * faster
        lead = k[i] - faded
        small = exp(-abs(lead))
        past = small if lead > 0 else one
        now = one if lead > 0 else small
        a[i] = past * a[i] + now * v[i]
        b[i] = past * b[i] + now
        p[i] = k[i] if lead > 0 else faded
