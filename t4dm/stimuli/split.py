"""Which digits are for learning and which are held out: a stratified split, drawn from a seed."""

from __future__ import annotations

import numpy as np

HELD_OUT_SHARE = 0.2
_SPLIT_STREAM = 1 << 33


def held_out(labels: np.ndarray, seed: int, share: float = HELD_OUT_SHARE) -> np.ndarray:
    """(n,) bool: True for the ``share`` of each class, rounded, that is never learnt from."""
    bits = np.random.Philox(key=seed, counter=[0, 0, _SPLIT_STREAM, 0])
    generator = np.random.Generator(bits)
    kept = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        kept[generator.permutation(mine)[: round(share * len(mine))]] = True
    return kept
