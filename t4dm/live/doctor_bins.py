"""From segments to the evidence of the health rules: bins of 100 ms on the absolute grid of steps.

A bin is reduced from all its steps at once, so that what is found does not depend on how the steps
were cut into segments.  Bins that were not seen whole are left out.
"""

# T steps, Tg sampled steps of a bin  G groups  L blocks  B sets of weights

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from t4dm.health.evidence import HELD, Bin, Weights
from t4dm.health.params import BIN_MS
from t4dm.live.attention import relative_entropy
from t4dm.live.groups import Layout
from t4dm.live.segment import GATE_EVERY, HIST_EVERY, Segment
from t4dm.spiking.params import NEUROMODULATORS
from t4dm.step_length import STEP_MS

ATTENTION_EVERY = 5  # bins: one of them is asked for attention, which costs most
_SAMPLES_MS = 4800  # of samples of the weights


class Part(NamedTuple):
    """Steps [a, b) of ``segment``."""

    segment: Segment
    a: int
    b: int


class Bins:
    """The last bins and samples of weights of a run that begins at ``step``."""

    def __init__(self, layout: Layout, step: int, dt: float = STEP_MS) -> None:
        self._dt = dt
        self.steps = int(BIN_MS / dt)
        self._sizes = np.array(layout.sizes, np.float64)
        self._queries = [g.index for g in layout.groups if g.stage == "lif_in"]
        self._parts: list[Part] = []
        self._whole: list[Segment] = []  # taken since, none of which ends a bin
        self._end = 0  # of the bins in the room for them
        self._skip_to = -(-step // self.steps) * self.steps
        self._held: Bin | None = None
        self.count = 0
        self.measured: set[str] = set()  # fields of which a value was ever known
        self._told: tuple[tuple[int, int], Weights] | None = None
        self._weights: deque[tuple[int, Segment, int]] = deque(
            maxlen=int(_SAMPLES_MS / (HIST_EVERY * dt))
        )

    def take(self, segment: Segment) -> Iterator[int]:
        """Add ``segment``, which follows the one before; yields each step at which a bin ends."""
        for held in (*self._whole, segment):
            yield from self._take(held)
        self._whole.clear()

    def holds(self, segment: Segment) -> bool:
        """Whether ``segment`` ends no bin; it is then kept for the one that does."""
        if segment.step0 // self.steps != segment.step1 // self.steps:
            return False
        self._whole.append(segment)
        return True

    def _take(self, segment: Segment) -> Iterator[int]:
        at = max(segment.step0, self._skip_to)
        while at < segment.step1:
            line = (at // self.steps + 1) * self.steps
            end = min(line, segment.step1)
            self._parts.append(Part(segment, at, end))
            for row, step in enumerate(segment.meta.get("hist_steps", [])):
                if at <= step < end:
                    self._weights.append((step, segment, row))
            if end == line:
                self._keep(self._reduced(line))
                self._parts.clear()
                yield line
            at = end

    def _keep(self, one: Bin) -> None:
        """Append ``one`` to the room for 2 * HELD bins; the last HELD move to its front when full."""
        if self._held is None:
            room = (np.zeros((2 * HELD, *column.shape), column.dtype) for column in one)
            self._held = Bin(*room)
        at = self._end
        if at == 2 * HELD:
            for column in self._held:
                column[:HELD] = column[HELD:]
            at = HELD
        for column, value in zip(self._held, one, strict=True):
            column[at] = value
        self._end = at + 1
        self.count += 1
        for name, value in zip(Bin._fields, one, strict=True):
            if name not in self.measured and np.isfinite(value).any():
                self.measured.add(name)

    # -- one bin -------------------------------------------------------------------------------

    def _reduced(self, end: int) -> Bin:
        parts = self._parts
        rates, levels, stim = (_steps(parts, name) for name in ("rates", "levels", "stim"))
        u = _sampled(parts, "u_range")
        entropy, top = self._attention(rates, end)
        events = [
            e
            for segment, a, b in parts
            for e in segment.meta.get("events", ())
            if a <= e["step"] < b
        ]
        n_groups = rates.shape[1]
        nothing = np.full(n_groups, np.nan)
        has_u = u.shape[1] == n_groups and len(u) > 0
        return Bin(
            fired=_mean_of(rates) / self._sizes / self._dt,
            u_high=u[:, :, 0].max(axis=0) if has_u else nothing,
            u_low=u[:, :, 1].min(axis=0) if has_u else nothing,
            u_mean=_mean_of(u[:, :, 2]) if has_u else nothing,
            theta=_mean_of(_steps(parts, "theta")),
            clamped=_mean_of(_steps(parts, "clamped")) / self._sizes,
            gate=_gate(parts),
            entropy=entropy,
            top=top,
            level_low=levels.min(axis=0) if levels.shape[1] else np.full(4, np.nan),
            level_high=levels.max(axis=0) if levels.shape[1] else np.full(4, np.nan),
            onsets=np.array(sum(e["type"] == "stimulus" for e in events)),
            rewards=np.array(_rewarded(events)),
            injected=_injected(events),
            driven=stim.any(axis=1).mean() if stim.shape[1] else np.array(1.0),
        )

    def _attention(self, rates: np.ndarray, end: int) -> tuple[np.ndarray, np.ndarray]:
        """(L,) relative entropy and (L,) largest weight, means over the queries that can be judged.

        In every ATTENTION_EVERY-th bin of the grid, NaN in the others.
        """
        n_blocks = len(self._queries)
        nothing = np.full(n_blocks, np.nan)
        if (end // self.steps) % ATTENTION_EVERY:
            return nothing, nothing
        sampled = _sampled(self._parts, "attention")
        if not len(sampled) or sampled.shape[1] != n_blocks:
            return nothing, nothing
        keys, top = _sampled(self._parts, "attention_keys"), _sampled(self._parts, "attention_top")
        fired = rates[first_sampled(self._parts) :: GATE_EVERY, self._queries]
        found = relative_entropy(sampled.reshape(-1, sampled.shape[2]), keys.ravel(), fired.ravel())
        found = found.reshape(fired.shape)
        judged = np.isfinite(found)
        top = top if top.shape == judged.shape else np.full(judged.shape, np.nan)
        return _mean_where(judged, found), _mean_where(judged, top)

    # -- what rules see ------------------------------------------------------------------------

    def stacked(self) -> Bin:
        """The last bins, HELD at most, each array with the bins in front; views."""
        if self._held is None:
            return Bin(*([np.empty((0, 0))] * len(Bin._fields)))
        first = max(0, self._end - HELD)
        return Bin(*(column[first : self._end] for column in self._held))

    def weights(self, ms: float) -> Weights:
        """The newest sample, and how far weights moved in those of the last ``ms``."""
        n = max(1, round(ms / (HIST_EVERY * self._dt)))
        key = (self._weights[-1][0] if self._weights else -1, n)
        if self._told is None or self._told[0] != key:
            self._told = (key, self._measured(n))
        return self._told[1]

    def _measured(self, n: int) -> Weights:
        newest = list(self._weights)[-n:]
        if not newest or not newest[-1][1].bounds.shape[1]:
            none = np.empty(0)
            return Weights(none, np.empty((0, 2)), np.zeros(201), none, 0, 0.0, 0.0)
        step, segment, row = newest[-1]
        steps = [s.moved[r] for _, s, r in newest if s.moved.shape[1]]
        moved = np.array(steps, np.float64) * (1000.0 / (HIST_EVERY * self._dt))
        known = moved[np.isfinite(moved).all(axis=1)] if len(moved) else moved
        mean = np.add.reduce(known, axis=0) / max(1, len(known))
        bounds, pairs = segment.bounds[row], _pairs(segment, row)
        span = len(known) * HIST_EVERY * self._dt
        return Weights(mean, bounds, pairs, _mean(segment, row), len(known), step * self._dt, span)


def _mean_of(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis, float64."""
    return np.add.reduce(values, axis=0, dtype=np.float64) / len(values)


def _steps(parts: Sequence[Part], name: str) -> np.ndarray:
    """Field ``name``, which has a row a step, over all ``parts``."""
    return np.concatenate([
        getattr(s, name) if (a, b) == (s.step0, s.step1)
        else getattr(s, name)[a - s.step0 : b - s.step0]
        for s, a, b in parts
    ])  # fmt: skip


def _sampled(parts: Sequence[Part], name: str) -> np.ndarray:
    """Field ``name``, which has a row at every step divisible by GATE_EVERY."""
    return np.concatenate([
        getattr(s, name) if (a, b) == (s.step0, s.step1)
        else getattr(s, name)[_rows(a) - _rows(s.step0) : _rows(b) - _rows(s.step0)]
        for s, a, b in parts
    ])  # fmt: skip


def first_sampled(parts: Sequence[Part]) -> int:
    """Where in ``parts`` the first step divisible by GATE_EVERY lies."""
    return -parts[0].a % GATE_EVERY


def _rows(step: int) -> int:
    """Sampled steps before ``step``."""
    return -(-step // GATE_EVERY)


def _gate(parts: Sequence[Part]) -> np.ndarray:
    """(L,) mean openness over 0.5 + ACh, which multiplies the sigmoid."""
    openness = _sampled(parts, "gate_mean")
    if not openness.shape[1] or not len(openness):
        return np.full(openness.shape[1], np.nan)
    gains = _steps(parts, "gains")
    if not gains.shape[1]:
        return _mean_of(openness)
    return _mean_of(openness / gains[first_sampled(parts) :: GATE_EVERY, :1])


def _mean_where(judged: np.ndarray, values: np.ndarray) -> np.ndarray:
    counts = judged.sum(axis=0)
    sums = np.where(judged, values, 0.0).sum(axis=0, dtype=np.float64)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _rewarded(events: Sequence[dict[str, Any]]) -> float:
    """Sum of |delta| of the rewards that the task gave; those by hand bypass the expectation."""
    return float(sum(abs(e["delta"]) for e in events if "delta" in e and e["type"] != "reward"))


def _injected(events: Sequence[dict[str, Any]]) -> np.ndarray:
    """(4,) sum of |level| of the boluses by hand, and of |r| of the rewards by hand for DA."""
    sums = np.zeros(4)
    for event in events:
        if event["type"] == "inject" and event["nt"] in NEUROMODULATORS:
            sums[NEUROMODULATORS.index(event["nt"])] += abs(event["level"])
        elif event["type"] == "reward":
            sums[0] += abs(event["r"])
    return sums


def _pairs(segment: Segment, row: int) -> np.ndarray:
    """(P,) pairs of all sets of weights."""
    return segment.pairs[row].sum(axis=0, dtype=np.float64)


def _mean(segment: Segment, row: int) -> np.ndarray:
    """(B,) mean weight by the histograms, middle of each bin."""
    exc, inh = segment.hist_exc[row].astype(np.float64), segment.hist_inh[row].astype(np.float64)
    middle = (np.arange(exc.shape[1]) + 0.5) / exc.shape[1]
    sums = exc @ (middle * segment.meta.get("w_hi", 1.0)) + inh @ (middle - 1.0)
    return sums / np.maximum(exc.sum(axis=1) + inh.sum(axis=1), 1.0)
