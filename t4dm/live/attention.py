"""What a window or segment says about spike attention, for its panel, the health rules and REST.

A sample is one query: the weights of its step over the last K keys, newest last, as bytes
``round(255 * w)``, the mean over the heads (``t4dm.live.segment``).
"""

# Tg samples  K keys

from __future__ import annotations

import numpy as np

from t4dm.live.groups import Layout
from t4dm.live.segment import GATE_EVERY, grid

FEWEST_KEYS = 8
"""A query over fewer keys is not judged: its entropy says more about their number."""


def weights_of(sampled: np.ndarray) -> np.ndarray:
    """(Tg, K) f4 weights of the bytes ``sampled``; a row sums to 1 but for the rounding to 1/255."""
    return sampled.astype(np.float32) * np.float32(1 / 255)


def relative_entropy(sampled: np.ndarray, keys: np.ndarray, fired: np.ndarray) -> np.ndarray:
    """Entropy of each row over ``log(keys)``, (Tg,) f8: 1 all keys alike, 0 a single one.

    ``keys`` (Tg,) keys in sight, ``fired`` (Tg,) spikes of the query's step.  NaN where fewer than
    FEWEST_KEYS were in sight, or where no spike asked.  Weights below 1/510 were rounded to 0,
    which lowers it by 0.05 at most.
    """
    total = sampled.sum(axis=1, dtype=np.float64)
    shares = sampled / np.maximum(total, 1.0)[:, None]
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    judged = (keys >= FEWEST_KEYS) & (fired > 0) & (total > 0)
    most = np.log(np.where(judged, keys, 2).astype(np.float64))
    return np.where(judged, -(shares * logs).sum(axis=1) / most, np.nan)


def query_group(layout: Layout, block: int) -> int:
    """Index of the group whose spikes are the queries of the ``block``-th block: its LIF in.

    Raises ValueError where the session has no such group.
    """
    blocks = layout.blocks
    for group in layout.groups:
        if block < len(blocks) and group.block == blocks[block] and group.stage == "lif_in":
            return group.index
    raise ValueError(f"no group is LIF in of block {block}")


def query_spikes(rates: np.ndarray, layout: Layout, block: int, step0: int) -> np.ndarray:
    """(Tg,) spikes of the query's step, by ``rates`` (T, G) of the steps from ``step0``."""
    at = grid(step0, step0 + len(rates), GATE_EVERY) - step0
    return rates[at, query_group(layout, block)]
