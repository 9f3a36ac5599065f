"""The sensory layer alone, taught digits in a given order, for scripts and benchmarks.

The layer, its read-out and its reward are those of the live engine; neuromodulators follow the
defaults of the group ``neuromod``.  No cortical stack, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from t4dm.kernels.neuromod import advance_levels
from t4dm.live.engine_sensory import Sensory, Values
from t4dm.live.engine_settings import read_levels
from t4dm.live.tree import ParamTree
from t4dm.stimuli.digits import digit_images
from t4dm.stimuli.params import StimulusParams
from t4dm.stimuli.presented import PresentedSource
from t4dm.stimuli.split import held_out

CHUNK = 64


class Lesson(PresentedSource):
    """The digits ``order`` (indices) one after the other, marked as training or held out."""

    kind = "digits"

    def __init__(self, params: StimulusParams, seed: int, order: np.ndarray, split: str) -> None:
        super().__init__(params, seed, 0)
        self.order, self.split = order, split
        self.images, self.labels = digit_images()

    def item(self, count: int) -> tuple[np.ndarray, str, int]:
        index = int(self.order[count])
        return self.images[index], str(self.labels[index]), index

    def onset(self, step: int, image: np.ndarray, label: str, index: int = 0) -> dict[str, Any]:
        return super().onset(step, image, label, index) | {"split": self.split}


class Lessons:
    """One layer of ``n`` neurons with its neuromodulators.

    ``params`` are values by path, e.g. ``{"sensory.reward": False}``; raises ParamError.
    """

    def __init__(self, n: int, seed: int, params: dict[str, Any] | None = None) -> None:
        self.tree = ParamTree(1)
        for path, value in (params or {}).items():
            self.tree.set(path, value)
        self.seed, self.step = seed, 0
        self.stimulus = StimulusParams()
        self.sensory = Sensory(n, seed, np.dtype("float32"), Values(self.tree))
        self.levels = read_levels(self.tree)
        self.level, self.boluses = self.levels.base.copy(), np.zeros(4)
        self.r_hat, self.spikes = 0.0, 0

    def observe(self, r: float) -> dict[str, float]:
        """DA += reward_gain * (r - r_hat); r_hat learns."""
        delta = r - self.r_hat
        self.boluses[0] += self.levels.reward_gain * delta
        told = {"r": r, "r_hat": self.r_hat, "delta": delta}
        self.r_hat += self.tree.get("neuromod.reward_rate") * delta
        return told

    def show(
        self, order: np.ndarray, split: str, each: Callable[[dict[str, Any]], None] | None = None
    ) -> None:
        """Show the digits ``order``; ``each`` is called with every answer."""
        lesson = Lesson(self.stimulus, self.seed, order, split)
        cycle = self.stimulus.image_ms + self.stimulus.rest_ms
        end = self.step + len(order) * cycle
        while self.step < end:
            for told in self._chunk(lesson, min(CHUNK, end - self.step)):
                if each is not None:
                    each(told)

    def _chunk(self, lesson: Lesson, n: int) -> list[dict[str, Any]]:
        rows, rest = np.zeros((n, 64), np.float32), np.zeros(n, bool)
        events = lesson.fill(self.step, rows, rest)
        onset = np.zeros(n, np.bool_)
        for event in events:
            onset[event["step"] - self.step] |= event["type"] == "stimulus"
        levels, out, gains = self.levels, np.zeros((n, 4)), np.zeros((n, 5))

        def release(a: int, b: int) -> None:
            advance_levels(
                self.step + a, b - a, self.level, self.boluses, levels.enabled, levels.every,
                levels.base, levels.keep, levels.held, onset[a:b], levels.onset_dose,
                out[a:b], gains[a:b],
            )  # fmt: skip

        told = self.sensory.advance(self.step, rows, events, out[:, 0], release, self.observe)
        self.spikes += int((self.sensory.out.winner[:n] >= 0).sum())
        self.step += n
        return told

    def test(self, order: np.ndarray) -> float:
        """Share of the digits ``order`` answered correctly; nothing is learnt, all is put back."""
        kept = {name: array.copy() for name, array in self.sensory.kept().items()}
        level, boluses, step, spikes = (
            self.level.copy(),
            self.boluses.copy(),
            self.step,
            self.spikes,
        )
        right: list[bool] = []
        self.show(order, "held_out", lambda told: right.append(told["right"]))
        for name, array in self.sensory.kept().items():
            array[...] = kept[name]
        self.level[:], self.boluses[:] = level, boluses
        self.step, self.spikes = step, spikes
        return float(np.mean(right))


def split_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the training and of the held-out digits."""
    kept = held_out(digit_images()[1], seed)
    return np.flatnonzero(~kept), np.flatnonzero(kept)


def teach(
    seed: int, n: int, passes: int, look_at: Sequence[int], params: dict[str, Any] | None = None
) -> list[tuple[int, float]]:
    """(training digits shown, held-out accuracy) at ``look_at`` digits and after each pass.

    Every pass shows all training digits in a new order drawn from ``seed``.
    """
    train, kept = split_of(seed)
    lessons, orders = Lessons(n, seed, params), np.random.default_rng(seed)
    order = np.concatenate([orders.permutation(train) for _ in range(passes)])
    stops = {*look_at, *(len(train) * (k + 1) for k in range(passes))}
    done, curve = 0, []
    for stop in sorted(stop for stop in stops if stop <= len(order)):
        lessons.show(order[done:stop], "train")
        curve.append((stop, lessons.test(kept)))
        done = stop
    return curve
