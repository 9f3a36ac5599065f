"""One step of a LIF stage (docs/equations.md, section 3); torch twin: ``t4dm.spiking.lif.lif_step``."""

from __future__ import annotations

import numpy as np

from t4dm.kernels.compiled import jit


@jit()
def lif_step(current, u, alpha, theta, beta, u_max, u_pre, ids):  # type: ignore[no-untyped-def]
    """Advance ``u`` (N,) in place; fill ``u_pre`` (N,) and the ``ids`` of those that fired.

    Returns (spikes, clamped values, values that are NaN or Inf).
    """
    reset = beta * theta
    clamped, strange = 0, 0
    for i in range(u.shape[0]):
        before = alpha * u[i] + current[i]
        u_pre[i] = before
        after = before - reset if before >= theta else before
        over, under = after > u_max, after < -u_max
        clamped += over or under
        strange += not (abs(before) < np.inf)
        after = u_max if over else after
        u[i] = -u_max if under else after
    n = 0
    for i in range(u.shape[0]):
        ids[n] = i
        n += u_pre[i] >= theta
    return n, clamped, strange
