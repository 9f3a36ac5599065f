"""The sensory layer of an engine: its steps, its read-out, and the reward its answers earn.

A digit is shown from its ``stimulus`` event to the next event.  Training digits move weights and
thresholds, give neurons their labels, and are answered ``answer_ms`` after their onset, on the next
line of the absolute 8-step grid; the answer earns a reward.  Held-out digits are answered at their
end and scored; nothing is learnt while one is shown, nor in the rest after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from t4dm.kernels.learning import finite
from t4dm.kernels.products import TILE
from t4dm.kernels.sensory import SensoryArrays, SensoryOutput, arrays_of, sensory_steps
from t4dm.kernels.stack_arrays import CHUNK, HIST_EVERY, Output
from t4dm.learning.readout import Answer, Readout, Score
from t4dm.learning.reward import compute_reward
from t4dm.live.segment import NO_LABEL
from t4dm.spiking.init import uniform
from t4dm.spiking.sensory import AFFERENTS, SensoryLayer
from t4dm.step_length import steps_of

Event = dict[str, Any]
NEVER = -1
FREE, TRAIN, HELD_OUT = range(3)
SPLITS = {"train": TRAIN, "held_out": HELD_OUT}
SHOWN_SHARE = 0.4
FEED_SHARE = 0.1
_SEED_OFFSET = 0x5E45


class Values:
    """The parameters of the layer as the kernel and the read-out take them."""

    def __init__(self, tree: Any) -> None:
        def get(name: str) -> Any:
            return tree.get(f"sensory.{name}")

        dt = self.dt = tree.dt
        self.enabled: bool = get("enabled")
        self.learns: bool = get("stdp") and tree.get("stdp.enabled")
        self.rewarded: bool = get("reward")
        self.answer_steps = steps_of(get("answer_ms"), dt)
        self.memory: int = get("memory")
        self.feed: float = get("feed")
        self.w_shown: float = SHOWN_SHARE * get("w_norm")
        self.settings = np.array([
            get("alpha"), get("gain"), get("v_thresh"), get("inhibition"),
            steps_of(get("refractory_ms"), dt), get("theta_plus"),
            np.exp(-1.0 / (get("theta_tau") / dt)), np.exp(-1.0 / (get("trace_tau") / dt)),
            get("learning_rate"), get("tonic"), get("phasic"), get("x_target"), get("w_norm"),
        ])  # fmt: skip


def sensory_layer(n: int, seed: int, dtype: torch.dtype) -> SensoryLayer:
    """The layer that a session of ``seed`` starts from."""
    return SensoryLayer(n, torch.Generator().manual_seed(seed ^ _SEED_OFFSET), dtype)


def feed_rows(n: int, dim: int, seed: int, dtype: torch.dtype) -> torch.Tensor:
    """(N, D) fixed projection into block 0: a neuron reaches a tenth of the channels, U(0.5, 1.5)."""
    generator = torch.Generator().manual_seed(seed ^ (_SEED_OFFSET << 16))
    reached = torch.rand(n, dim, generator=generator, dtype=torch.float64) < FEED_SHARE
    return (reached * uniform((n, dim), 0.5, 1.5, generator)).to(dtype)


class Sensory:
    """A running layer of ``n`` neurons that reaches ``dim`` channels of block 0."""

    def __init__(self, n: int, seed: int, real: np.dtype, values: Values, dim: int = 0) -> None:
        self.values, self.n = values, n
        dtype = getattr(torch, real.name)
        layer = sensory_layer(n, seed, dtype)
        self.feed_rows = feed_rows(n, dim, seed, dtype).numpy()
        self.arrays: SensoryArrays = arrays_of(layer.weight.numpy().copy())
        self.readout, self.score = Readout(n), Score()
        self.shown = np.array([-1, FREE, NEVER, 0], np.int64)  # label, split, answer step, showing
        self.expected = np.zeros(1)  # r_hat at the last rewarded answer
        self._current = np.zeros(n, real)
        self.receptive = np.zeros((1, AFFERENTS, n), np.uint8)
        self.labels = np.full((1, n), NO_LABEL, np.uint8)
        self.watch(np.zeros((0, 2), np.int64), np.zeros((CHUNK, 0), np.float32))

    def watch(self, watched: np.ndarray, u_pre: np.ndarray) -> None:
        """Record membranes: neuron ``watched[:, 1]`` in column ``watched[:, 0]`` of ``u_pre``."""
        self._watched = watched
        self.out = SensoryOutput(
            np.full(CHUNK, -1, np.int32), np.zeros(CHUNK, np.float32), u_pre,
            np.full(1, NEVER, np.int64),
        )  # fmt: skip

    # -- time ----------------------------------------------------------------------------------

    def advance(
        self,
        step0: int,
        rows: np.ndarray,
        events: list[Event],
        da: np.ndarray,
        release: Callable[[int, int], None],
        observe: Callable[[float], Event],
    ) -> list[Event]:
        """Steps step0 .. of ``rows`` (n, 64) with the stimulus events of these steps.

        ``release(a, b)`` fills ``da`` (n,) for the rows a .. b - 1, once each, in order;
        ``observe(r)`` takes a reward that acts from the next row to be released, and returns what
        the event tells of it.  Returns the events of the layer.
        """
        at, end, told = step0, step0 + len(rows), []
        self.out.strange[0] = NEVER
        if not self.values.enabled:
            self._stand_still()
            release(0, len(rows))
            return []
        turns = {e["step"]: e for e in events if e["type"] in ("stimulus", "rest")}
        while at < end:
            if at % HIST_EVERY == 0:
                self._sample()
            if at in turns:
                told += self._turn(turns[at])
            if at == self.shown[2]:
                told += self._reward(at, observe)
            sample = (at // HIST_EVERY + 1) * HIST_EVERY
            stop = min(end, sample, *(s for s in (*turns, int(self.shown[2])) if s > at))
            a, b = at - step0, stop - step0
            release(a, b)
            sensory_steps(
                at, rows[a:b], da[a:b], self.plastic, self.values.learns, self.values.settings,
                self.arrays, self._watched, a, self.out, self._current,
            )  # fmt: skip
            at = stop
        return told

    def _stand_still(self) -> None:
        """The steps of a layer that is switched off."""
        self.forget_shown()
        self.out.winner.fill(-1)
        self.out.theta.fill(self.values.settings[2] + self.arrays.theta_a.mean())
        for column, neuron in self._watched:
            self.out.u_pre[:, column] = self.arrays.u[neuron]

    @property
    def plastic(self) -> bool:
        """Whether thresholds and weights may change now."""
        return bool(self.shown[1] != HELD_OUT)

    def forget_shown(self) -> None:
        """The stimulus was replaced: what was shown is neither learnt nor scored."""
        self.shown[:] = -1, FREE, NEVER, 0

    def _sample(self) -> None:
        """Keep the weights, scaled to bytes, and the labels as they are now."""
        share = np.clip(np.nan_to_num(self.arrays.weight) / self.values.w_shown, 0.0, 1.0)
        self.receptive[0] = np.rint(255.0 * share)
        labels = self.readout.labels()
        self.labels[0] = np.where(labels < 0, NO_LABEL, labels)

    def course(self, samples: int = 1) -> np.ndarray:
        """(1, points, 3) float32: step, accuracy, r_hat of the run so far; NaN where none yet.

        (0, points, 3) for no ``samples``.
        """
        if samples == 0:
            return np.empty((0, *self.score.course.shape), np.float32)
        held = int(self.score.numbers[1])
        course = self.score.course.astype(np.float32)
        course[held:] = np.nan
        return course[None]

    def told(self) -> dict[str, Any]:
        """How well it does, as JSON data; accuracy is None before the first held-out digit."""
        score = self.score
        accuracy = None if score.answers == 0 else round(score.accuracy, 4)
        return {"accuracy": accuracy, "scored": score.answers, "window": len(score.last)}

    def write(self, out: Output, n: int, group: int) -> None:
        """Put the last ``n`` steps into row ``group`` of what the engine shows."""
        winner = self.out.winner[:n]
        out.counts[group, :n] = winner >= 0
        out.ids[group, :n, 0] = np.maximum(winner, 0)
        out.theta[group, :n] = self.out.theta[:n]

    def fault(self) -> str | None:
        """Name of the first tensor that is not finite."""
        for name in ("weight", "theta_a", "trace", "u"):
            if not finite(getattr(self.arrays, name).reshape(-1)):
                return f"sensory.{name}"
        return "sensory.u_pre" if self.out.strange[0] != NEVER else None

    # -- presentations -------------------------------------------------------------------------

    def _turn(self, event: Event) -> list[Event]:
        """A presentation begins or ends at ``event``."""
        step = event["step"]
        told = self._end(step) if self.shown[3] else []
        if event["type"] == "rest":
            self.shown[2:] = NEVER, 0
            return told
        split = SPLITS.get(event.get("split", ""), FREE)
        label = int(event["label"]) if split != FREE else -1
        answer_at = NEVER
        if split == TRAIN:
            answer_at = -(-(step + self.values.answer_steps) // TILE) * TILE
        self.shown[:] = label, split, answer_at, 1
        self.arrays.counts.fill(0)
        return told

    def _end(self, step: int) -> list[Event]:
        label, split = int(self.shown[0]), int(self.shown[1])
        if split == TRAIN:
            self.readout.memory = self.values.memory
            self.readout.observe(self.arrays.counts, label)
        if split != HELD_OUT:
            return []
        answer = self.readout.answer(self.arrays.counts)
        self.score.add(answer.label == label, step, float(self.expected[0]))
        more = {"accuracy": self.score.accuracy, "scored": self.score.answers}
        return [self._told("held_out", step, label, answer) | more]

    def _reward(self, step: int, observe: Callable[[float], Event]) -> list[Event]:
        """The answer to a training digit, and what it earns."""
        self.shown[2] = NEVER
        label = int(self.shown[0])
        answer = self.readout.answer(self.arrays.counts)
        told = self._told("train", step, label, answer)
        if self.values.rewarded:
            told |= observe(reward_of(answer, label))
            self.expected[0] = told["r_hat"]
        return [told]

    def _told(self, split: str, step: int, label: int, answer: Answer) -> Event:
        return {
            "type": "answer",
            "step": step,
            "t_ms": step * self.values.dt,
            "split": split,
            "label": str(label),
            "answer": None if answer.label < 0 else str(answer.label),
            "right": answer.label == label,
            "share": round(answer.share, 4),
        }

    # -- state ---------------------------------------------------------------------------------

    def kept(self) -> dict[str, np.ndarray]:
        """Every array that a resumed run needs; views."""
        return self.arrays._asdict() | {
            "responses": self.readout.responses,
            "seen": self.readout.seen,
            "shown": self.shown,
            "expected": self.expected,
            "scored": self.score.last,
            "course": self.score.course,
            "answers": self.score.numbers,
        }


def reward_of(answer: Answer, label: int) -> float:
    """r of an answer: an unsure one earns, or costs, less; none at all is worth 0."""
    if answer.label < 0:
        return compute_reward("neutral")
    outcome = "success" if answer.label == label else "failure"
    return compute_reward(outcome, prediction_error=1.0 - answer.share)
