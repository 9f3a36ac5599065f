"""The log of acknowledged commands: synced before the answer goes out, replayed after a kill.

Append-only lines ``crc32 json``, each ``{"format", "settings", "step", "applied", "done"}``:
the settings in force, the step they were told at, how many requests that change the dynamics had
been applied, and those that came since the line before, each with the step it was applied at.
``answers``, where requests with a key were answered, says what (``t4dm.live.remembered``).
The newest whole line is the truth about the settings; the requests after a checkpoint, applied to it
at their steps, give the run that was not killed, bit for bit.
"""

from __future__ import annotations

import json
import os
import zlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from t4dm.live.frame import newest
from t4dm.store.files import append_durable, write_durable
from t4dm.store.sealed import NewerFormat

FORMAT = 2
LOG_LIMIT = 1 << 20
ANSWERS_BYTES = LOG_LIMIT // 4  # of those that go from one file into the next


class NotExact(Exception):
    """The run cannot be brought to where it stood; the text says why, ``applied`` counts its requests."""

    def __init__(self, why: str, applied: int) -> None:
        super().__init__(why)
        self.applied = applied


@dataclass(frozen=True, slots=True)
class Line:
    """One line: ``done`` are ``{"n", "step", "commands", "who", "values"}``, ``answers`` are
    ``{"key", "body", "answer"}``; both oldest first.
    """

    settings: dict[str, Any]
    step: int = 0
    applied: int = 0
    done: tuple[dict[str, Any], ...] = ()
    answers: tuple[dict[str, Any], ...] = ()

    def after(self, *earlier: Line) -> Line:
        """This line with all that ``earlier`` ones should have told."""
        lines = (*earlier, self)
        done = tuple(request for line in lines for request in line.done)
        return replace(self, done=done, answers=tuple(a for line in lines for a in line.answers))


@dataclass(frozen=True, slots=True)
class History:
    """What a log tells: its newest line, and every request that is still in it, by number."""

    newest: Line
    requests: dict[int, dict[str, Any]]

    def since(self, applied: int) -> list[dict[str, Any]] | None:
        """The requests after the first ``applied``, in order; None where one of them is missing."""
        wanted = range(applied + 1, self.newest.applied + 1)
        if not all(n in self.requests for n in wanted):
            return None
        return [self.requests[n] for n in wanted]


class CommandLog:
    """The log in ``folder``.  ``floor``: requests up to this number are in every checkpoint kept."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "settings.log"
        self.floor = 0
        self._fd: int | None = None
        self._requests: deque[dict[str, Any]] = deque()
        self.answers: list[dict[str, Any]] = []  # the newest, oldest first

    def load(self) -> History | None:
        """What the log tells; None where no line verifies.

        Raises :class:`NewerFormat` where a newer version wrote it.
        """
        lines = [line for text in self._texts() if (line := _read(text, self.path.name))]
        if not lines:
            return None
        requests = {request["n"]: request for line in lines for request in line.done}
        self._requests = deque(requests[n] for n in sorted(requests))
        self.answers = newest((a for line in lines for a in line.answers), ANSWERS_BYTES)
        return History(lines[-1], requests)

    def _texts(self) -> Iterable[bytes]:
        try:
            return self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []

    def append(self, line: Line) -> None:
        """Write and sync one line; raises OSError, and then nothing can be acknowledged."""
        if self._fd is None or os.fstat(self._fd).st_size > LOG_LIMIT:
            while self._requests and self._requests[0]["n"] <= self.floor:
                self._requests.popleft()
            self.answers = newest(self.answers, ANSWERS_BYTES)
            before = replace(line, done=tuple(self._requests), answers=tuple(self.answers))
            write_durable(self.path, _text(line.after(before)))
            self.close()
            self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        else:
            append_durable(self._fd, _text(line))
        self._requests.extend(line.done)
        self.answers.extend(line.answers)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _text(line: Line) -> bytes:
    data = {"format": FORMAT, "settings": line.settings, "step": line.step}
    data |= {"applied": line.applied, "done": line.done}
    data |= {"answers": line.answers} if line.answers else {}
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).encode()
    return b"\n%08x %s\n" % (zlib.crc32(text), text)


def _read(text: bytes, name: str) -> Line | None:
    """The line of ``text``; None where it is torn or altered."""
    crc, _, body = text.partition(b" ")
    if crc != b"%08x" % zlib.crc32(body):
        return None
    data = json.loads(body)
    version = data.get("format", 1)
    if version > FORMAT:
        raise NewerFormat(name, version, FORMAT)
    if version == 1:  # settings alone, as the first version wrote them
        return Line(data)
    done, answers = tuple(data["done"]), tuple(data.get("answers", ()))
    return Line(data["settings"], data["step"], data["applied"], done, answers)
