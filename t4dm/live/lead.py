"""What a window's picture needs from before the window: weight samples and the stimulus shown then.

A window of 300 ms holds one sample of the weights and often no onset of a stimulus.  With its lead
it has the last 10 s of samples up to its end, and the newest onset or rest before its first step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from t4dm.live.merge import NEWEST, newest_heads, newest_matrix
from t4dm.live.ring_reader import RingReader
from t4dm.live.segment import HIST_EVERY, Segment, grid
from t4dm.live.window import Window

LEAD_MS = 10_000
ONSETS = ("stimulus", "rest")
_SAMPLED = ("hist_exc", "hist_inh", "bounds", "pairs")


def with_lead(
    window: Window, reader: RingReader, segment_of: Callable[[int], Segment] | None = None
) -> Window:
    """``window`` with what ``reader`` holds of its lead; raises RingGone where that vanishes.

    ``segment_of`` gives the segment of a sequence number where the caller keeps decoded ones.
    """

    def segment_at(seq: int) -> Segment:
        return Segment.decode(reader.read(seq)) if segment_of is None else segment_of(seq)

    first = max(0, window.step0 - round(LEAD_MS / window.dt))
    entries = reader.entries(window.epoch, first, window.step0)
    sampled = [e for e in entries if _next_sample(e.step0) < min(e.step1, window.step0)]
    read = {entry.seq: segment_at(entry.seq) for entry in sampled}
    onset = None
    for entry in reversed(entries):
        segment = read.get(entry.seq) or segment_at(entry.seq)
        onset = _newest_onset(segment, window.step0)
        if onset:
            break
    events = [onset, *window.events] if onset else window.events
    led = _with_matrices(replace(window, events=events), list(read.values()))
    return _with_samples(led, list(read.values()))


def _next_sample(step: int) -> int:
    """The first step from ``step`` on at which weights are sampled."""
    return -(-step // HIST_EVERY) * HIST_EVERY


def _newest_onset(segment: Segment, before: int) -> dict[str, Any] | None:
    events = segment.meta.get("events", [])
    mine = (e for e in reversed(events) if e["type"] in ONSETS and e["step"] < before)
    return next(mine, None)


def _with_matrices(window: Window, segments: Sequence[Segment]) -> Window:
    """The newest matrices before the window where the window has none and its view asks for them."""
    parts = [s.crop(s.step0, min(s.step1, window.step0)) for s in segments]
    arrays: dict[str, Any] = {}
    meta = window.meta
    if not len(window.matrix):
        block, view = window.weights_block, meta.get("weights_view", "")
        arrays["matrix"], dated = newest_matrix(parts, block, view)
        meta = meta | dated
    if not len(window.attention_heads):
        block, view = window.attention_block, meta.get("attention_view", "")
        arrays["attention_heads"], dated = newest_heads(parts, block, view)
        meta = meta | dated
    return replace(window, meta=meta, **arrays)


def _with_samples(window: Window, segments: Iterable[Segment]) -> Window:
    """The samples of ``segments`` that join those of ``window`` without a hole, 10 s in all."""
    wanted = window.step1 - round(LEAD_MS / window.dt)
    joined: list[tuple[Segment, np.ndarray]] = []
    begin = window.step0
    for segment in reversed(list(segments)):
        steps = grid(segment.step0, segment.step1, HIST_EVERY)
        inside = (steps >= wanted) & (steps < window.step0)
        if not inside.any() or len(grid(int(steps[inside][-1]) + 1, begin, HIST_EVERY)):
            break
        joined.insert(0, (segment, inside))
        begin = int(steps[inside][0])
    if not joined:
        return window
    arrays: dict[str, Any] = {
        name: np.concatenate(
            [*(getattr(s, name)[keep] for s, keep in joined), getattr(window, name)]
        )
        for name in _SAMPLED
    }
    if all(len(s.moved) == len(keep) for s, keep in joined):
        earlier = (s.moved[keep] for s, keep in joined)
        arrays["moved"] = np.concatenate([*earlier, window.moved])
    segment, keep = joined[-1]
    if not len(window.receptive) and len(segment.receptive) == len(keep):
        arrays |= {name: getattr(segment, name)[keep][-1:] for name in NEWEST}
    ends = [s.meta["w_hi"] for s, keep in joined if "w_hi" in s.meta for _ in range(keep.sum())]
    meta = window.meta | {"hist_w_hi": [*ends, *window.meta.get("hist_w_hi", [])]}
    return replace(window, hist_step0=begin, meta=meta, **arrays)
