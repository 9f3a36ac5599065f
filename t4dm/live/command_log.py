"""The log of acknowledged commands: synced before the answer goes out, replayed after a kill.

Append-only lines ``crc32 json``, each ``{"format", "settings", "step", "applied", "done"}``:
the settings in force, the step they were told at, how many requests that change the dynamics had
been applied, and those that came since the line before, each with the step it was applied at.
The newest whole line is the truth about the settings; the requests after a checkpoint, applied to it
at their steps, give the run that was not killed, bit for bit.
"""

from __future__ import annotations

import json
import os
import zlib
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t4dm.store.files import append_durable, write_durable
from t4dm.store.sealed import NewerFormat

FORMAT = 2
LOG_LIMIT = 1 << 20


class NotExact(Exception):
    """The run cannot be brought to where it stood; the text says why, ``applied`` counts its requests."""

    def __init__(self, why: str, applied: int) -> None:
        super().__init__(why)
        self.applied = applied


@dataclass(frozen=True, slots=True)
class Line:
    """One line: ``done`` are ``{"n", "step", "commands", "who", "values"}``, oldest first."""

    settings: dict[str, Any]
    step: int = 0
    applied: int = 0
    done: tuple[dict[str, Any], ...] = ()

    def after(self, earlier: Sequence[dict[str, Any]]) -> Line:
        """This line with requests that an earlier one should have told."""
        return Line(self.settings, self.step, self.applied, (*earlier, *self.done))


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

    def load(self) -> History | None:
        """What the log tells; None where no line verifies.

        Raises :class:`NewerFormat` where a newer version wrote it.
        """
        lines = [line for text in self._texts() if (line := _read(text, self.path.name))]
        if not lines:
            return None
        requests = {request["n"]: request for line in lines for request in line.done}
        self._requests = deque(requests[n] for n in sorted(requests))
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
            write_durable(self.path, _text(line.after(list(self._requests))))
            self.close()
            self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        else:
            append_durable(self._fd, _text(line))
        self._requests.extend(line.done)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _text(line: Line) -> bytes:
    data = {"format": FORMAT, "settings": line.settings, "step": line.step}
    data |= {"applied": line.applied, "done": line.done}
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
    return Line(data["settings"], data["step"], data["applied"], tuple(data["done"]))
