"""The handwritten digits that ship with scikit-learn: 1797 images of 8 x 8, ten classes.

Shown in a seeded order that is drawn anew for every pass.  Alpaydin and Kaynak 1998.
Loading scikit-learn takes seconds, so its images are kept in the user's cache folder.
"""

from __future__ import annotations

import io
import zipfile
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from t4dm.stimuli.draws import permutation
from t4dm.stimuli.presented import PresentedSource
from t4dm.stimuli.source import Event, stimulus
from t4dm.stimuli.split import held_out
from t4dm.store.files import write_durable

SHAPE = (1797, 64)
Images = tuple[np.ndarray, np.ndarray]


@lru_cache(maxsize=1)
def digit_images() -> Images:
    """Images (1797, 64) float32 in 0..1, row-major 8 x 8, and labels (1797,) int64."""
    path = cache_path()
    kept = read_images(path)
    if kept is not None:
        return kept
    loaded = load_images()
    keep_images(path, loaded)
    return loaded


def cache_path() -> Path:
    """Where the images are kept, one file a version of scikit-learn."""
    return platformdirs.user_cache_path("t4dm") / f"digits-{metadata.version('scikit-learn')}.npz"


def load_images() -> Images:
    """The images as scikit-learn gives them."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = (digits.data / 16.0).astype(np.float32)
    return images, np.asarray(digits.target, dtype=np.int64)


def read_images(path: Path) -> Images | None:
    """What :func:`keep_images` wrote to ``path``; None where that is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            images, labels = kept["images"], kept["labels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    whole = (images.shape, images.dtype, labels.shape) == (SHAPE, np.float32, SHAPE[:1])
    return (images, labels) if whole else None


def keep_images(path: Path, loaded: Images) -> None:
    """Write them to ``path``; without a writable cache folder the next start loads them again."""
    packed = io.BytesIO()
    np.savez(packed, images=loaded[0], labels=loaded[1])
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durable(path, packed.getvalue())
    except OSError:
        return


@stimulus("digits")
class Digits(PresentedSource):
    """One digit after the other; ``index`` is its place in the data set, ``label`` its class.

    ``split`` tells whether it is for learning or held out (``t4dm.stimuli.split``).
    """

    _order: tuple[int, np.ndarray] | None = None
    _held_out: np.ndarray | None = None

    def item(self, count: int) -> tuple[np.ndarray, str, int]:
        images, labels = digit_images()
        pass_number, place = divmod(count, len(images))
        if self._order is None or self._order[0] != pass_number:
            self._order = pass_number, permutation(self.seed, pass_number, len(images))
        index = int(self._order[1][place])
        return images[index], str(labels[index]), index

    def onset(self, step: int, image: np.ndarray, label: str, index: int = 0) -> Event:
        if self._held_out is None:
            self._held_out = held_out(digit_images()[1], self.seed)
        split = "held_out" if self._held_out[index] else "train"
        return super().onset(step, image, label, index) | {"split": split}

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self._order = None
