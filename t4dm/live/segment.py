"""A segment: what happened in steps [step0, step1) of one epoch.  Immutable; numpy only.

Shapes: T steps, G groups, L blocks, D channels, W watched neurons, B sets of weights (a block of
the live stack has one), Tg steps divisible by :data:`GATE_EVERY`, M steps divisible by
:data:`HIST_EVERY`.  A session without gate, neuromodulators, stimulus or weights leaves those arrays
zero wide: L, B, or the width of ``levels``, ``gains``, ``stim`` is 0.  A session with a sensory layer
of S neurons samples it M times as well: ``receptive`` (M, 64, S) weights as shares of meta["w_shown"]
times 255, ``neuron_labels`` (M, S) with 255 for none, ``course`` (M, points, 3) step, accuracy and
expected reward of the run so far, NaN where there is no point yet.  A session with spike attention
samples it as it does the gate: ``attention`` (Tg, L, K) over the last K keys, newest last;
``attention_top`` (Tg, L) is the largest weight of a head, mean over the heads.  ``attention_heads``
(Mm, L, H, K, K) are the last K queries up to a step divisible by :data:`MATRIX_EVERY`, head by head,
oldest query first, each over its own last K keys, newest last: bytes that sum to 255 in a row, or a
row of 0 where its query was before the run or was not kept.
``stim_range`` (T, 3) is the largest, smallest and mean of the 64 inputs of a step as they are; ``stim``
holds them clipped to 0..1.  ``u_range`` (Tg, G, 3) is the largest, smallest and mean u_pre of all neurons of a group, NaN where it
is not measured; ``moved`` (M, B) the mean |change| of weights since the sample before, NaN for none.
``matrix`` (Mm, B, R, R) are the weights themselves at the Mm steps divisible by :data:`MATRIX_EVERY`, in
R x R cells, pre x post: 128 is 0, 255 is meta["w_hi"], 0 is -1; a cell is the mean of ceil(N/R) squared.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

import numpy as np

from t4dm.live import frame
from t4dm.live.groups import Layout

GATE_EVERY = 4
HIST_EVERY = 250
MATRIX_EVERY = 1000
MATRIX_ZERO = 128
HIST_BINS = 64
PAIR_BINS = 201
STIM_WIDTH = 64
GATE_FULL = 1.5
KEYS = 64
NO_LABEL = 255
_PER_STEP = ("spk_n", "rates", "u", "theta", "levels", "gains", "stim", "stim_range", "clamped")
_PER_GATE = ("gate", "gate_mean", "attention", "attention_keys", "attention_top", "u_range")
_PER_MATRIX = ("matrix", "attention_heads")
_PER_LAYER = ("receptive", "neuron_labels", "course")
_PER_HIST = ("hist_exc", "hist_inh", "bounds", "pairs", "moved", *_PER_LAYER)


def _none(dtype: str, *shape: int) -> np.ndarray:
    return np.empty((0, *shape), dtype)


@dataclass(frozen=True, slots=True)
class Segment:
    """Events and samples of steps [step0, step1); dtypes as in the comment of each line."""

    step0: int
    step1: int
    epoch: int
    spk_n: np.ndarray  # u2 (T,) spikes in each step
    spk_id: np.ndarray  # u2 (sum,) neuron ids, step after step, ascending in a step
    rates: np.ndarray  # u2 (T, G) spikes of each group
    u: np.ndarray  # f4 (T, W) u_pre of meta["watch"]
    theta: np.ndarray  # f4 (T, G)
    levels: np.ndarray  # f4 (T, 4) DA, ACh, NE, 5HT
    gains: np.ndarray  # f4 (T, 5)
    gate: np.ndarray  # u1 (Tg, L, D) round(g/1.5*255)
    gate_mean: np.ndarray  # f4 (Tg, L)
    stim: np.ndarray  # u1 (T, 64) round(255*clip(stim, 0, 1))
    clamped: np.ndarray  # u2 (T, G)
    hist_exc: np.ndarray  # u4 (M, B, 64) over [0, w_hi]
    hist_inh: np.ndarray  # u4 (M, B, 64) over [w_lo, 0]
    bounds: np.ndarray  # f4 (M, B, 2) share of plastic weights at 0 and at w_max
    pairs: np.ndarray  # u4 (M, B, P) spike pairs of the last second by dt, P // 2 steps each way
    meta: dict[str, Any]
    receptive: np.ndarray = field(default_factory=partial(_none, "u1", 64, 0))
    neuron_labels: np.ndarray = field(default_factory=partial(_none, "u1", 0))
    course: np.ndarray = field(default_factory=partial(_none, "f4", 0, 3))
    attention: np.ndarray = field(default_factory=partial(_none, "u1", 0, KEYS))
    attention_keys: np.ndarray = field(default_factory=partial(_none, "u1", 0))
    attention_top: np.ndarray = field(default_factory=partial(_none, "f4", 0))
    u_range: np.ndarray = field(default_factory=partial(_none, "f4", 0, 3))
    moved: np.ndarray = field(default_factory=partial(_none, "f4", 0))
    stim_range: np.ndarray = field(default_factory=partial(_none, "f4", 0))
    matrix: np.ndarray = field(default_factory=partial(_none, "u1", 0, 0, 0))
    attention_heads: np.ndarray = field(default_factory=partial(_none, "u1", 0, 0, KEYS, KEYS))

    @property
    def layout(self) -> Layout:
        """The groups behind the columns of ``rates``; without a list of them, a stack's stages."""
        if "groups" in self.meta:
            return Layout.from_text(self.meta["groups"])
        return Layout.stack(self.rates.shape[1], self.gate.shape[2])

    def encode(self) -> bytes:
        arrays = {name: getattr(self, name) for name in ARRAYS}
        head = {"step0": self.step0, "step1": self.step1, "epoch": self.epoch}
        return frame.encode({**self.meta, **head}, arrays)

    @classmethod
    def decode(cls, data: bytes) -> Segment:
        """The segment in ``data``; raises :class:`t4dm.live.frame.FrameError` if it is none."""
        meta, arrays = frame.decode(data)
        try:
            step0, step1 = meta.pop("step0"), meta.pop("step1")
            return cls(step0=step0, step1=step1, epoch=meta["epoch"], meta=meta, **arrays)
        except (KeyError, TypeError) as error:
            raise frame.FrameError(f"no segment: {error}") from None

    def crop(self, step0: int, step1: int) -> Segment:
        """The part inside [step0, step1); raises ValueError where nothing is left."""
        a, b = max(step0, self.step0), min(step1, self.step1)
        if (a, b) == (self.step0, self.step1):
            return self
        if a >= b:
            raise ValueError(
                f"steps {step0} to {step1} are outside segment {self.step0} to {self.step1}"
            )
        spikes = np.concatenate(([0], np.cumsum(self.spk_n, dtype=np.int64)))
        ids = self.spk_id[spikes[a - self.step0] : spikes[b - self.step0]]
        changed: dict[str, Any] = {"step0": a, "step1": b, "spk_id": ids}
        for names, steps in (
            (_PER_STEP, np.arange(self.step0, self.step1)),
            (_PER_GATE, grid(self.step0, self.step1, GATE_EVERY)),
            (_PER_HIST, grid(self.step0, self.step1, HIST_EVERY)),
            (_PER_MATRIX, grid(self.step0, self.step1, MATRIX_EVERY)),
        ):
            i, j = np.searchsorted(steps, (a, b))
            changed |= {name: getattr(self, name)[i:j] for name in names}
        events = [e for e in self.meta.get("events", []) if a <= e["step"] < b]
        kept = [s for s in self.meta.get("hist_steps", []) if a <= s < b]
        changed["meta"] = {**self.meta, "events": events, "hist_steps": kept}
        return replace(self, **changed)


def grid(step0: int, step1: int, every: int) -> np.ndarray:
    """The steps of [step0, step1) that are divisible by ``every``."""
    return np.arange(-(-step0 // every) * every, step1, every)


ARRAYS = tuple(f.name for f in fields(Segment) if f.name not in ("step0", "step1", "epoch", "meta"))
