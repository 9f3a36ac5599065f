"""Counters of requests that all web processes share: a table in anonymous shared memory.

The app is imported once and its workers are forked from it, so they all map these pages; nothing is
written to a disk, nothing is unpickled, and no server is needed.  A slot is (hash of the name, end
of its window on the monotonic clock, count).
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from limits.storage import Storage

SLOTS = 8192
PROBES = 16
_SLOT = struct.Struct("<QdQ")


class SharedLock:
    """Held by one thread of one process at a time; the system lets go for a process that is killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the app

    @contextmanager
    def held(self) -> Iterator[None]:
        """Alone among threads and processes."""
        with self._lock:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)


class SharedCounters(Storage):
    """Fixed-window counters for ``limits``; where the table is full the window that ends first goes."""

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._table = mmap.mmap(-1, SLOTS * _SLOT.size)
        self._salt = os.urandom(16)
        self._lock = SharedLock()

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        return OSError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count ``amount`` more for ``key``, whose window lasts ``expiry`` seconds; the new count."""
        name, now = self._hash(key), self.now()
        with self._lock.held():
            at, ends, count = self._find(name, now)
            count += amount
            _SLOT.pack_into(self._table, at, name, ends or now + expiry, count)
        return count

    def get(self, key: str) -> int:
        """The count of ``key`` in the window that is open."""
        return self._read(key)[1]

    def get_expiry(self, key: str) -> float:
        """When the window of ``key`` ends, on the monotonic clock; now where none is open."""
        return self._read(key)[0] or self.now()

    @staticmethod
    def now() -> float:
        """The clock of :meth:`get_expiry`."""
        return time.monotonic()

    def check(self) -> bool:
        return not self._table.closed

    def reset(self) -> int | None:
        with self._lock.held():
            self._table[:] = bytes(len(self._table))
        return None

    def clear(self, key: str) -> None:
        name = self._hash(key)
        with self._lock.held():
            at, ends, _ = self._find(name, self.now())
            if ends:
                _SLOT.pack_into(self._table, at, 0, 0.0, 0)

    def _read(self, key: str) -> tuple[float, int]:
        name = self._hash(key)
        with self._lock.held():
            _, ends, count = self._find(name, self.now())
        return ends, count

    def _hash(self, key: str) -> int:
        digest = hashlib.blake2b(key.encode(), digest_size=8, key=self._salt).digest()
        return int.from_bytes(digest, "little") or 1

    def _find(self, name: int, now: float) -> tuple[int, float, int]:
        """(offset, end, count) of ``name``; end 0 where its window is new or over."""
        spare, earliest = 0, float("inf")
        for at in _places(name):
            found, ends, count = _SLOT.unpack_from(self._table, at)
            if found == name:
                return (at, ends, count) if ends > now else (at, 0.0, 0)
            ends = ends if ends > now else 0.0
            if ends < earliest:
                spare, earliest = at, ends
        return spare, 0.0, 0


def _places(name: int) -> Iterator[int]:
    for probe in range(PROBES):
        yield (name + probe) % SLOTS * _SLOT.size
