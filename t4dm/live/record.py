"""What a run session publishes: the record of one step or of a few, as named arrays.

The manifest's ``series`` says of every array: ``{"per_step", "names", "shape", "dtype", "unit", "help"}``.
Of a ``per_step`` array the first axis is the step, ``step1 - step0`` rows; of all others the newest
counts.  ``sparse`` names columns (of the last axis) that are NaN but now and then.  numpy only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from t4dm.live import frame

MAX_ROWS = 20_000  # of a course; a longer one is thinned out
STEPS = "steps"
Series = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Record:
    """Steps [step0, step1) of one epoch; ``step1 == step0`` where only what is newest is told.

    Of a thinned-out course ``arrays["steps"]`` (u4) numbers the rows; else they are all there.
    """

    step0: int
    step1: int
    epoch: int = 0
    meta: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def steps(self) -> np.ndarray:
        """The step of each row, u4."""
        given = self.arrays.get(STEPS)
        return np.arange(self.step0, self.step1, dtype=np.uint32) if given is None else given

    def encode(self, **more: Any) -> bytes:
        """For the ring and the wire; ``more`` joins its meta."""
        where = {"step0": self.step0, "step1": self.step1, "epoch": self.epoch}
        return frame.encode(self.meta | more | where, self.arrays)

    @classmethod
    def decode(cls, data: bytes | memoryview) -> Record:
        """Raises :class:`t4dm.live.frame.FrameError` where ``data`` is no record."""
        meta, arrays = frame.decode(data)
        try:
            where = (int(meta.pop("step0")), int(meta.pop("step1")), int(meta.pop("epoch")))
        except KeyError as missing:
            raise frame.FrameError(f"a record without {missing}") from None
        return cls(*where, meta, arrays)


def merge(records: Sequence[Record], series: Series) -> Record:
    """One record of all of them, oldest first, of one epoch; raises ValueError for none.

    Rows are joined, ``steps`` numbers them; of everything else, and of ``meta``, the newest counts,
    but events are kept all.
    """
    if not records:
        raise ValueError("there is no record to merge")
    arrays: dict[str, np.ndarray] = {}
    meta: dict[str, Any] = {}
    events: list[dict[str, Any]] = []
    for record in records:
        arrays |= {n: a for n, a in record.arrays.items() if n != STEPS and not _rows(series, n)}
        meta |= record.meta
        events += record.meta.get("events", [])
    with_rows = [record for record in records if len(record.steps)]
    for name in (n for n in series if _rows(series, n)):
        parts = [record.arrays[name] for record in with_rows]
        if parts:
            arrays[name] = np.concatenate(parts)
    arrays[STEPS] = np.concatenate([record.steps for record in records]).astype(np.uint32)
    last = records[-1]
    return Record(records[0].step0, last.step1, last.epoch, meta | {"events": events}, arrays)


def _rows(series: Series, name: str) -> bool:
    return bool(name in series and series[name]["per_step"])


class Course:
    """The whole course of a run: every row, up to :data:`MAX_ROWS`, then every second, fourth, ...

    Rows in which a sparse column has a value are kept beside them, until they are too many.
    """

    def __init__(self, series: Series, max_rows: int = MAX_ROWS) -> None:
        self.series, self.max_rows = series, max_rows
        self.every = 1  # steps between two rows
        self._parts: list[Record] = []
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def clear(self) -> None:
        """Forget everything."""
        self.every, self._parts, self._rows = 1, [], 0

    def take(self, record: Record) -> None:
        """Add what comes next."""
        bare = replace(record, meta={})
        self._parts.append(bare if self.every == 1 else self._thinned(bare))
        self._rows += len(self._parts[-1].steps)
        if self._rows > self.max_rows:
            whole = self._shorter(self._whole())
            self._parts, self._rows = [whole], len(whole.steps)

    def _shorter(self, whole: Record) -> Record:
        """Half of the regular rows, or, where those are few, half of the rare ones."""
        regular = whole.steps % self.every == 0
        if regular.sum() > self.max_rows // 2:
            self.every *= 2
            return self._thinned(whole)
        return self._cut(whole, regular | (np.cumsum(~regular) % 2 == 0))

    def record(self, epoch: int) -> Record:
        """All of it as one record, also of no row at all."""
        if not self._parts:
            return Record(0, 0, epoch)
        return replace(self._whole(), epoch=epoch, meta={})

    def _whole(self) -> Record:
        if len(self._parts) > 1:
            self._parts = [replace(merge(self._parts, self.series), meta={})]
        return self._parts[0]

    def _thinned(self, record: Record) -> Record:
        keep = record.steps % self.every == 0
        for name, row in self.series.items():
            columns = [list(row["names"]).index(s) for s in row.get("sparse", ())]
            if row["per_step"] and columns and name in record.arrays and len(keep):
                values = record.arrays[name][..., columns]
                keep = keep | np.isfinite(values).reshape(len(keep), -1).any(axis=1)
        return self._cut(record, keep)

    def _cut(self, record: Record, keep: np.ndarray) -> Record:
        arrays = {n: a[keep] if _rows(self.series, n) else a for n, a in record.arrays.items()}
        return replace(record, arrays=arrays | {STEPS: record.steps[keep]})

    # -- what is kept --------------------------------------------------------------------------

    def state(self) -> dict[str, np.ndarray]:
        """A copy as bytes: NaN has its place in a course, and none in a checkpoint's numbers."""
        whole = self.record(0)
        kept = {name: as_bytes(array) for name, array in whole.arrays.items()}
        shapes = {name: [str(a.dtype), list(a.shape)] for name, a in whole.arrays.items()}
        told = {"every": self.every, "step0": whole.step0, "step1": whole.step1, "arrays": shapes}
        return kept | {"": np.frombuffer(frame.dumps(told).encode(), np.uint8)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """As it was when ``state`` was taken; raises ValueError or KeyError for another's."""
        told = json.loads(state[""].tobytes())
        arrays = {
            name: state[name].view(np.dtype(dtype)).reshape(shape).copy()
            for name, (dtype, shape) in told["arrays"].items()
        }
        self.clear()
        self.every = int(told["every"])
        if arrays:
            self._parts = [Record(told["step0"], told["step1"], 0, {}, arrays)]
            self._rows = len(self._parts[0].steps)


def as_bytes(array: np.ndarray) -> np.ndarray:
    """The bytes of ``array``, copied, u1."""
    return np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
