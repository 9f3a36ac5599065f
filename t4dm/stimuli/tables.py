"""CSV, Parquet and NPZ uploads as numbers: sizes are checked before anything is unpacked."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from t4dm.params import ParamError

if TYPE_CHECKING:
    import pandas as pd

MAX_FILE_BYTES = 20_000_000
MAX_VALUES = 20_000_000
_MAX_COLUMNS = 10_000


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns, or (from an NPZ) named arrays; ``whole`` is the array taken as currents."""

    columns: dict[str, np.ndarray]
    whole: np.ndarray
    names: list[str]

    def has(self, *wanted: str) -> bool:
        return all(name in self.columns for name in wanted)

    def column(self, name: str) -> np.ndarray:
        """Column ``name`` as (T,) float64; raises ParamError if it is no list of numbers."""
        values = np.asarray(self.columns[name])
        if values.ndim != 1:
            raise ParamError(name, f"{name}: shape {values.shape}; expected one number a spike")
        return _numbers(values, name)

    def matrix(self) -> np.ndarray:
        """All columns as float64; raises ParamError naming the first that holds no numbers."""
        return _numbers(self.whole, "currents")


def read_table(data: bytes, filename: str) -> Table:
    """The table in ``data``, read by the ending of ``filename``, of a name without one by its begin.

    Raises ParamError.
    """
    readers = {".csv": _read_csv, ".parquet": _read_parquet, ".npz": _read_npz}
    ending = Path(filename).suffix.lower() or _ending_of(data)
    if ending not in readers:
        raise ParamError(
            "file",
            f"unknown ending '{ending[:20]}'; expected .csv, .npz or .parquet",
            choices=list(readers),
        )
    if not data:
        raise ParamError("file", "the file is empty")
    try:
        return readers[ending](data)
    except ParamError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file makes its reader raise anything
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ParamError("file", f"not a readable {ending[1:]} file: {reason}") from None


def _ending_of(data: bytes) -> str:
    """The ending that files which begin like ``data`` have; what begins like none is text."""
    begins = {b"PK\x03\x04": ".npz", b"PAR1": ".parquet"}
    return begins.get(data[:4], ".csv")


def _read_csv(data: bytes) -> Table:
    import pandas as pd

    first = data.split(b"\n", 1)[0].decode("utf-8-sig")
    cells = [cell.strip().strip('"') for cell in first.split(",")]
    headless = all(_is_number(cell) for cell in cells) and not _are_column_numbers(cells)
    _check_size(len(cells), data.count(b"\n") + 1)
    frame = pd.read_csv(
        io.BytesIO(data),
        header=None if headless else 0,
        encoding="utf-8-sig",
        skipinitialspace=True,
        low_memory=False,
    )
    return _from_frame(frame)


def _read_parquet(data: bytes) -> Table:
    import pyarrow.parquet as pq

    parquet = pq.ParquetFile(io.BytesIO(data))
    _check_size(parquet.metadata.num_columns, parquet.metadata.num_rows)
    return _from_frame(parquet.read().to_pandas())


def _from_frame(frame: pd.DataFrame) -> Table:
    names = [str(name).strip() for name in frame.columns]
    if frame.columns.inferred_type == "integer":
        names = [str(place) for place in range(1, len(names) + 1)]
    arrays = [frame.iloc[:, i].to_numpy() for i in range(len(names))]
    columns = {name.lower(): array for name, array in zip(names, arrays, strict=True)}
    if {"time_ms", "unit"} <= columns.keys():
        return Table(columns, np.empty((0, 0)), names)
    numeric = [_numbers(array, f"column {name}") for name, array in zip(names, arrays, strict=True)]
    return Table(columns, np.stack(numeric, axis=1) if numeric else np.empty((0, 0)), names)


def _read_npz(data: bytes) -> Table:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        unpacked = sum(item.file_size for item in archive.infolist())
    if unpacked > 8 * MAX_VALUES + 100_000:
        raise _too_many(f"{unpacked} bytes unpacked")
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for array in arrays.values():
        if array.size > MAX_VALUES:
            raise _too_many(f"shape {array.shape}")
    if {"time_ms", "unit"} <= arrays.keys():
        return Table(arrays, np.empty((0, 0)), [])
    if "currents" not in arrays and len(arrays) != 1:
        raise ParamError(
            "file",
            f"arrays {', '.join(sorted(arrays)[:8])}; expected 'currents', or 'time_ms' and 'unit'",
        )
    whole = arrays["currents"] if "currents" in arrays else next(iter(arrays.values()))
    width = whole.shape[1] if whole.ndim == 2 else 0
    return Table(arrays, whole, [str(place) for place in range(1, width + 1)])


def _numbers(values: np.ndarray, what: str) -> np.ndarray:
    if values.size and values.dtype.kind not in "biuf":
        raise ParamError(
            what.split()[0], f"{what} holds values that are not numbers; expected numbers only"
        )
    return values.astype(np.float64)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _are_column_numbers(cells: list[str]) -> bool:
    """A first line 0,1,2,… or 1,2,3,… is the header that pandas writes for unnamed columns."""
    return len(cells) > 1 and any(
        cells == [str(place + first) for place in range(len(cells))] for first in (0, 1)
    )


def _check_size(columns: int, rows: int) -> None:
    if columns > _MAX_COLUMNS or rows * columns > MAX_VALUES:
        raise _too_many(f"{rows} rows x {columns} columns")


def _too_many(found: str) -> ParamError:
    return ParamError("file", f"{found}: rows x columns may be at most {MAX_VALUES}", hi=MAX_VALUES)
