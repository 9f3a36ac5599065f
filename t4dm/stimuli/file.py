"""An uploaded file of currents or spike times, played millisecond by millisecond and over again.

Currents: a table of 64 numeric columns, one row a ms; NPZ: an array ``currents``, or the
only array.  Spike times: two columns (NPZ: two arrays) ``time_ms`` and ``unit``; a spike is a 1 in
the row of its millisecond.  All are multiplied by ``stimulus.amplitude``.  Read with pandas and
numpy; nothing in a file is ever executed.
"""

from __future__ import annotations

import io
import re
import secrets
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np

from t4dm.params import ParamError
from t4dm.stimuli.params import STIMULUS_WIDTH, StimulusParams
from t4dm.stimuli.source import Event, Source, stimulus
from t4dm.stimuli.tables import MAX_FILE_BYTES, MAX_VALUES, Table, read_table
from t4dm.store.files import write_durable

MAX_ABS = 1e6  # largest current taken
# What numpy and zipfile raise for an archive with flipped bits.
_DAMAGE = (BadZipFile, ValueError, KeyError, OSError, EOFError, NotImplementedError, RuntimeError,
           struct.error, zlib.error)  # fmt: skip
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class StimulusFile:
    """A checked file: ``values`` (T, 64) float32 currents or uint8 spike counts, one row a ms."""

    kind: Literal["currents", "spikes"]
    name: str
    values: np.ndarray

    @property
    def rows(self) -> int:
        return int(self.values.shape[0])

    @property
    def width(self) -> int:
        return int(self.values.shape[1])

    def at(self, place: np.ndarray, dt: float) -> np.ndarray:
        """(n, 64) what the file gives in the steps ``place`` of ``dt`` ms since its start.

        In short steps a current holds on and a spike stands in the first step of its ms; a long
        step has the mean of the currents and the sum of the spikes of its ms.
        """
        if dt <= 1:
            parts = int(1 / dt)
            found = self.values[place // parts % self.rows]
            return found * (place % parts == 0)[:, None] if self.kind == "spikes" else found
        each = int(dt)
        found = self.values[(place[:, None] * each + np.arange(each)) % self.rows]
        whole: np.ndarray = found.sum(axis=1, dtype=np.float32)
        return whole if self.kind == "spikes" else whole / each

    def passes(self, place: np.ndarray, dt: float) -> np.ndarray:
        """(n,) how many times it was played to its end by the end of the steps ``place``."""
        last = np.ceil((place + 1) * dt).astype(np.int64) - 1  # the ms in which a step ends
        return last // self.rows

    def save(self, data_dir: Path) -> str:
        """Keep the file under ``data_dir/uploads``; returns the id made for it."""
        folder = data_dir / "uploads"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file_id = secrets.token_hex(8)
        out = io.BytesIO()
        np.savez_compressed(
            out, values=self.values, kind=np.array(self.kind), name=np.array(self.name)
        )
        write_durable(folder / f"{file_id}.npz", out.getvalue())
        return file_id

    @classmethod
    def open(cls, data_dir: Path, file_id: str) -> StimulusFile:
        """The file kept under ``file_id``; raises ParamError if there is none, or a damaged one."""
        path = data_dir / "uploads" / f"{file_id}.npz"
        if not _ID.fullmatch(file_id) or not path.is_file():
            raise ParamError("stimulus.file_id", f"no uploaded file '{file_id[:20]}'")
        try:
            with np.load(path, allow_pickle=False) as kept:
                kind: Any = str(kept["kind"])
                return cls(kind, str(kept["name"]), kept["values"])
        except _DAMAGE:
            message = f"the uploaded file '{file_id}' is damaged; upload it again"
            raise ParamError("stimulus.file_id", message) from None


def load_stimulus_file(data: bytes, filename: str) -> StimulusFile:
    """Read and check an upload by its ending (.csv, .npz, .parquet).

    Raises ParamError that names ``file``, ``currents``, ``time_ms`` or ``unit``, the row and column
    at fault (counted from 1), and what was expected.
    """
    if len(data) > MAX_FILE_BYTES:
        raise ParamError(
            "file",
            f"file of {len(data)} bytes; at most {MAX_FILE_BYTES} bytes are taken",
            hi=MAX_FILE_BYTES,
            unit="B",
        )
    table = read_table(data, filename)
    name = Path(filename).name[:100]
    if table.has("time_ms", "unit"):
        return StimulusFile("spikes", name, _spike_counts(table))
    return StimulusFile("currents", name, _currents(table))


def _currents(table: Table) -> np.ndarray:
    values = table.matrix()
    if values.ndim != 2 or values.shape[1] != STIMULUS_WIDTH or not len(values):
        shape = " x ".join(map(str, values.shape))
        raise ParamError(
            "currents",
            f"currents of shape {shape}; expected T x {STIMULUS_WIDTH} with T >= 1: one row a"
            f" millisecond, one column for each of the {STIMULUS_WIDTH} inputs",
        )
    _refuse("currents", values, ~np.isfinite(values), "a finite number", table)
    _refuse("currents", values, np.abs(values) > MAX_ABS, f"at most {MAX_ABS:g} in size", table)
    return values.astype(np.float32)


def _spike_counts(table: Table) -> np.ndarray:
    times, units = table.column("time_ms"), table.column("unit")
    if len(times) != len(units) or not len(times):
        raise ParamError(
            "time_ms", f"{len(times)} times and {len(units)} units; expected as many, at least one"
        )
    most = MAX_VALUES // STIMULUS_WIDTH
    bad_time = ~(np.isfinite(times) & (times >= 0) & (times < most))
    _refuse("time_ms", times, bad_time, f"a time from 0 to below {most} ms", table)
    bad_unit = ~((units >= 0) & (units < STIMULUS_WIDTH) & (units == np.floor(units)))
    _refuse("unit", units, bad_unit, f"an integer from 0 to {STIMULUS_WIDTH - 1}", table)
    cells = times.astype(np.int64) * STIMULUS_WIDTH + units.astype(np.int64)
    cell, count = np.unique(cells, return_counts=True)
    counts = np.zeros((int(times.max()) + 1, STIMULUS_WIDTH), np.uint8)
    counts.ravel()[cell] = np.minimum(count, 255)
    return counts


def _refuse(field: str, values: np.ndarray, bad: np.ndarray, expected: str, table: Table) -> None:
    if not bad.any():
        return
    where = np.argwhere(bad)[0]
    column = f", column {table.names[where[1]]}" if values.ndim == 2 else ""
    value = values[tuple(where)]
    raise ParamError(
        field, f"{field}: row {where[0] + 1}{column} is {value:g}; expected {expected}"
    )


class NoFile(ParamError):
    """The file stimulus without a file that was uploaded."""

    code = "no_file"


def need_file(data_dir: Path | None, file_id: str) -> None:
    """Raises :class:`NoFile` unless ``file_id`` names an uploaded file that can be read."""
    if not file_id:
        raise NoFile(
            "stimulus.file_id", "the file stimulus needs a file: upload a file first (no file_id)"
        )
    try:
        _open(data_dir, file_id)
    except (ParamError, OSError, ValueError, KeyError, BadZipFile) as error:
        message = f"the file stimulus needs a file: {error}; upload a file first"
        raise NoFile("stimulus.file_id", message) from None


def _open(data_dir: Path | None, file_id: str) -> StimulusFile:
    if data_dir is None:
        raise ParamError("stimulus.file_id", "this run keeps no uploaded files")
    return StimulusFile.open(data_dir, file_id)


@stimulus("file")
class File(Source):
    """Plays ``stimulus.file_id``; without a readable file it rests and says why in a note."""

    def __init__(
        self, params: StimulusParams, seed: int, step: int, data_dir: Path | None = None
    ) -> None:
        super().__init__(params, seed, step, data_dir)
        self._file: StimulusFile | None = None
        self._trouble = ""
        try:
            self._file = _open(data_dir, params.file_id)
        except (ParamError, OSError, ValueError, KeyError, BadZipFile) as error:
            self._trouble = str(error)

    def fill(self, step0: int, rows: np.ndarray, rest: np.ndarray) -> list[Event]:
        if self._file is None:
            rest[:] = True
            return self._say_why(step0) if step0 == self.step0 else []
        place = np.arange(step0 - self.step0, step0 - self.step0 + len(rows))
        rows[:] = self._file.at(place, self.dt) * np.float32(self.params.amplitude)
        begun = self._file.passes(place, self.dt)
        return [
            self.onset(step0 + int(i), rows[i], self._file.name, int(begun[i]))
            for i in np.flatnonzero(begun > self._file.passes(place - 1, self.dt))
        ]

    def _say_why(self, step: int) -> list[Event]:
        note = self._event("note", step, text=f"file stimulus rests: {self._trouble}", who="run")
        return [self.silence(step), note]

    @property
    def spikes(self) -> bool:  # type: ignore[override]
        """Whether the file holds spike times."""
        return self._file is not None and self._file.kind == "spikes"
