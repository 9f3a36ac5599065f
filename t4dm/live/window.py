"""The window: segments merged and cut to a view.  Stream, REST, export and figures all use it.

Shapes: T steps, G groups, L blocks, D channels, K membranes, B sets of weights, Tg steps divisible by
4, M steps divisible by 250.  What a session does not publish is zero wide (``t4dm.live.segment``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache, partial
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any

import numpy as np

from t4dm.live import frame
from t4dm.live.groups import Layout
from t4dm.live.segment import GATE_EVERY, HIST_EVERY, MATRIX_EVERY, Segment, grid
from t4dm.params import ParamError
from t4dm.step_length import STEP_MS

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
    "attention", "attention_keys", "matrix", "attention_heads",
))  # fmt: skip
NEWEST = ("receptive", "neuron_labels", "course")
_PLAIN = (
    "rates", "theta", "levels", "gains", "gate_mean", "stim", "clamped",
    "hist_exc", "hist_inh", "bounds", "pairs", "moved",
)  # fmt: skip
EVERY = frozenset({*_PLAIN, "spikes", "u", "gate", "attention", "attention_keys"})
KEPT_META = (
    "w_hi",
    "w_lo",
    "w_shown",
    "learned",
    "w_max",
    "weights",
    "stdp_path",
    "params_rev",
    "mono_ns",
    "axis",
    "dt",
)


def merge(
    segments: Sequence[Segment],
    view: View = View(),
    step0: int | None = None,
    step1: int | None = None,
    only: Collection[str] = EVERY,
) -> Window:
    """One window of ``segments`` (one epoch, no gap), cut to ``view`` and to [step0, step1).

    ``only`` names the arrays that are wanted, ``spikes`` stands for both of theirs; the others are
    left empty, which saves most of the time of a long window.

    Raises ValueError for no segments, a gap, two epochs, an empty cut or an unknown array;
    :class:`ParamError` for a view that names rows, neurons or blocks that do not exist.
    """
    if unknown := set(only) - EVERY:
        raise ValueError(f"no arrays {sorted(unknown)}; there are {sorted(EVERY)}")
    segments = _cut(_checked(segments), step0, step1)
    first, last = segments[0], segments[-1]
    layout = last.layout
    rows, lookup = _rows(view.rows, layout)
    membrane = _membrane(view, last, layout.n_total)
    gate_block = _part("gate_block", view.gate_block, last.gate.shape[1], "thalamic gate")
    looks, attention_block = last.attention.shape[1], view.attention_block
    attention_block = _part("attention_block", attention_block, looks, "spike attention")
    steps = last.step1 - first.step0

    def joined(name: str, of: Callable[[Segment], np.ndarray]) -> np.ndarray:
        return _join(map(of, segments)) if name in only else of(last)[:0]

    ids = joined("spikes", attrgetter("spk_id"))
    counts = joined("spikes", attrgetter("spk_n"))
    when = np.arange(len(counts), dtype="<u2" if steps <= 65536 else "<u4").repeat(counts)
    if lookup is not None:
        place = lookup[ids]
        keep = place >= 0
        ids, when = place[keep].astype("<u2"), when[keep]

    plain: dict[str, Any] = {name: joined(name, attrgetter(name)) for name in _PLAIN}
    weights_block = _part("weights_block", view.weights_block, last.hist_exc.shape[1], "weights")
    matrix, dated = newest_matrix(segments, weights_block, view.weights_view)
    heads, looked = newest_heads(segments, attention_block, view.attention_view)
    return Window(
        step0=first.step0,
        step1=last.step1,
        epoch=first.epoch,
        layout=layout,
        rows=rows,
        membrane=membrane,
        gate_block=gate_block,
        weights_block=weights_block,
        matrix=matrix,
        attention_heads=heads,
        spk_row=ids,
        spk_dt=when,
        u=_membranes(segments if "u" in only else segments[:0], membrane),
        gate=joined("gate", lambda s: _of_block(s.gate, gate_block)),
        attention_block=attention_block,
        attention=joined("attention", lambda s: _of_block(s.attention, attention_block)),
        attention_keys=joined("attention_keys", lambda s: _keys(s, attention_block)),
        events=[event for s in segments for event in s.meta.get("events", [])],
        meta={k: last.meta[k] for k in KEPT_META if k in last.meta}
        | {"hist_w_hi": [s.meta["w_hi"] for s in segments for _ in s.hist_exc if "w_hi" in s.meta]}
        | dated
        | looked,
        **plain,
        **newest_sample(segments),
    )


def newest_sample(segments: Sequence[Segment]) -> dict[str, Any]:
    """What the sensory layer last looked like in ``segments``: arrays of 0 or 1 sample."""
    last = next((s for s in reversed(segments) if len(s.receptive)), segments[-1])
    return {name: getattr(last, name)[-1:] for name in NEWEST}


def newest_matrix(
    segments: Sequence[Segment], block: int, weights_view: str
) -> tuple[np.ndarray, dict[str, Any]]:
    """The newest matrix of a set of weights, u1 (1, R, R), and of when and which scale it is.

    (0, 0, 0) and the view alone where none is asked for or none was sampled.
    """
    told: dict[str, Any] = {"weights_view": weights_view}
    if weights_view == "matrix":
        for s in reversed(segments):
            if len(s.matrix) and s.matrix.shape[1]:
                step = int(grid(s.step0, s.step1, MATRIX_EVERY)[-1])
                told |= {"matrix_step": step, "matrix_w_hi": float(s.meta["w_hi"])}
                return s.matrix[-1:, block], told
    return np.empty((0, 0, 0), "u1"), told


def newest_heads(
    segments: Sequence[Segment], block: int, attention_view: str
) -> tuple[np.ndarray, dict[str, Any]]:
    """The newest sample of every head of a block, u1 (1, H, K, K), and the step of its last query.

    (0, 0, 0, 0) and the view alone where none is asked for or none was sampled.
    """
    told: dict[str, Any] = {"attention_view": attention_view}
    if attention_view == "matrix":
        for s in reversed(segments):
            if len(s.attention_heads) and s.attention_heads.shape[1]:
                told["attention_step"] = int(grid(s.step0, s.step1, MATRIX_EVERY)[-1])
                return s.attention_heads[-1:, block], told
    return np.empty((0, 0, 0, 0), "u1"), told


def tail(segments: Sequence[Segment]) -> Sequence[Segment]:
    """The last run of ``segments`` that has one epoch and no gap, as :func:`merge` needs it."""
    start = len(segments) - 1
    while start > 0 and _joined(segments[start - 1], segments[start]):
        start -= 1
    return segments[max(start, 0) :]


def default_membranes(n_stages: int, n_stage: int, count: int = DEFAULT_MEMBRANES) -> list[int]:
    """One neuron of each of ``count`` stages, spread over all of them."""
    stages = np.unique(np.linspace(0, n_stages - 1, count).round().astype(int))
    return [int(stage) * n_stage + n_stage // 2 for stage in stages]


def _joined(a: Segment, b: Segment) -> bool:
    return a.epoch == b.epoch and a.step1 == b.step0


def _checked(segments: Sequence[Segment]) -> Sequence[Segment]:
    if not segments:
        raise ValueError("no segments to merge")
    for a, b in pairwise(segments):
        if not _joined(a, b):
            raise ValueError(
                f"steps {a.step0}-{a.step1} of epoch {a.epoch} are not followed by steps "
                f"{b.step0}-{b.step1} of epoch {b.epoch}"
            )
    return segments


def _cut(segments: Sequence[Segment], step0: int | None, step1: int | None) -> Sequence[Segment]:
    if step0 is None and step1 is None:
        return segments
    a = segments[0].step0 if step0 is None else step0
    b = segments[-1].step1 if step1 is None else step1
    inside = [s.crop(a, b) for s in segments if s.step1 > a and s.step0 < b]
    if not inside:
        raise ValueError(f"steps {a} to {b} are outside the segments")
    return inside


def _join(parts: Iterable[np.ndarray]) -> np.ndarray:
    parts = list(parts)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _membranes(segments: Sequence[Segment], membrane: np.ndarray) -> np.ndarray:
    parts = []
    for watch, group in groupby(segments, key=lambda s: s.meta["watch"]):
        u = _join(s.u for s in group)
        column = {neuron: k for k, neuron in enumerate(watch)}
        take = [column.get(neuron, -1) for neuron in membrane.tolist()]
        if -1 in take:
            u = np.concatenate([u, np.full((len(u), 1), np.nan, u.dtype)], axis=1)
        parts.append(u[:, take])
    return _join(parts) if parts else np.empty((0, len(membrane)), "<f4")


def _membrane(view: View, last: Segment, n_total: int) -> np.ndarray:
    wanted = last.meta["watch"][:DEFAULT_MEMBRANES] if view.membrane is None else view.membrane
    if len(wanted) > MAX_MEMBRANES:
        raise ParamError("membrane", f"membrane: at most {MAX_MEMBRANES} neurons", hi=MAX_MEMBRANES)
    ids = np.array(wanted, dtype=np.int64)
    _inside("membrane", ids, n_total)
    return ids


@lru_cache(maxsize=64)
def _rows(rows: Rows, layout: Layout) -> tuple[np.ndarray, np.ndarray | None]:
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


def _inside(name: str, ids: np.ndarray, n_total: int) -> None:
    if ids.size and (ids.min() < 0 or ids.max() >= n_total):
        raise ParamError(name, f"{name}: neuron ids are 0 to {n_total - 1}", lo=0, hi=n_total - 1)


def _of_block(samples: np.ndarray, block: int) -> np.ndarray:
    """(Tg, L, D) -> (Tg, D), zero wide where no block publishes it."""
    return samples[:, block] if samples.shape[1] else np.empty((len(samples), 0), samples.dtype)


def _keys(segment: Segment, block: int) -> np.ndarray:
    keys = segment.attention_keys
    return keys[:, block] if keys.shape[1] else np.empty(0, keys.dtype)


def _part(name: str, value: int, count: int, what: str) -> int:
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


def ids_of(name: str, text: str) -> tuple[int, ...]:
    """The ids of ``"3,17,250"``, each once; one comma may close the list.  Raises ParamError."""
    return tuple(dict.fromkeys(_integer(name, part) for part in text.removesuffix(",").split(",")))


def _integer(name: str, text: str | int, lo: int = 0) -> int:
    if isinstance(text, int):
        return text
    plain = text.isascii() and text.isdecimal() and len(text) <= 9
    if not plain or int(text) < lo or (lo > 0 and text.startswith("0")):
        raise ParamError(name, f"{name}: expected an integer from {lo}, got {text[:40]!r}", lo=lo)
    return int(text)
