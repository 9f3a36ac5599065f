"""A panel's numbers as files: CSV for spreadsheets, NPZ for scripts."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from dashboard.panels.base import Panel
from t4dm.live.frame import dumps
from t4dm.live.window import Window

MAX_CELLS = 4_000_000
CELLS_A_PART = 20_000
VALUE, TIME = ".7g", ".15g"  # a run of days is still told to a quarter of a ms


class TooLarge(ValueError):
    """A table with more cells than one answer may hold."""


def to_csv(panel: Panel, window: Window) -> Iterator[str]:
    """The panel's columns in parts, one header line first; raises :class:`TooLarge` at once.

    Between two parts other requests get their turn.
    """
    columns = panel.table(window)
    rows = max((len(column) for column in columns.values()), default=0)
    if rows * len(columns) > MAX_CELLS:
        raise TooLarge(f"{rows} x {len(columns)} cells are more than {MAX_CELLS}")
    return _csv_parts(columns, rows)


def _csv_parts(columns: dict[str, np.ndarray], rows: int) -> Iterator[str]:
    step = max(1, CELLS_A_PART // max(1, len(columns)))
    for first in range(0, max(rows, 1), step):
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        if first == 0:
            writer.writerow(columns)
        parts = [
            _cells(column[first : first + step], TIME if name.endswith("_ms") else VALUE)
            for name, column in columns.items()
        ]
        writer.writerows(zip(*parts, strict=True))
        yield out.getvalue()
        time.sleep(0)


def to_npz(panel: Panel, window: Window, meta: dict[str, Any]) -> bytes:
    """The window's arrays of this panel with ``rows``, ``membrane`` and ``meta`` (JSON text)."""
    arrays = {name: getattr(window, name) for name in panel.arrays}
    arrays |= {"rows": np.asarray(window.rows), "membrane": np.asarray(window.membrane)}
    arrays["hist_steps"], arrays["gate_steps"] = window.hist_steps, window.gate_steps
    arrays["meta"] = np.array(dumps(window.header() | meta))
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def _cells(column: np.ndarray, spec: str) -> list[Any]:
    if column.dtype.kind == "f":
        return [format(value, spec) if np.isfinite(value) else "" for value in column.tolist()]
    return column.tolist()
