"""Dense products in rows of eight, and products with spikes as sums of rows.

A row's result depends on its place in the tile of eight only, and the place is ``step % 8``:
whatever the chunk size, the same step gives the same bits.
"""

# T rows (a multiple of 8)  K inputs (a multiple of 4)  N outputs

from __future__ import annotations

from t4dm.kernels.compiled import jit

TILE = 8


@jit()
def tile_matmul(x_TK, w_KN, out_TN):  # type: ignore[no-untyped-def]
    """out = x @ w, four rows and four inputs at a time."""
    n_rows, n_in = x_TK.shape
    n_out = w_KN.shape[1]
    zero = x_TK.dtype.type(0)
    for t in range(0, n_rows, 4):
        o0, o1, o2, o3 = out_TN[t], out_TN[t + 1], out_TN[t + 2], out_TN[t + 3]
        x0, x1, x2, x3 = x_TK[t], x_TK[t + 1], x_TK[t + 2], x_TK[t + 3]
        for j in range(n_out):
            o0[j] = zero
            o1[j] = zero
            o2[j] = zero
            o3[j] = zero
        for k in range(0, n_in, 4):
            a00, a01, a02, a03 = x0[k], x0[k + 1], x0[k + 2], x0[k + 3]
            a10, a11, a12, a13 = x1[k], x1[k + 1], x1[k + 2], x1[k + 3]
            a20, a21, a22, a23 = x2[k], x2[k + 1], x2[k + 2], x2[k + 3]
            a30, a31, a32, a33 = x3[k], x3[k + 1], x3[k + 2], x3[k + 3]
            for j in range(n_out):
                w0, w1, w2, w3 = w_KN[k, j], w_KN[k + 1, j], w_KN[k + 2, j], w_KN[k + 3, j]
                o0[j] += a00 * w0 + a01 * w1 + a02 * w2 + a03 * w3
                o1[j] += a10 * w0 + a11 * w1 + a12 * w2 + a13 * w3
                o2[j] += a20 * w0 + a21 * w1 + a22 * w2 + a23 * w3
                o3[j] += a30 * w0 + a31 * w1 + a32 * w2 + a33 * w3


@jit()
def add_rows(w_KN, ids, n, out_N):  # type: ignore[no-untyped-def]
    """out += sum of the rows ``ids[:n]`` of w: the product of a spike vector with w."""
    k = 0
    n_out = out_N.shape[0]
    while k + 4 <= n:
        r0, r1, r2, r3 = w_KN[ids[k]], w_KN[ids[k + 1]], w_KN[ids[k + 2]], w_KN[ids[k + 3]]
        for j in range(n_out):
            out_N[j] += (r0[j] + r1[j]) + (r2[j] + r3[j])
        k += 4
    while k < n:
        r0 = w_KN[ids[k]]
        for j in range(n_out):
            out_N[j] += r0[j]
        k += 1
