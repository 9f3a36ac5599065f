"""The writing side of the ring (``t4dm.live.ring``)."""

from __future__ import annotations

import heapq
import mmap
import os
import time
import zlib
from collections import deque
from pathlib import Path
from typing import Any

from t4dm.live.frame import dumps
from t4dm.live.ring import (
    MAGIC,
    PAGE,
    STATUS_BYTES,
    STATUS_HEAD,
    Word,
    data_start,
    slot_word,
    status_start,
)

DEFAULT_BYTES = 256 * 2**20
DEFAULT_SLOTS = 65536
DEFAULT_RETAIN_STEPS = 120_000


class RingWriter:
    """Creates the file (replacing an older one) and appends records.

    bytes: most data held; slots: most records held; retain_steps: simulated steps held, unless
    the first two are used up earlier.  Raises OSError where the file cannot be made.
    """

    def __init__(
        self,
        path: Path | str,
        bytes: int = DEFAULT_BYTES,
        slots: int = DEFAULT_SLOTS,
        retain_steps: int = DEFAULT_RETAIN_STEPS,
    ) -> None:
        self.path = Path(path)
        self.retain_steps = retain_steps
        self.block = max(PAGE, bytes // 64 // PAGE * PAGE)
        self.n_blocks = max(2, bytes // self.block)
        self.slots = slots
        self._data = data_start(slots)
        size = self._data + self.n_blocks * self.block
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        self._fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.ftruncate(self._fd, size)
            _allocate(self._fd, 0, self._data)
            self._map = mmap.mmap(self._fd, size)
        except OSError:
            os.close(self._fd)
            temporary.unlink(missing_ok=True)
            raise
        self._words = memoryview(self._map).cast("Q")
        self._seq = 0
        self._total = 0  # simulated steps appended so far
        self._grown = 0  # blocks that have room on the disk
        self._free: list[int] = []
        self._filled: deque[tuple[int, int, int]] = deque()  # block, last seq, total at its end
        self._current: int | None = None
        self._used = 0
        for word, value in (
            (Word.BYTES, self.n_blocks * self.block),
            (Word.SLOTS, slots),
            (Word.BLOCK, self.block),
            (Word.OLDEST, 1),
            (Word.PID, os.getpid()),
            (Word.MAGIC, MAGIC),
        ):
            self._words[word] = value
        self.heartbeat()
        self.progress()
        os.replace(temporary, self.path)

    def append(self, step0: int, step1: int, epoch: int, payload: bytes) -> int:
        """Store ``payload`` of steps [step0, step1); returns its sequence number, from 1.

        Raises ValueError for a payload larger than a block.
        """
        length = len(payload)
        if length > self.block:
            raise ValueError(f"a record of {length} bytes does not fit a block of {self.block}")
        if self._current is None or self._used + length > self.block:
            self._next_block()
        assert self._current is not None
        offset = self._data + self._current * self.block + self._used
        seq = self._seq + 1
        if seq - self._words[Word.OLDEST] >= self.slots:
            self._words[Word.OLDEST] = seq - self.slots + 1
        slot = slot_word(seq, self.slots)
        self._words[slot] = 0
        self._map[offset : offset + length] = payload
        row = (epoch, step0, step1, offset, length, zlib.crc32(payload), time.monotonic_ns())
        for word, value in enumerate(row, slot + 1):
            self._words[word] = value
        self._words[slot] = seq
        self._words[Word.LATEST] = seq
        self._seq = seq
        self._used += -(-length // 8) * 8
        self._total += step1 - step0
        return seq

    def _next_block(self) -> None:
        if self._current is not None:
            self._filled.append((self._current, self._seq, self._total))
        while self._filled and self._total - self._filled[0][2] >= self.retain_steps:
            self._evict()
        if not self._free and not self._grow():
            self._evict()
        self._current, self._used = heapq.heappop(self._free), 0

    def _grow(self) -> bool:
        """Take one more block from the disk; False where the ring or the disk is full."""
        if self._grown == self.n_blocks:
            return False
        try:
            _allocate(self._fd, self._data + self._grown * self.block, self.block)
        except OSError:
            if not self._filled:
                raise
            return False
        heapq.heappush(self._free, self._grown)
        self._grown += 1
        return True

    def _evict(self) -> None:
        block, last, _ = self._filled.popleft()
        self._words[Word.OLDEST] = max(self._words[Word.OLDEST], last + 1)
        heapq.heappush(self._free, block)

    def heartbeat(self) -> None:
        """Say that the process lives."""
        self._words[Word.HEARTBEAT] = time.monotonic_ns()

    def progress(self) -> None:
        """Say that the main loop goes round."""
        self._words[Word.PROGRESS] = time.monotonic_ns()

    def status(self, status: dict[str, Any]) -> None:
        """Publish a small JSON object, newest wins; raises ValueError above 64 kB."""
        text = dumps(status).encode()
        if len(text) > STATUS_BYTES - STATUS_HEAD:
            raise ValueError(
                f"a status of {len(text)} bytes is larger than {STATUS_BYTES - STATUS_HEAD}"
            )
        version = self._words[Word.STATUS] + 1
        start = status_start(version)
        head = len(text).to_bytes(8, "little") + zlib.crc32(text).to_bytes(8, "little")
        self._map[start : start + STATUS_HEAD + len(text)] = head + text
        self._words[Word.STATUS] = version

    def close(self, unlink: bool = False) -> None:
        if unlink and self._is_mine():
            self.path.unlink()
        self._words.release()
        self._map.close()
        os.close(self._fd)

    def _is_mine(self) -> bool:
        try:
            return os.stat(self.path).st_ino == os.fstat(self._fd).st_ino
        except FileNotFoundError:
            return False


def _allocate(fd: int, offset: int, length: int) -> None:
    """Give the file real room, so that a full disk is an OSError here and no SIGBUS later."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, offset, length)
        return
    zeros = bytes(2**20)
    for start in range(offset, offset + length, len(zeros)):
        os.pwrite(fd, zeros[: min(len(zeros), offset + length - start)], start)
