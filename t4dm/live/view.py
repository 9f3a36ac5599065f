"""Which part of a window is wanted, and what that means in a session: rows, membranes, blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from t4dm.live.groups import Layout
from t4dm.params import ParamError

DEFAULT_ROWS = "spread:200"
DEFAULT_MEMBRANES = 6
MAX_MEMBRANES = 64
ID = "[0-9]{1,9}"
IDS = f"{ID}(,{ID})*,?"
NAMED_ROWS = f"all|spread:[1-9][0-9]{{0,8}}|stage:{ID}|block:{ID}"
MEMBRANES = f"{ID}(,{ID}){{0,{MAX_MEMBRANES - 1}}},?"
Rows = str | tuple[int, ...]
WEIGHTS_VIEWS = ("histogram", "matrix")
ATTENTION_VIEWS = ("age", "matrix")


@dataclass(frozen=True, slots=True)
class View:
    """Which part of a window is wanted.

    rows: neuron ids, or ``spread:n`` (n rows evenly over all neurons), ``stage:g`` (group g),
    ``block:l`` (every group of block l), ``all``; membrane: ids, or None for the first six watched; gate_block, attention_block,
    weights_block: block whose gate, block whose attention, set of weights that a page shows;
    weights_view: ``matrix`` asks for the newest matrix of that set too, else it is left out;
    attention_view: ``matrix`` asks for the newest sample of every head of that block likewise.
    """

    rows: Rows = DEFAULT_ROWS
    membrane: tuple[int, ...] | None = None
    gate_block: int = 0
    weights_block: int = 0
    attention_block: int = 0
    weights_view: str = WEIGHTS_VIEWS[0]
    attention_view: str = ATTENTION_VIEWS[0]

    @classmethod
    def parse(
        cls,
        rows: str | None = None,
        membrane: str | None = None,
        gate_block: str | int = 0,
        weights_block: str | int = 0,
        attention_block: str | int = 0,
        weights_view: str = WEIGHTS_VIEWS[0],
        attention_view: str = ATTENTION_VIEWS[0],
    ) -> View:
        """A view from query text (ids as ``"3,17,250"``); raises :class:`ParamError`.

        The grammar is that of :data:`IDS`, :data:`NAMED_ROWS` and :data:`MEMBRANES`; a neuron that
        is named twice is shown once.
        """
        return cls(
            rows=ids_of("rows", rows) if rows and rows[0].isdigit() else rows or DEFAULT_ROWS,
            membrane=ids_of("membrane", membrane) if membrane else None,
            gate_block=_integer("gate_block", gate_block),
            weights_block=_integer("weights_block", weights_block),
            attention_block=_integer("attention_block", attention_block),
            weights_view=weights_view,
            attention_view=attention_view,
        )


DEFAULT_VIEW = View()


def ids_of(name: str, text: str) -> tuple[int, ...]:
    """The ids of ``"3,17,250"``, each once; one comma may close the list.  Raises ParamError."""
    return tuple(dict.fromkeys(_integer(name, part) for part in text.removesuffix(",").split(",")))


def default_membranes(n_stages: int, n_stage: int, count: int = DEFAULT_MEMBRANES) -> list[int]:
    """One neuron of each of ``count`` stages, spread over all of them."""
    stages = np.unique(np.linspace(0, n_stages - 1, count).round().astype(int))
    return [int(stage) * n_stage + n_stage // 2 for stage in stages]


@lru_cache(maxsize=64)
def rows_of(rows: Rows, layout: Layout) -> tuple[np.ndarray, np.ndarray | None]:
    """Neuron ids of the rows, and the table id -> row (-1: not shown); None if all are shown."""
    n_total = layout.n_total
    ids = _row_ids(rows, layout)
    if len(ids) == n_total and (np.diff(ids) == 1).all():
        return ids, None
    lookup = np.full(n_total, -1, dtype=np.int32)
    lookup[ids] = np.arange(len(ids))
    return ids, lookup


def _row_ids(rows: Rows, layout: Layout) -> np.ndarray:
    n_total = layout.n_total
    if not isinstance(rows, str):
        ids = np.array(rows, dtype=np.int64)
        _inside("rows", ids, n_total)
        if len(np.unique(ids)) != len(ids):
            raise ParamError("rows", "rows: the same neuron is named twice")
        return ids
    if rows == "all":
        return np.arange(n_total)
    kind, _, text = rows.partition(":")
    if kind == "spread":
        n = min(_integer("rows", text, lo=1), n_total)
        return ((np.arange(n) + 0.5) * n_total / n).astype(np.int64)
    if kind == "stage":
        group = layout.groups[_bounded("rows", _integer("rows", text), len(layout.groups))]
        return np.arange(group.first, group.first + group.n)
    if kind == "block":
        blocks = layout.blocks
        if not blocks:
            raise ParamError("rows", "rows: this session has no blocks")
        return layout.ids_of_block(blocks[_bounded("rows", _integer("rows", text), len(blocks))])
    raise ParamError(
        "rows",
        "rows: expected neuron ids, spread:n, stage:g, block:l or all, got " + repr(rows[:40]),
    )


def membrane_of(view: View, watched: Sequence[int], n_total: int) -> np.ndarray:
    """Ids of the membranes that are shown, the first of ``watched`` by default."""
    wanted = watched[:DEFAULT_MEMBRANES] if view.membrane is None else view.membrane
    if len(wanted) > MAX_MEMBRANES:
        raise ParamError("membrane", f"membrane: at most {MAX_MEMBRANES} neurons", hi=MAX_MEMBRANES)
    ids = np.array(wanted, dtype=np.int64)
    _inside("membrane", ids, n_total)
    return ids


def _inside(name: str, ids: np.ndarray, n_total: int) -> None:
    if ids.size and (ids.min() < 0 or ids.max() >= n_total):
        raise ParamError(name, f"{name}: neuron ids are 0 to {n_total - 1}", lo=0, hi=n_total - 1)


def part_of(name: str, value: int, count: int, what: str) -> int:
    """``value`` of ``count`` blocks; 0 where the session publishes none of ``what``."""
    if count == 0 and value == 0:
        return 0
    if count == 0:
        raise ParamError(name, f"{name}: this session publishes no {what}")
    return _bounded(name, value, count)


def _bounded(name: str, value: int, count: int) -> int:
    if not 0 <= value < count:
        raise ParamError(
            name, f"{name}: expected 0 to {count - 1}, got {value}", lo=0, hi=count - 1
        )
    return value


def _integer(name: str, text: str | int, lo: int = 0) -> int:
    if isinstance(text, int):
        return text
    plain = text.isascii() and text.isdecimal() and len(text) <= 9
    if not plain or int(text) < lo or (lo > 0 and text.startswith("0")):
        raise ParamError(name, f"{name}: expected an integer from {lo}, got {text[:40]!r}", lo=lo)
    return int(text)
