"""The command socket: requests come in on threads, are queued, and are answered by the main loop.

One line of JSON a request, one line an answer.  ``{"op": "commands", "body": {...} | [...],
"who": "...", "key": "...", "if_rev": 7}`` or ``{"op": "params"}``.  Where the loop's steps are long, a
request with ``"ack": "queued"`` is answered when it waits, and not when it is applied; one with
``"ack": "soon"`` with what came of it where that is known within :data:`SOON_S`, else as the former.
"""

from __future__ import annotations

import json
import os
import queue
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from t4dm.live.frame import dumps

MAX_LINE = 1 << 20
QUEUE_LENGTH = 256
MAX_CONNECTIONS = 64
MAX_UNSERVED = 256  # connections that wait for one of those to end
PATIENCE_S = 0.25  # and how long the first of them does before it is refused
IDLE_S = 60.0
WHO_LENGTH = 80
SOON_S = 0.01


@dataclass(slots=True)
class Request:
    """One request and the place its answer goes to."""

    op: str
    body: Any = None
    who: str = ""
    key: str = ""
    if_rev: int | None = None  # applied only at this revision
    queued: bool = False  # whether its sender was told already that it waits
    _answer: dict[str, Any] | None = None
    _ready: threading.Event = field(default_factory=threading.Event)
    _refused: bool = False  # the loop has looked at ``queued``: what it answers counts
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, answer: dict[str, Any]) -> None:
        self._answer = answer
        self._ready.set()

    def wait(self) -> dict[str, Any]:
        self._ready.wait()
        assert self._answer is not None
        return self._answer

    def wait_soon(self, at_most_s: float) -> dict[str, Any] | None:
        """The answer, or None after ``at_most_s``: its sender is then told that it waits.

        A refusal is told in one way and not in both: here, or as an event (:meth:`was_queued`).
        """
        if not self._ready.wait(at_most_s):
            with self._lock:
                if not self._refused:
                    self.queued = True
                    return None
        return self.wait()

    def was_queued(self) -> bool:
        """Asked by the loop that refuses it: whether the answer would come too late."""
        with self._lock:
            self._refused = True
            return self.queued


def failure(code: str, field: str, message: str) -> dict[str, Any]:
    """An answer that says why a request was not taken."""
    error = {"code": code, "field": field, "message": message}
    return {"ok": False, "error": error | dict.fromkeys(("lo", "hi", "unit", "choices"))}


class CommandServer:
    """Listens on ``path``; ``requests`` is what the main loop drains."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: queue.SimpleQueue[Request] = queue.SimpleQueue()  # may be put to in a signal
        self.where: Callable[[], dict[str, Any]] | None = None  # tells those who do not wait
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.unlink(missing_ok=True)
        self._socket.bind(os.fspath(path))
        path.chmod(0o600)
        self._socket.listen(MAX_UNSERVED)
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    def close(self) -> None:
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Let go of the socket and leave its path to the process that listens."""
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            if not self._slots.acquire(timeout=PATIENCE_S):
                message = f"{MAX_CONNECTIONS} requests are in work; try again"
                with connection:
                    self._send(connection, failure("busy", "body", message))
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(IDLE_S)
            with connection, connection.makefile("rb") as lines:
                while line := lines.readline(MAX_LINE + 1):
                    self._send(connection, self._handle(line))
                    if len(line) > MAX_LINE:
                        return
        except OSError:
            return  # the client has gone
        finally:
            self._slots.release()

    def _handle(self, line: bytes) -> dict[str, Any]:
        if len(line) > MAX_LINE:
            return failure("too_large", "body", f"a request is at most {MAX_LINE} bytes")
        try:
            data = json.loads(line)
            request = Request(
                op=str(data["op"]),
                body=data.get("body"),
                who=str(data.get("who") or "")[:WHO_LENGTH],
                key=str(data.get("key") or "")[:WHO_LENGTH],
                if_rev=None if data.get("if_rev") is None else int(data["if_rev"]),
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return failure("invalid", "body", "a request is one line of JSON with an op")
        if self.requests.qsize() >= QUEUE_LENGTH:
            return failure("busy", "body", f"{QUEUE_LENGTH} requests are waiting; try again")
        ack = data.get("ack") if self.where is not None else None
        request.queued = ack == "queued"
        self.requests.put(request)
        if ack == "queued":
            return self._waiting()
        if ack == "soon":
            return request.wait_soon(SOON_S) or self._waiting()
        return request.wait()

    def _waiting(self) -> dict[str, Any]:
        assert self.where is not None
        return {"ok": True, "queued": True, "waiting": self.requests.qsize(), **self.where()}

    @staticmethod
    def _send(connection: socket.socket, answer: dict[str, Any]) -> None:
        try:
            connection.sendall(dumps(answer).encode() + b"\n")
        except OSError:
            return
