"""The window: segments merged and cut to a view.  Stream, REST, export and figures all use it.

Shapes: T steps, G groups, L blocks, D channels, K membranes, B sets of weights, Tg steps divisible by
4, M steps divisible by 250.  What a session does not publish is zero wide (``t4dm.live.segment``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

import numpy as np

from t4dm.live import frame
from t4dm.live.groups import Layout
from t4dm.live.segment import GATE_EVERY, HIST_EVERY, grid
from t4dm.step_length import STEP_MS


@dataclass(frozen=True, slots=True)
class Window:
    """Steps [step0, step1) of one epoch, cut to a view.

    ``spk_row[k]`` is an index into ``rows`` (neuron ids), ``spk_dt[k]`` a step minus ``step0``;
    spikes are in order of time.  Columns of ``u`` follow ``membrane`` (neuron ids) and are NaN
    where a neuron was not watched.  ``gate_steps`` and ``hist_steps`` date the coarser samples.
    """

    step0: int
    step1: int
    epoch: int
    layout: Layout
    rows: np.ndarray  # (R,) neuron ids
    membrane: np.ndarray  # (K,) neuron ids
    gate_block: int
    weights_block: int
    spk_row: np.ndarray  # u2
    spk_dt: np.ndarray  # u2, u4 in windows of more than 65,535 steps
    rates: np.ndarray  # u2 (T, G)
    u: np.ndarray  # f4 (T, K)
    theta: np.ndarray  # f4 (T, G)
    levels: np.ndarray  # f4 (T, 4)
    gains: np.ndarray  # f4 (T, 5)
    gate: np.ndarray  # u1 (Tg, D) of gate_block
    gate_mean: np.ndarray  # f4 (Tg, L)
    stim: np.ndarray  # u1 (T, 64)
    clamped: np.ndarray  # u2 (T, G)
    hist_exc: np.ndarray  # u4 (M, B, 64)
    hist_inh: np.ndarray  # u4 (M, B, 64)
    bounds: np.ndarray  # f4 (M, B, 2)
    pairs: np.ndarray  # u4 (M, B, P) by t_post - t_pre, P // 2 steps to either side
    receptive: np.ndarray  # u1 (0 or 1, 64, S) newest sample of the sensory weights
    neuron_labels: np.ndarray  # u1 (0 or 1, S)
    course: np.ndarray  # f4 (0 or 1, points, 3)
    attention_block: int
    attention: np.ndarray  # u1 (Tg, K) of attention_block, newest key last
    attention_keys: np.ndarray  # u1 (Tg,)
    events: list[dict[str, Any]]
    meta: dict[str, Any] = field(default_factory=dict)  # KEPT_META, hist_w_hi
    hist_step0: int | None = None  # where the samples begin, if before step0 (``t4dm.live.lead``)
    stim_range: np.ndarray = field(default_factory=partial(np.empty, (0, 0), "f4"))  # f4 (T, 3)
    moved: np.ndarray = field(default_factory=partial(np.empty, (0, 0), "f4"))  # f4 (M, B)
    matrix: np.ndarray = field(default_factory=partial(np.empty, (0, 0, 0), "u1"))  # (0 or 1, R, R)
    attention_heads: np.ndarray = field(  # (0 or 1, H, K, K) of attention_block: queries x keys
        default_factory=partial(np.empty, (0, 0, 0, 0), "u1")
    )

    @property
    def n_total(self) -> int:
        """Neurons of the session."""
        return self.layout.n_total

    @property
    def axis(self) -> str:
        """What a step is: ``sim_ms``, or for a watched module a ``step`` or a ``call`` of it."""
        return str(self.meta.get("axis", "sim_ms"))

    @property
    def dt(self) -> float:
        """How long a step lasts, ms; 1 where a step is no time."""
        return float(self.meta.get("dt", STEP_MS))

    @property
    def n_steps(self) -> int:
        return self.step1 - self.step0

    @property
    def t_ms(self) -> np.ndarray:
        """Time of every step, (T,) in ms."""
        return np.arange(self.step0, self.step1) * self.dt

    @property
    def stim_mean(self) -> np.ndarray:
        """Mean of the inputs of every step, f4 (T,); of the clipped ones where no other is known."""
        if self.stim_range.shape[1]:
            return self.stim_range[:, 2]
        return self.stim.mean(axis=1, dtype=np.float32) / np.float32(255)

    @property
    def stim_reach(self) -> tuple[float, float]:
        """Smallest and largest input of the window; ``stim`` is clipped where they leave 0..1."""
        if not self.stim_range.size:
            return 0.0, 1.0
        return float(self.stim_range[:, 1].min()), float(self.stim_range[:, 0].max())

    @property
    def stim_clipped(self) -> bool:
        """Whether ``stim`` holds another input than there was."""
        lo, hi = self.stim_reach
        return lo < 0 or hi > 1

    @property
    def gate_steps(self) -> np.ndarray:
        """Steps of the rows of ``gate``, ``gate_mean``, ``attention``, ``attention_keys``, (Tg,)."""
        return grid(self.step0, self.step1, GATE_EVERY)

    @property
    def hist_steps(self) -> np.ndarray:
        """Steps of ``hist_*``, ``bounds`` and ``pairs``, (M,)."""
        first = self.step0 if self.hist_step0 is None else self.hist_step0
        return grid(first, self.step1, HIST_EVERY)

    def header(self) -> dict[str, Any]:
        """What :meth:`encode` puts beside the arrays, as plain JSON data."""
        return {
            "epoch": self.epoch,
            "step0": self.step0,
            "step1": self.step1,
            "dt": self.dt,
            "t_ms": self.step1 * self.dt,
            "n_total": self.n_total,
            "sizes": self.layout.sizes,
            "rows": self.rows.tolist(),
            "membrane": self.membrane.tolist(),
            "gate_block": self.gate_block,
            "weights_block": self.weights_block,
            "attention_block": self.attention_block,
            "hist_steps": self.hist_steps.tolist(),
            "events": self.events,
            **self.meta,
        }

    def encode(self, meta: dict[str, Any] | None = None) -> bytes:
        """The frame of this window; ``meta`` is added to (and wins over) :meth:`header`."""
        arrays = {name: getattr(self, name) for name in WIRE_ARRAYS}
        return frame.encode(self.header() | (meta or {}), arrays)


WIRE_ARRAYS = tuple(f.name for f in fields(Window) if f.name in (
    "spk_row", "spk_dt", "rates", "u", "theta", "levels", "gains", "gate", "gate_mean", "stim",
    "clamped", "hist_exc", "hist_inh", "bounds", "pairs", "receptive", "neuron_labels", "course",
    "attention", "attention_keys", "matrix", "attention_heads", "stim_range",
))  # fmt: skip
