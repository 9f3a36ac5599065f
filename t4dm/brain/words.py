"""Word vectors learnt from text by counting: words in alike company have alike vectors.

    n(w, c)  = how often c stands within 5 words of w, nearer ones counting more (1/distance)
    PPMI     = max(0, log( n(w,c) / (n(w) n(c)^0.75 / sum_c n(c)^0.75) ))
    vectors  = U sqrt(S) of its singular value decomposition, D dimensions, each of length 1
PPMI and its decomposition as word vectors, context smoothing 0.75, sqrt(S): Levy, Goldberg & Dagan 2015.
The decomposition is a random projection with three power steps (Halko, Martinsson & Tropp 2011).  numpy
only.
V words  D dimensions
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from typing import NamedTuple

import numpy as np

WINDOW = 5
SMOOTH = 0.75
OVERSAMPLED = 16
POWER_STEPS = 3
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


class Words(NamedTuple):
    """``places`` of every word known, and ``vectors`` (V,D) float32, each of length 1."""

    places: dict[str, int]
    vectors: np.ndarray

    def knows(self, word: str) -> bool:
        return word.lower() in self.places

    def vector(self, word: str) -> np.ndarray:
        """(D,): the word's own; of an unknown one a draw that its letters decide, the same each time."""
        at = self.places.get(word.lower())
        if at is not None:
            own: np.ndarray = self.vectors[at]
            return own
        draws = np.random.Generator(np.random.Philox(key=zlib.crc32(word.lower().encode())))
        drawn = draws.standard_normal((self.vectors.shape[1],))
        return (drawn / np.linalg.norm(drawn)).astype(np.float32)


def learn(text: str, n_words: int, dim: int, draws: np.random.Generator) -> Words:
    """Vectors of the ``n_words`` most frequent words of ``text``.

    Raises ValueError for a text with fewer than ``dim`` different words.
    """
    found = _WORD.findall(text.lower())
    names = [name for name, _ in Counter(found).most_common(n_words)]
    if len(names) < dim:
        raise ValueError(f"{len(names)} different words do not do for {dim} dimensions")
    places = {name: at for at, name in enumerate(names)}
    ids = np.array([places.get(name, -1) for name in found])
    u, s = _decomposed(_ppmi(_counts(ids, len(names))), dim, draws)
    vectors = u * np.sqrt(s)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return Words(places, vectors.astype(np.float32))


def _counts(ids: np.ndarray, n: int) -> np.ndarray:
    """(V,V) float32, symmetric; -1 in ``ids`` is a word that is not counted."""
    counts = np.zeros(n * n)
    for distance in range(1, WINDOW + 1):
        a, b = ids[:-distance], ids[distance:]
        both = (a >= 0) & (b >= 0)
        counts += np.bincount(a[both] * n + b[both], minlength=n * n) / distance
    square = counts.reshape(n, n)
    return (square + square.T).astype(np.float32)


def _ppmi(counts: np.ndarray) -> np.ndarray:
    words = counts.sum(1)
    contexts = words**SMOOTH
    with np.errstate(divide="ignore"):
        pmi = np.log(counts) - np.log(words)[:, None] - np.log(contexts / contexts.sum())[None]
    return np.maximum(pmi, 0.0, out=pmi)


def _decomposed(
    square: np.ndarray, dim: int, draws: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The ``dim`` largest singular values and their left vectors."""
    wide = min(len(square), dim + OVERSAMPLED)
    basis = draws.standard_normal((len(square), wide)).astype(np.float32)
    for _ in range(POWER_STEPS):
        basis, _ = np.linalg.qr(square @ (square.T @ basis))
    basis, _ = np.linalg.qr(square @ basis)
    u, s, _ = np.linalg.svd(basis.T @ square, full_matrices=False)
    return (basis @ u)[:, :dim], s[:dim]
