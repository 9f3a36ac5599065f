"""Recall for every token of a text: products with the stored keys, carried along as contexts are.

With cues c_t = decay * c_{t-1} + place_t the products with all keys follow the same rule,
    S_t = decay * S_{t-1} + place_t K
and as few place cells win, ``place_t K`` is a sum of few rows of K.  Equal to c_t K up to rounding.
Torch twin: ``t4dm.hippocampal.memory_bank.recall`` of the cues.
"""

# B texts  T tokens  P place cells  N events  k recalled

from __future__ import annotations

from t4dm.kernels.compiled import jit

LANES, ROWS = 64, 8  # products are looked through by the largest of ROWS, LANES of them at a time


@jit()
def recall_along(place_BTP, keys_PN, decay, s_BN, best_BTk, slot_BTk, ids, tops):  # type: ignore[no-untyped-def]
    """The k largest products of every token, best first.

    ``s_BN`` is given as c_0 K and left as the last S; ``ids`` (P,) and ``tops`` (LANES,) are scratch.
    N is at least k.
    """
    for b in range(place_BTP.shape[0]):
        for t in range(place_BTP.shape[1]):
            _move(place_BTP[b, t], keys_PN, decay, s_BN[b], ids)
            _largest(s_BN[b], best_BTk[b, t], slot_BTk[b, t], tops)


@jit()
def _move(place_P, keys_PN, decay, s, ids):  # type: ignore[no-untyped-def]
    """s = decay * s + place K, the rows of four cells in one pass."""
    n, keep, one = 0, decay, s.dtype.type(1)
    for p in range(place_P.shape[0]):
        if place_P[p] != 0:
            ids[n] = p
            n += 1
    i = 0
    while i + 4 <= n:
        i0, i1, i2, i3 = ids[i], ids[i + 1], ids[i + 2], ids[i + 3]
        a0, a1, a2, a3 = place_P[i0], place_P[i1], place_P[i2], place_P[i3]
        k0, k1, k2, k3 = keys_PN[i0], keys_PN[i1], keys_PN[i2], keys_PN[i3]
        for j in range(s.shape[0]):
            s[j] = keep * s[j] + (a0 * k0[j] + a1 * k1[j]) + (a2 * k2[j] + a3 * k3[j])
        keep = one
        i += 4
    while i < n:
        a0, k0 = place_P[ids[i]], keys_PN[ids[i]]
        for j in range(s.shape[0]):
            s[j] = keep * s[j] + a0 * k0[j]
        keep = one
        i += 1
    if n == 0:
        for j in range(s.shape[0]):
            s[j] *= decay


@jit()
def _largest(s, best_k, slot_k, tops):  # type: ignore[no-untyped-def]
    """The k largest of ``s``, best first.  A lane whose largest is not above the least kept is passed over."""
    held, block = 0, LANES * ROWS
    whole = s.shape[0] // block * block
    for first in range(0, whole, block):
        part = s[first : first + block]
        for lane in range(LANES):
            tops[lane] = part[lane]
        for row in range(LANES, block, LANES):
            for lane in range(LANES):
                value = part[row + lane]
                tops[lane] = value if value > tops[lane] else tops[lane]
        for lane in range(LANES):
            if held < best_k.shape[0] or tops[lane] > best_k[held - 1]:
                for j in range(first + lane, first + block, LANES):
                    held = _offer(s[j], j, best_k, slot_k, held)
    for j in range(whole, s.shape[0]):
        held = _offer(s[j], j, best_k, slot_k, held)


@jit()
def _offer(value, slot, best_k, slot_k, held):  # type: ignore[no-untyped-def]
    """Put ``value`` in its place among the ``held`` ones if it is above the least; how many are held."""
    if held == best_k.shape[0]:
        if value <= best_k[held - 1]:
            return held
        held -= 1
    at = held
    while at > 0 and best_k[at - 1] < value:
        best_k[at], slot_k[at] = best_k[at - 1], slot_k[at - 1]
        at -= 1
    best_k[at], slot_k[at] = value, slot
    return held + 1
