"""The session ``default`` rests while nobody looks at it and another session trains.

Two cores are few: after ``rest_s`` without a viewer it is paused, with a reason that says so, and goes
on as soon as somebody looks.  A pause that somebody else asked for stays.

A viewer is whoever asks for the session through the web process, which then touches ``<name>.seen`` in
the run directory; the supervisor looks at it, and never at a clock of another process.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from t4dm.live import paths
from t4dm.live.client import SessionClient, WorkerBusy, WorkerDown
from t4dm.live.ring_reader import RingReader

REST_S = 60.0
MARK_S = 1.0  # least seconds between two marks of one process
WHO = "supervisor"
REASON = "it rests: nobody looks at it, and the session '{name}' trains"
BEGIN = REASON.partition("'")[0]
log = logging.getLogger("t4dm.supervisor")
_marked: dict[tuple[Path, str], float] = {}


def mark(run: Path, session: str) -> None:
    """Note that somebody looks at ``session``; at most once a second it touches a file."""
    if session != paths.DEFAULT_SESSION:
        return
    now, key = time.monotonic(), (run, session)
    if now - _marked.get(key, -MARK_S) < MARK_S:
        return
    _marked[key] = now
    try:
        _seen_path(run, session).touch(mode=0o600)
    except OSError as error:
        log.warning("%s: %s", _seen_path(run, session), error.strerror)


def _seen_path(run: Path, session: str) -> Path:
    return run / f"{session}.seen"


class Resting:
    """Looks now and then whether ``default`` is to rest, or to go on."""

    def __init__(self, run: Path, rest_s: float = REST_S) -> None:
        self.run, self.rest_s = run, rest_s
        self.client = SessionClient(run, paths.DEFAULT_SESSION)
        self._mark: int | None = None
        self._seen_at: float | None = None
        self._sending: threading.Thread | None = None

    def look(self, now: float, others: Iterable[tuple[str, RingReader]]) -> None:
        """``others`` are the names and rings of the other sessions; never waits."""
        mark = self._read()
        if self._seen_at is None or mark != self._mark:
            self._mark, self._seen_at = mark, now
        if self._sending is not None and self._sending.is_alive():
            return
        asked = (_training(others), now - self._seen_at, self.rest_s)
        if decide(self.client.reader().get_status(), *asked) is not None:
            self._sending = threading.Thread(target=self._send, args=asked, daemon=True)
            self._sending.start()

    def _read(self) -> int | None:
        try:
            return os.stat(_seen_path(self.run, paths.DEFAULT_SESSION)).st_mtime_ns
        except FileNotFoundError:
            return None

    def _send(self, trains: str, alone_s: float, rest_s: float) -> None:
        """Decide again, on what the session says now, and send that."""
        command = decide(self.client.reader().get_status(), trains, alone_s, rest_s)
        try:
            if command is not None:
                self.client.command(command, WHO)
        except (WorkerBusy, WorkerDown) as missed:
            log.info("%s", missed)


def _training(others: Iterable[tuple[str, RingReader]]) -> str:
    """The name of a session that trains now; empty for none."""
    for name, reader in others:
        status = reader.get_status()
        if status.get("kind") == "training" and status.get("state") == "running":
            return name
    return ""


def decide(
    status: dict[str, Any], trains: str, alone_s: float, rest_s: float
) -> dict[str, Any] | None:
    """The command that the session of ``status`` is to get; None for none.

    ``trains`` names a session that trains; ``alone_s`` are the seconds since the last viewer.
    """
    state, reason = status.get("state"), status.get("reason", "")
    if state == "running" and trains and alone_s >= rest_s:
        return {"type": "pause", "reason": REASON.format(name=trains)}
    rests = state == "paused" and reason.startswith(BEGIN)
    if rests and (not trains or alone_s < rest_s):
        return {"type": "run"}
    return None
