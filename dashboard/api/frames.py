"""The frame stream: a long poll that answers with everything newer than the page has."""

from __future__ import annotations

import time
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from dashboard.api import held as record
from dashboard.api.errors import ApiError
from dashboard.api.segments import decoded
from t4dm.live import frame
from t4dm.live.client import SessionClient
from t4dm.live.lead import with_lead
from t4dm.live.merge import EVERY, merge, tail
from t4dm.live.ring import RingGone
from t4dm.live.segment import Segment
from t4dm.live.view import View
from t4dm.live.window import Window
from t4dm.params import plain

WAIT_S = 0.25
TICK_S = 0.002
GOING = ("running", "stepping")
MAX_WINDOW_MS = 20_000
NOT_HELD = record.NO_STEPS | {
    416: "That part of the run is not held; the refusal has the range that is."
}
STATUS_KEYS = (
    "state", "reason", "speed", "ratio", "params_rev", "seed", "breakpoints", "pending",
    "axis", "rate", "owner", "recording",
)  # fmt: skip


def next_frame(
    client: SessionClient, view: View, after: int | None, epoch: int | None, span_ms: float
) -> bytes:
    """An encoded Window: what is newer than ``after``, or a keyframe of the last ``span_ms``.

    Waits up to 250 ms for news; a status frame where there is none.  Raises
    :class:`t4dm.params.ParamError` for a view that names what does not exist.
    """
    deadline = time.monotonic() + WAIT_S
    tried = None
    while True:
        reader = client.reader()
        newest = (reader, reader.latest)
        if newest != tried:  # nothing else can make an answer of none
            tried = newest
            answer = _try(client, view, after, epoch, span_ms)
            if answer is not None:
                return answer
        if time.monotonic() >= deadline:
            return frame.encode(head(client, "status"), {})
        time.sleep(TICK_S)


def _try(
    client: SessionClient, view: View, after: int | None, epoch: int | None, span_ms: float
) -> bytes | None:
    reader = client.reader()
    latest = reader.latest
    if latest == 0 or after == latest:
        return None
    try:
        newest = reader.entry(latest)
        if after is None or after > latest or newest.epoch != epoch:
            return _keyframe(client, view, span_ms)
        if newest.step1 - reader.entry(after).step1 > span_ms / client.dt:
            return _keyframe(client, view, span_ms)
        segments = [Segment.decode(data) for data in reader.since(after)]
        if not segments:
            return None
        if tail(segments) != segments:
            return _keyframe(client, view, span_ms)
        return _encode(client, "frame", merge(segments, view), after + len(segments))
    except RingGone:
        return _keyframe(client, view, span_ms)


def _keyframe(client: SessionClient, view: View, span_ms: float) -> bytes | None:
    held = record.held_now(client)
    if held is None:
        return None
    first = max(held.step0, held.step1 - round(span_ms / client.dt))
    try:
        window = read_window(client, view, held.epoch, first, held.step1)
    except LookupError:
        return None
    return _encode(client, "keyframe", led(client, window), held.seq)


def read_window(
    client: SessionClient,
    view: View,
    epoch: int,
    step0: int,
    step1: int,
    only: Collection[str] = EVERY,
) -> Window:
    """Steps [step0, step1) of held history; raises LookupError where none of them is held.

    ``only``: as of :func:`t4dm.live.merge.merge`.
    """
    segments = tail(decoded.range(client, epoch, step0, step1))
    if not segments:
        raise LookupError("no step of that range is held")
    return merge(segments, view, step0, step1, only)


@dataclass(frozen=True, slots=True)
class Steps:
    """A range of held steps [step0, step1) of one epoch; ``field``: of the query that asked for them."""

    epoch: int
    step0: int
    step1: int
    field: str | None = None


def held_steps(
    client: SessionClient, from_ms: float | None, to_ms: float | None, span_ms: float
) -> Steps:
    """The held part of a time range: ``span_ms`` up to ``to_ms`` or the newest step, or from ``from_ms``.

    Raises :class:`ApiError` 416 with the range held where no step of it is, 422 for too long a range;
    where nothing is held, after a wait for what is on its way, 409 or 503
    (:func:`dashboard.api.held.nothing`).
    """
    epoch, _, step0, step1 = _awaited(client)
    dt = client.dt
    end = step1 if to_ms is None else round(to_ms / dt)
    wanted = end - max(1, round(span_ms / dt)) if from_ms is None else round(from_ms / dt)
    last = min(step1, end)
    if from_ms is not None and wanted == last < step1:
        last += 1  # a window narrower than a step is of the step at it
    first = max(step0, wanted)
    field = "from_ms" if from_ms is not None else "to_ms" if to_ms is not None else None
    if first >= last:
        raise _not_held(step0, step1, dt, field)
    if (last - first) * dt > MAX_WINDOW_MS:
        message = f"a window is at most {MAX_WINDOW_MS} ms long; ask for it in parts"
        raise ApiError(422, "too_long", message, field="to_ms", hi=MAX_WINDOW_MS, unit="ms")
    return Steps(epoch, first, last, field)


def _awaited(client: SessionClient) -> record.Held:
    """What is held now, or within 250 ms where the run goes on; raises :class:`ApiError`."""
    deadline = time.monotonic() + WAIT_S
    while True:
        held = record.held_now(client)
        if held is not None:
            return held
        going = client.reader().get_status().get("state") in GOING
        if not going or time.monotonic() >= deadline:
            raise record.nothing(client)
        time.sleep(TICK_S)


def history(
    client: SessionClient, view: View, steps: Steps, only: Collection[str] = EVERY
) -> Window:
    """The window of ``steps``; raises :class:`ApiError` 416 where they are no longer held."""
    try:
        return read_window(client, view, steps.epoch, steps.step0, steps.step1, only)
    except LookupError:
        held = record.held_now(client)
        if held is None:
            raise record.nothing(client) from None
        raise _not_held(held.step0, held.step1, client.dt, steps.field) from None


def picture(
    client: SessionClient, view: View, steps: Steps, only: Collection[str] = EVERY
) -> Window:
    """As :func:`history`, with what a picture of it needs from before (``t4dm.live.lead``)."""
    return led(client, history(client, view, steps, only))


def led(client: SessionClient, window: Window) -> Window:
    """``window`` with its lead; without it where the record is being overwritten."""
    try:
        kept = partial(decoded.one, client, window.epoch)
        return with_lead(window, client.reader(), kept)
    except RingGone:
        return window


def _not_held(step0: int, step1: int, dt: float, field: str | None) -> ApiError:
    lo, hi = step0 * dt, step1 * dt
    message = f"only {plain(lo)} to {plain(hi)} ms are held"
    return ApiError(416, "not_held", message, field=field, lo=lo, hi=hi, unit="ms")


def _encode(client: SessionClient, kind: str, window: Window, seq: int) -> bytes:
    meta = head(client, kind)
    meta["seq"] = seq
    meta.setdefault("mono_ns", client.reader().entry(seq).mono_ns)
    return window.encode(meta)


def encode_window(client: SessionClient, window: Window) -> bytes:
    """A window of history for the wire; its kind is ``window``."""
    return window.encode(head(client, "window"))


def head(client: SessionClient, kind: str) -> dict[str, Any]:
    """What every frame says of the run and its worker, whatever it carries."""
    status = client.status()
    meta: dict[str, Any] = {"state": "starting"}  # until a worker has said anything
    meta |= {key: status[key] for key in STATUS_KEYS if key in status}
    meta |= {
        "kind": kind,
        "session": client.session,
        "dt": client.dt,
        "worker": status["worker"],
        "now_ns": time.monotonic_ns(),
    }
    meta["files"] = _of_files(status)
    if (mark := health_mark(status.get("health"))) is not None:
        meta["health"] = mark
    if kind == "status" and "epoch" in status:
        meta["epoch"] = status["epoch"]
    held = record.span_ms(client, status)
    return meta if held is None else meta | {"held": held}


def health_mark(report: dict[str, Any] | None) -> int | None:
    """A number that changes when findings come, go, grow worse or have another cause.

    The page then asks ``/spiking/health`` for the rest; None where the session has no report.
    """
    if report is None:
        return None
    told = [report["severity"], str(bool(report.get("waiting")))]
    for found in report["findings"]:
        told += [found["id"], found["severity"], found["cause"]["code"], str(found.get("groups"))]
    return zlib.crc32("|".join(told).encode())


def _of_files(status: dict[str, Any]) -> list[str]:
    """What there is to say of the session's files, the most urgent first."""
    error = status.get("checkpoint", {}).get("error")
    return [*([error] if error else []), *status.get("refused", [])]
