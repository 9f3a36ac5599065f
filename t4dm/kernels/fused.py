"""A LIF layer over many steps and products with spikes, forward and backward, for training.

Torch twins: ``t4dm.spiking.lif.lif_step`` step by step, and ``torch.nn.functional.linear``.
"""

# A outer axis (batch, or 1)  T steps  M cells;  R rows  K inputs  N outputs
# lif (4,) real: alpha, theta, beta, u_max

from __future__ import annotations

import math

from t4dm.kernels.compiled import jit

ATAN, FAST_SIGMOID, SUPER_SPIKE = range(3)


@jit(counted=False)
def lif_forward(current_ATM, u_AM, lif, spikes_ATM, u_pre_ATM):  # type: ignore[no-untyped-def]
    """Spikes and u_pre of every step; ``u`` goes from the first membrane to the last."""
    alpha, theta, beta, u_max = lif
    reset = beta * theta
    zero = reset - reset
    one = spikes_ATM.dtype.type(1)
    for a in range(current_ATM.shape[0]):
        for t in range(current_ATM.shape[1]):
            for m in range(current_ATM.shape[2]):
                before = alpha * u_AM[a, m] + current_ATM[a, t, m]
                u_pre_ATM[a, t, m] = before
                fired = before >= theta
                spikes_ATM[a, t, m] = one if fired else zero
                after = before - reset if fired else before
                after = u_max if after > u_max else after
                u_AM[a, m] = -u_max if after < -u_max else after


@jit(counted=False)
def surrogate_slope(kind, slope, theta, u_pre_ATM, a, t, out_M):  # type: ignore[no-untyped-def]
    """out = ds/du of one step (t4dm.spiking.surrogate)."""
    one = out_M.dtype.type(1)
    if kind == ATAN:
        scale = slope / out_M.dtype.type(math.pi)
        for m in range(out_M.shape[0]):
            x = slope * (u_pre_ATM[a, t, m] - theta)
            out_M[m] = scale / (one + x * x)
        return
    scale = slope / (one + one) if kind == FAST_SIGMOID else one
    for m in range(out_M.shape[0]):
        x = one + slope * abs(u_pre_ATM[a, t, m] - theta)
        out_M[m] = scale / (x * x)


@jit(counted=False)
def lif_backward(grad_s_ATM, grad_u_AM, u_pre_ATM, lif, kind, slope, detach, ds_M, grad_I_ATM):  # type: ignore[no-untyped-def]  # fmt: skip
    """Gradient of every current; ``grad_u`` goes from the last membrane's to the first's.

    ``detach``: no gradient through the reset.  ``ds`` is scratch.
    """
    alpha, theta, beta, u_max = lif
    reset = beta * theta
    zero = reset - reset
    back = zero if detach else reset
    for a in range(u_pre_ATM.shape[0]):
        for t in range(u_pre_ATM.shape[1] - 1, -1, -1):
            surrogate_slope(kind, slope, theta, u_pre_ATM, a, t, ds_M)
            for m in range(ds_M.shape[0]):
                before = u_pre_ATM[a, t, m]
                free = before - reset if before >= theta else before
                g = zero if free > u_max or free < -u_max else grad_u_AM[a, m]
                g += (grad_s_ATM[a, t, m] - back * g) * ds_M[m]
                grad_I_ATM[a, t, m] = g
                grad_u_AM[a, m] = alpha * g


@jit(counted=False)
def events(x_RK, r, ids):  # type: ignore[no-untyped-def]
    """Fills ``ids`` (K + 1,) with the places of row r that are not 0; returns how many."""
    n = 0
    for k in range(x_RK.shape[1]):
        ids[n] = k
        n += x_RK[r, k] != 0
    return n


@jit(counted=False)
def event_product(x_RK, w_KN, bias_N, ids, out_RN):  # type: ignore[no-untyped-def]
    """out = x @ w + bias, reading only the rows of w whose input is not 0."""
    for r in range(x_RK.shape[0]):
        n, k = events(x_RK, r, ids), 0
        for j in range(bias_N.shape[0]):
            out_RN[r, j] = bias_N[j]
        while k + 4 <= n:
            a, b, c, d = ids[k], ids[k + 1], ids[k + 2], ids[k + 3]
            xa, xb, xc, xd = x_RK[r, a], x_RK[r, b], x_RK[r, c], x_RK[r, d]
            for j in range(bias_N.shape[0]):
                out_RN[r, j] += (xa * w_KN[a, j] + xb * w_KN[b, j]) + (
                    xc * w_KN[c, j] + xd * w_KN[d, j]
                )
            k += 4
        while k < n:
            a = ids[k]
            for j in range(bias_N.shape[0]):
                out_RN[r, j] += x_RK[r, a] * w_KN[a, j]
            k += 1


@jit(counted=False)
def event_outer(x_RK, g_RN, ids, out_KN):  # type: ignore[no-untyped-def]
    """out += x^T @ g, touching only the rows of out whose input is not 0."""
    for r in range(x_RK.shape[0]):
        n = events(x_RK, r, ids)
        for k in range(n):
            a = ids[k]
            x = x_RK[r, a]
            for j in range(out_KN.shape[1]):
                out_KN[a, j] += x * g_RN[r, j]
