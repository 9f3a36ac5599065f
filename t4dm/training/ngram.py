"""What counting alone predicts: unigram and trigram models, the floor a language model must beat.

    unigram  p(c) = (n(c) + 1) / (N + V)
    trigram  p(c|ab) = max(0, n(abc) - D(n(abc))) / n(ab.) + g(ab) p(c|b)
             p(c|b)  the same with n(bc) = number of different a before bc, and
             p(c)    the same with n(c)  = number of different b before c, over 1/V
             g(h) = (D1 n1(h) + D2 n2(h) + D3 n3+(h)) / n(h.)        what the discounts left over
             D1 = 1 - 2Y t2/t1, D2 = 2 - 3Y t3/t2, D3+ = 3 - 4Y t4/t3, Y = t1 / (t1 + 2 t2)
t_j: n-grams of that order that were counted j times; n_j(h): of those, the ones that follow h.
Interpolated modified Kneser-Ney, discounts in closed form from the training counts: Chen & Goodman
1999, eqs. 26 to 28.  Where the sample is so small that a formula fails, D_j is held to 0..j.
V vocabulary  N tokens
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LONGEST = 3


def unigram_losses(train: np.ndarray, ids: np.ndarray, vocab_size: int) -> np.ndarray:
    """-log p of each of ``ids`` in nat, counted on ``train``."""
    counts = np.bincount(train, minlength=vocab_size) + 1.0
    return -np.log(counts / counts.sum())[ids]


@dataclass(frozen=True, slots=True)
class _Table:
    """Sorted keys with a number each; a key that is absent has 0."""

    keys: np.ndarray
    values: np.ndarray

    def __getitem__(self, wanted: np.ndarray) -> np.ndarray:
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[place] == wanted, self.values[place], 0.0)


@dataclass(frozen=True, slots=True)
class _Order:
    """One order: discounted counts by n-gram, and by history n(h.) and the mass left over."""

    discounted: _Table
    total: _Table
    left: _Table


class Trigram:
    """Counted on ``train`` (N,), at least three tokens.  Raises ValueError for fewer."""

    def __init__(self, train: np.ndarray, vocab_size: int) -> None:
        if len(train) < LONGEST:
            raise ValueError(f"a trigram model needs at least 3 tokens, got {len(train)}")
        self.vocab_size = v = vocab_size
        ids = train.astype(np.int64)
        triples, counts = np.unique((ids[:-2] * v + ids[1:-1]) * v + ids[2:], return_counts=True)
        pairs, before_pair = np.unique(triples % (v * v), return_counts=True)
        singles, before_one = np.unique(pairs % v, return_counts=True)
        self._orders = [
            _order(singles, before_one, v),
            _order(pairs, before_pair, v),
            _order(triples, counts, v),
        ]

    def losses(self, history: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """-log p in nat of each of ``ids`` (n,), the first after ``history`` (two tokens)."""
        told = np.concatenate([history[-2:], ids]).astype(np.int64)
        return -np.log(self.probability(told[:-2], told[1:-1], told[2:]))

    def probability(self, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
        """p(c | a b), element by element."""
        v = self.vocab_size
        p = np.full(len(c), 1.0 / v)
        histories = [np.zeros_like(b), b, a * v + b]
        for order, history in zip(self._orders, histories, strict=True):
            total = order.total[history]
            known = np.maximum(total, 1.0)
            mixed = (order.discounted[history * v + c] + order.left[history] * p) / known
            p = np.where(total > 0, mixed, p)
        return p


def _order(keys: np.ndarray, counts: np.ndarray, v: int) -> _Order:
    taken = discounts(counts)[np.minimum(counts, 3)]
    history = keys // v
    first = np.flatnonzero(np.r_[True, history[1:] != history[:-1]])
    return _Order(
        _Table(keys, counts - taken),
        _Table(history[first], np.add.reduceat(counts.astype(np.float64), first)),
        _Table(history[first], np.add.reduceat(taken, first)),
    )


def discounts(counts: np.ndarray) -> np.ndarray:
    """(0, D1, D2, D3+) from how many n-grams were counted once, twice, three and four times."""
    t = np.bincount(np.minimum(counts, 5), minlength=6)[:5].astype(np.float64)
    y = t[1] / max(t[1] + 2 * t[2], 1.0)
    found = [0.0]
    for j in (1, 2, 3):
        found.append(min(max(j - (j + 1) * y * t[j + 1] / max(t[j], 1.0), 0.0), float(j)))
    return np.array(found)
