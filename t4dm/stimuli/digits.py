"""The handwritten digits that ship with scikit-learn: 1797 images of 8 x 8, ten classes.

Shown in a seeded order that is drawn anew for every pass.  Alpaydin and Kaynak 1998.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from t4dm.stimuli.draws import permutation
from t4dm.stimuli.presented import PresentedSource
from t4dm.stimuli.source import stimulus


@lru_cache(maxsize=1)
def digit_images() -> tuple[np.ndarray, np.ndarray]:
    """Images (1797, 64) float32 in 0..1, row-major 8 x 8, and labels (1797,) int."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = (digits.data / 16.0).astype(np.float32)
    return images, np.asarray(digits.target, dtype=np.int64)


@stimulus("digits")
class Digits(PresentedSource):
    """One digit after the other; ``index`` is its place in the data set, ``label`` its class."""

    _order: tuple[int, np.ndarray] | None = None

    def item(self, count: int) -> tuple[np.ndarray, str, int]:
        images, labels = digit_images()
        pass_number, place = divmod(count, len(images))
        if self._order is None or self._order[0] != pass_number:
            self._order = pass_number, permutation(self.seed, pass_number, len(images))
        index = int(self._order[1][place])
        return images[index], str(labels[index]), index

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self._order = None
