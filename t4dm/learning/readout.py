"""What a layer's spikes say: labels from training items, answers, and the score on held-out ones.

    responses_jc <- responses_jc * k + n_j * [label = c];  seen_c <- seen_c * k + [label = c],  k = exp(-1/memory)
    label_j = argmax_c responses_jc / seen_c                of the neurons that ever answered
    vote_c  = sum of n_j over the neurons of label c / their number;   answer = argmax_c vote_c
n_j: spikes of neuron j during a presentation.  Diehl and Cook 2015, section 2.6; with k = 1 theirs.
N neurons  C classes
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

FORGOTTEN = 1e-6


class Answer(NamedTuple):
    """The class voted for, -1 for none, and its share of all votes (0 to 1)."""

    label: int
    share: float


class Readout:
    """``responses`` (N, C) and ``seen`` (C,), float64, are all the state there is."""

    def __init__(self, n: int, n_classes: int = 10, memory: float = 1437.0) -> None:
        self.responses, self.seen = np.zeros((n, n_classes)), np.zeros(n_classes)
        self.memory = memory

    def observe(self, counts: np.ndarray, label: int) -> None:
        """Take in the spikes (N,) of one training item."""
        keep = math.exp(-1.0 / self.memory)
        self.responses *= keep
        self.seen *= keep
        self.responses[:, label] += counts
        self.seen[label] += 1.0

    def labels(self) -> np.ndarray:
        """(N,) int64; -1 for a neuron that never fired or whose responses are forgotten."""
        rates = self.responses / np.maximum(self.seen, FORGOTTEN)
        return np.where(self.responses.sum(1) > FORGOTTEN, rates.argmax(1), -1)

    def answer(self, counts: np.ndarray) -> Answer:
        """The class that the spikes (N,) of one item speak for."""
        labels = self.labels()
        known = labels >= 0
        n_classes = len(self.seen)
        members = np.bincount(labels[known], minlength=n_classes)
        votes = np.bincount(labels[known], counts[known], n_classes) / np.maximum(members, 1)
        total = votes.sum()
        if total == 0:
            return Answer(-1, 0.0)
        best = int(votes.argmax())
        return Answer(best, float(votes[best] / total))


class Score:
    """Share of the last ``window`` held-out answers that were right, and its course since reset.

    The course holds at most ``points`` samples: when it is full every other one is dropped, and from
    then on only every second answer is kept.
    """

    def __init__(self, window: int = 100, points: int = 256) -> None:
        self.last = np.full(window, -1, np.int8)
        self.course = np.zeros((points, 3))
        self.numbers = np.array([0, 0, 1], np.int64)  # answers, points held, answers a point

    @property
    def answers(self) -> int:
        """Held-out items scored since reset."""
        return int(self.numbers[0])

    @property
    def accuracy(self) -> float:
        """NaN before the first answer."""
        told = self.last[self.last >= 0]
        return float(told.mean()) if len(told) else math.nan

    def add(self, right: bool, step: int, r_hat: float = 0.0) -> None:
        """Take in one answer given at ``step``, with the reward expected then."""
        answers, held, every = (int(v) for v in self.numbers)
        self.last[answers % len(self.last)] = right
        answers += 1
        if answers % every == 0:
            if held == len(self.course):
                self.course[: held // 2] = self.course[1:held:2]
                held, every = held // 2, 2 * every
            if answers % every == 0:
                self.course[held] = step, self.accuracy, r_hat
                held += 1
        self.numbers[:] = answers, held, every

    @property
    def curve(self) -> np.ndarray:
        """(P, 3) of the points so far: step, accuracy, r_hat."""
        return self.course[: int(self.numbers[1])].copy()
