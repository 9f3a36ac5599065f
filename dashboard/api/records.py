"""The stream of a run session: a long poll that answers with every record newer than the page has.

A keyframe holds the whole course of the run: the worker puts it into the ring now and then as one
record (``course``), and what came after it is joined to it here.
"""

from __future__ import annotations

import time
from typing import Any

from dashboard.api.frames import TICK_S, WAIT_S
from t4dm.live import frame
from t4dm.live.client import SessionClient
from t4dm.live.record import Record, merge
from t4dm.live.ring import RingGone

STATUS_KEYS = (
    "state", "reason", "params_rev", "seed", "pending", "axis", "step", "progress", "kept", "run_id",
    "health", "epoch",
)  # fmt: skip
EVER = 1 << 62  # beyond any step


def next_record(client: SessionClient, after: int | None, epoch: int | None) -> bytes:
    """An encoded record: what is newer than ``after``, or a keyframe of the whole course.

    Waits up to 250 ms for news; a status frame where there is none.
    """
    deadline = time.monotonic() + WAIT_S
    while True:
        answer = _try(client, after, epoch)
        if answer is not None:
            return answer
        if time.monotonic() >= deadline:
            return frame.encode(head(client, "status"), {})
        time.sleep(TICK_S)


def _try(client: SessionClient, after: int | None, epoch: int | None) -> bytes | None:
    reader = client.reader()
    latest = reader.latest
    if latest == 0 or after == latest:
        return None
    try:
        if after is None or after > latest or reader.entry(latest).epoch != epoch:
            return _keyframe(client)
        records = [Record.decode(data) for data in reader.since(after)]
    except RingGone:
        return _keyframe(client)
    if any(record.epoch != epoch for record in records):
        return _keyframe(client)
    return _joined(client, "frame", records, after + len(records))


def _keyframe(client: SessionClient) -> bytes | None:
    """The newest course and all after it; None while they are being overwritten."""
    reader = client.reader()
    try:
        entries = reader.entries(reader.entry(reader.latest).epoch, -1, EVER)
        if not entries:
            return None
        course = client.status().get("course", 0)
        wanted = [entry for entry in entries if entry.seq >= course]
        records = [Record.decode(reader.read(entry.seq)) for entry in wanted]
    except RingGone:
        return None
    last = max((k for k, one in enumerate(records) if one.meta.get("course")), default=None)
    if last is None:
        return None  # the course of this epoch comes next
    return _joined(client, "keyframe", records[last:], entries[-1].seq)


def _joined(client: SessionClient, kind: str, records: list[Record], seq: int) -> bytes:
    """One frame of them all; of a course that the page has already nothing but its place."""
    if kind == "frame":
        courses = [one for one in records if one.meta.get("course")]
        records = [one for one in records if not one.meta.get("course")]
        if not records:
            records = [Record(one.step1, one.step1, one.epoch) for one in courses[-1:]]
    joined = merge(records, client.manifest()["series"])
    return joined.encode(**head(client, kind), seq=seq, course=False)


def head(client: SessionClient, kind: str) -> dict[str, Any]:
    """What every frame says of the run and its worker, whatever it carries."""
    status = client.status()
    meta: dict[str, Any] = {"state": "starting"}  # until a worker has said anything
    meta |= {key: status[key] for key in STATUS_KEYS if key in status}
    error = status.get("checkpoint", {}).get("error")
    return meta | {
        "kind": kind,
        "session": client.session,
        "session_kind": status.get("kind"),
        "worker": status["worker"],
        "now_ns": time.monotonic_ns(),
        "files": [*([error] if error else []), *status.get("refused", [])],
    }
