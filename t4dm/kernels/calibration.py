"""The two halves of a block over a whole calibration stretch, at default parameters, learning nothing.

Compiled twin of what ``t4dm.spiking.calibrate`` does with torch.
"""

# T steps (a multiple of 8)  N = D neurons and channels; lif (4,): alpha, theta, beta, u_max

from __future__ import annotations

import numpy as np

from t4dm.kernels.attention import WINDOW, attend
from t4dm.kernels.compiled import jit
from t4dm.kernels.exponential import exp, sigmoid
from t4dm.kernels.lif import lif_step
from t4dm.kernels.products import add_rows, tile_matmul
from t4dm.kernels.rwkv import shift, wkv


@jit()
def spikes_in(c, x_TD, logit_TD, gate_b, w_rec, feedback, lif):  # type: ignore[no-untyped-def]
    """Spikes (T, N) bool of LIF in for the input ``c * x``; ``logit`` = x @ W_g."""
    n_steps, n = x_TD.shape
    one = x_TD.dtype.type(1)
    spikes = np.zeros((n_steps, n), np.bool_)
    u, current, u_pre = np.zeros_like(gate_b), np.zeros_like(gate_b), np.zeros_like(gate_b)
    ids, fired = np.zeros(n, np.uint16), 0
    for t in range(n_steps):
        current.fill(0)
        add_rows(w_rec, ids, fired, current)
        for i in range(n):
            drive = c * x_TD[t, i] / (one + exp(-(c * logit_TD[t, i] + gate_b[i])))
            current[i] = drive + feedback * current[i]
        fired, _, _ = lif_step(current, u, lif[0], lif[1], lif[2], lif[3], u_pre, ids)
        for k in range(fired):
            spikes[t, ids[k]] = True
    return spikes


@jit()
def spikes_out(c, z_TD, lif):  # type: ignore[no-untyped-def]
    """Spikes (T, N) bool of LIF out for the input ``c * z``."""
    n_steps, n = z_TD.shape
    spikes = np.zeros((n_steps, n), np.bool_)
    u, current, u_pre = np.zeros_like(z_TD[0]), np.zeros_like(z_TD[0]), np.zeros_like(z_TD[0])
    ids = np.zeros(n, np.uint16)
    for t in range(n_steps):
        for i in range(n):
            current[i] = c * z_TD[t, i]
        fired, _, _ = lif_step(current, u, lif[0], lif[1], lif[2], lif[3], u_pre, ids)
        for k in range(fired):
            spikes[t, ids[k]] = True
    return spikes


@jit()
def mixed(spikes_TN, apical_TD, l, n_heads, weights, attention):  # type: ignore[no-untyped-def]
    """z (T, D): spike attention, apical modulation and time mixing of block l.

    ``apical`` = x @ W_ap; ``attention`` (3,) as in ``Settings``.
    """
    n_steps, n = spikes_TN.shape
    ids = np.zeros(n, np.uint16)
    rows = np.zeros((8, n_steps, n), apical_TD.dtype)
    vectors = np.zeros((8, n), apical_TD.dtype)
    keys = np.zeros((n_heads, 2 * n // n_heads, WINDOW), apical_TD.dtype)
    values = np.zeros((n_heads, WINDOW, n // n_heads), apical_TD.dtype)
    scores = np.zeros(WINDOW, apical_TD.dtype)
    for t in range(n_steps):
        n_ids = 0
        for i in range(n):
            if spikes_TN[t, i]:
                ids[n_ids] = i
                n_ids += 1
        attend(
            t, weights.w_q[l], weights.w_k[l], vectors[0], vectors[1], keys, values, ids, n_ids,
            attention[0], attention[1], attention[2], vectors[2], vectors[3], scores, rows[0, t],
            scores[:0], rows[0, :0],
        )  # fmt: skip
    tile_matmul(rows[0], weights.w_o[l], rows[1])
    open_, before, m = vectors[2], vectors[4], vectors[3]
    for t in range(n_steps):
        for i in range(n):
            open_[i] = apical_TD[t, i] + weights.apical_b[l, i]
        sigmoid(open_)
        for i in range(n):
            m[i] = rows[1, t, i] * open_[i]
        shift(
            m, before, weights.mu_r[l], weights.mu_k[l], weights.mu_v[l],
            rows[2, t], rows[3, t], rows[4, t],
        )  # fmt: skip
    tile_matmul(rows[2], weights.mix_r[l], rows[5])
    tile_matmul(rows[3], weights.mix_k[l], rows[6])
    tile_matmul(rows[4], weights.mix_v[l], rows[7])
    top = vectors[7]
    top.fill(-1e30)
    vectors[5].fill(0)
    vectors[6].fill(0)
    one = apical_TD.dtype.type(1)
    for t in range(n_steps):
        wkv(
            rows[5, t], rows[6, t], rows[7, t], vectors[5], vectors[6], top, weights.decay[l], one,
            weights.bonus[l], rows[1, t],
        )  # fmt: skip
    tile_matmul(rows[1], weights.mix_out[l], rows[0])
    return rows[0]
