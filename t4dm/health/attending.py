"""What the two rules about spike attention share."""

from __future__ import annotations

import numpy as np

from t4dm.health.evidence import Evidence, Place
from t4dm.health.finding import Remedy
from t4dm.health.remedies import back, put

ATTENTION = ("attention.sharpness", "attention.kappa", "attention.tau")
EXPECT = "Weights tell keys apart again: between one key and all alike."
UNASKED = "no block asks: no LIF in fires at 20 Hz or more with 8 keys or more to its queries"
MOST = 20.0  # sharpness, as far as it goes
FIRES = 0.02  # spikes/ms of a LIF in from which its queries say something


def blocks_that_ask(ev: Evidence, name: str, ms: float) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """(L,) mean and least of field ``name`` over the last ``ms``, and the blocks that ask enough.

    Attention is looked at once in 500 ms; a window of a second or more needs two such looks.  Looks
    at a block that hardly fired meanwhile do not count: over empty traces all keys are alike.
    """
    values, fired = ev.last(name, ms), ev.last("fired", ms)
    queries = [
        (p.block, p.index)
        for p in ev.stack
        if p.stage == "lif_in" and p.block is not None and p.block < values.shape[1]
    ]
    known = np.isfinite(values)
    for block, group in queries:
        known[:, block] &= fired[:, group] >= FIRES
    counts = known.sum(axis=0)
    means = np.where(known, values, 0.0).sum(axis=0) / np.maximum(counts, 1)
    least = np.where(known, values, np.inf).min(axis=0, initial=np.inf)
    looks = 2 if ms >= 1000 else 1
    return means, least, [block for block, _ in queries if counts[block] >= looks]


def asking(ev: Evidence, blocks: list[int]) -> list[Place]:
    """The stages whose spikes are the queries of ``blocks``."""
    return [place for place in ev.stack if place.block in blocks and place.stage == "lif_in"]


def remedies(ev: Evidence, times: float) -> tuple[Remedy, ...]:
    """Attention put back; where nothing of it is changed, scores of ``times`` the sharpness."""
    found = tuple(back(ev, "attention", ATTENTION, EXPECT, "attention"))
    sharpness = min(MOST, times * ev.get("attention.sharpness"))
    label = f"Set attention.sharpness to {sharpness:g}"
    expect = "Small differences of scores count." if times > 1 else "Large scores win by less."
    return found or (put("sharpness", "attention.sharpness", sharpness, label, expect),)
