"""Ties between processes: locks, heartbeats, and a child's end when its parent ends."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from t4dm.live.ring_writer import RingWriter

PR_SET_PDEATHSIG = 1
HEARTBEAT_S = 0.25
GRACE_S = 5.0


def take_lock(path: Path, wait_s: float = 0.0) -> int | None:
    """An exclusive lock on ``path``, held until this process ends; None where another has it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(fd)
                return None
            time.sleep(0.05)


class Heartbeat:
    """A thread that says "alive" in the ring, apart from the main loop's progress."""

    def __init__(self, ring: RingWriter) -> None:
        self._ring, self._end = ring, threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    def _beat(self) -> None:
        while not self._end.wait(HEARTBEAT_S):
            self._ring.heartbeat()

    def close(self) -> None:
        self._end.set()
        self._thread.join()


def die_with_parent(fd: int | None, stop: Callable[[], None]) -> None:
    """Call ``stop`` when the parent ends, and end the process if that does not within 5 s.

    ``fd`` is the reading end of a pipe that the parent holds open; Linux also sends a signal.
    """
    if fd is None:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    def watch() -> None:
        os.read(fd, 1)
        stop()
        time.sleep(GRACE_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
