"""Segments merged into one window and cut to a view.

Shapes as in ``t4dm.live.window``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any

import numpy as np

from t4dm.live.segment import MATRIX_EVERY, Segment, grid
from t4dm.live.view import DEFAULT_VIEW, View, membrane_of, part_of, rows_of
from t4dm.live.window import Window

NEWEST = ("receptive", "neuron_labels", "course")
_PLAIN = (
    "rates", "theta", "levels", "gains", "gate_mean", "stim", "stim_range",
    "clamped", "hist_exc", "hist_inh", "bounds", "pairs", "moved",
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
    view: View = DEFAULT_VIEW,
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
    rows, lookup = rows_of(view.rows, layout)
    membrane = membrane_of(view, last.meta["watch"], layout.n_total)
    gate_block = part_of("gate_block", view.gate_block, last.gate.shape[1], "thalamic gate")
    looks, attention_block = last.attention.shape[1], view.attention_block
    attention_block = part_of("attention_block", attention_block, looks, "spike attention")
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
    weights_block = part_of("weights_block", view.weights_block, last.hist_exc.shape[1], "weights")
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


def _of_block(samples: np.ndarray, block: int) -> np.ndarray:
    """(Tg, L, D) -> (Tg, D), zero wide where no block publishes it."""
    return samples[:, block] if samples.shape[1] else np.empty((len(samples), 0), samples.dtype)


def _keys(segment: Segment, block: int) -> np.ndarray:
    keys = segment.attention_keys
    return keys[:, block] if keys.shape[1] else np.empty(0, keys.dtype)
