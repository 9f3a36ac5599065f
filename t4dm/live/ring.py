"""The ring: one memory-mapped file of immutable records, one writer, any number of readers.

Records live in blocks of the file, and blocks are taken from the disk only when they are needed.
A record is found through a table of slots; a slot's sequence number is its lock (zeroed before a
change, written last), and every payload carries a CRC32, so a reader gets a whole record or
:class:`RingGone`.  A reader never changes or unlinks the file; a new file (another inode) is
noticed at the next call.  Transport only: what the bytes mean is the business of others.
"""

from __future__ import annotations

import heapq
import json
import math
import mmap
import os
import time
import zlib
from collections import deque
from pathlib import Path
from typing import Any, NamedTuple

from t4dm.live.frame import dumps

MAGIC = int.from_bytes(b"T4RING01", "little")
PAGE = 4096
STATUS_BYTES = 64 * 1024
SLOT_WORDS = 8
DEFAULT_BYTES = 256 * 2**20
DEFAULT_SLOTS = 65536
DEFAULT_RETAIN_STEPS = 120_000
# words of the header
_MAGIC, _BYTES, _SLOTS, _BLOCK, _LATEST, _OLDEST, _HEARTBEAT, _PROGRESS, _STATUS, _PID = range(10)


class RingGone(LookupError):
    """The record asked for is not, or no longer, in the ring."""


class Entry(NamedTuple):
    """One row of the slot table; ``mono_ns`` is the writer's monotonic clock at the append."""

    seq: int
    epoch: int
    step0: int
    step1: int
    offset: int
    length: int
    crc: int
    mono_ns: int


def _index_start() -> int:
    return PAGE + 2 * STATUS_BYTES


def _data_start(slots: int) -> int:
    return -(-(_index_start() + slots * SLOT_WORDS * 8) // PAGE) * PAGE


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
        self._data = _data_start(slots)
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
            (_BYTES, self.n_blocks * self.block),
            (_SLOTS, slots),
            (_BLOCK, self.block),
            (_OLDEST, 1),
            (_PID, os.getpid()),
            (_MAGIC, MAGIC),
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
        if seq - self._words[_OLDEST] >= self.slots:
            self._words[_OLDEST] = seq - self.slots + 1
        slot = _index_start() // 8 + (seq % self.slots) * SLOT_WORDS
        self._words[slot] = 0
        self._map[offset : offset + length] = payload
        row = (epoch, step0, step1, offset, length, zlib.crc32(payload), time.monotonic_ns())
        for word, value in enumerate(row, slot + 1):
            self._words[word] = value
        self._words[slot] = seq
        self._words[_LATEST] = seq
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
        self._words[_OLDEST] = max(self._words[_OLDEST], last + 1)
        heapq.heappush(self._free, block)

    def heartbeat(self) -> None:
        """Say that the process lives."""
        self._words[_HEARTBEAT] = time.monotonic_ns()

    def progress(self) -> None:
        """Say that the main loop goes round."""
        self._words[_PROGRESS] = time.monotonic_ns()

    def status(self, status: dict[str, Any]) -> None:
        """Publish a small JSON object, newest wins; raises ValueError above 64 kB."""
        text = dumps(status).encode()
        if len(text) > STATUS_BYTES - 16:
            raise ValueError(f"a status of {len(text)} bytes is larger than {STATUS_BYTES - 16}")
        version = self._words[_STATUS] + 1
        start = PAGE + (version % 2) * STATUS_BYTES
        head = len(text).to_bytes(8, "little") + zlib.crc32(text).to_bytes(8, "little")
        self._map[start : start + 16 + len(text)] = head + text
        self._words[_STATUS] = version

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


class RingReader:
    """Reads a ring that may not exist yet, may be replaced, and is never changed by reading."""

    def __init__(self, path: Path | str) -> None:
        self.path = str(path)
        self._inode: tuple[int, int] | None = None
        self._map: mmap.mmap | None = None
        self._words: memoryview | None = None

    def _fresh(self) -> memoryview | None:
        """The words of the file now at ``path``; the last known file where there is none."""
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return self._words
        if (found.st_dev, found.st_ino) != self._inode:
            self._open()
        return self._words

    def _open(self) -> None:
        try:
            fd = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            found = os.fstat(fd)
            fresh = mmap.mmap(fd, found.st_size, access=mmap.ACCESS_READ)
        finally:
            os.close(fd)
        words = memoryview(fresh).cast("Q")
        if words[_MAGIC] != MAGIC:
            raise ValueError(f"{self.path} is not a ring of this version")
        self.close()
        self._map, self._words, self._inode = fresh, words, (found.st_dev, found.st_ino)

    def close(self) -> None:
        if self._words is not None and self._map is not None:
            self._words.release()
            self._map.close()
        self._map = self._words = self._inode = None

    @property
    def latest(self) -> int:
        """Sequence number of the newest record, 0 where there is none."""
        words = self._fresh()
        return 0 if words is None else words[_LATEST]

    @property
    def pid(self) -> int:
        """Process id of the writer, 0 where there is no file."""
        words = self._fresh()
        return 0 if words is None else words[_PID]

    def entry(self, seq: int) -> Entry:
        """The slot of record ``seq``; raises RingGone where it is not held."""
        words = self._fresh()
        if words is None:
            raise RingGone(f"no ring at {self.path}")
        return self._entry(words, seq)

    def _entry(self, words: memoryview, seq: int) -> Entry:
        if not words[_OLDEST] <= seq <= words[_LATEST]:
            raise RingGone(f"record {seq} is outside {words[_OLDEST]} to {words[_LATEST]}")
        slot = _index_start() // 8 + (seq % words[_SLOTS]) * SLOT_WORDS
        for _ in range(100):
            first = Entry(*words[slot : slot + SLOT_WORDS])
            if first == Entry(*words[slot : slot + SLOT_WORDS]):
                break
        if first.seq != seq:
            raise RingGone(f"record {seq} was overwritten")
        return first

    def read(self, seq: int) -> bytes:
        """The payload of record ``seq``; raises RingGone where it is not, or no longer, held."""
        words = self._fresh()
        if words is None or self._map is None:
            raise RingGone(f"no ring at {self.path}")
        return self._read(words, self._entry(words, seq))

    def _read(self, words: memoryview, entry: Entry) -> bytes:
        assert self._map is not None
        data = self._map[entry.offset : entry.offset + entry.length]
        if words[_OLDEST] > entry.seq or zlib.crc32(data) != entry.crc:
            raise RingGone(f"record {entry.seq} was overwritten while it was read")
        return data

    def since(self, seq: int) -> list[bytes]:
        """Every payload newer than ``seq``, oldest first; RingGone if some are no longer held."""
        words = self._fresh()
        if words is None:
            return []
        return [
            self._read(words, self._entry(words, s)) for s in range(seq + 1, words[_LATEST] + 1)
        ]

    def held(self) -> tuple[int, int, int, int] | None:
        """``(seq0, seq1, step0, step1)`` held of the newest epoch; None where nothing is held."""
        words = self._fresh()
        for _ in range(100):
            if words is None or words[_LATEST] < words[_OLDEST]:
                return None
            try:
                last = self._entry(words, words[_LATEST])
                seq0 = self._bisect(words, (last.epoch, 0))
                first = self._entry(words, seq0)
            except RingGone:
                continue
            return seq0, last.seq, first.step0, last.step1
        return None

    def range(self, epoch: int, step0: int, step1: int) -> list[bytes]:
        """Payloads of ``epoch`` that touch steps [step0, step1), oldest first; [] if none do."""
        words = self._fresh()
        if words is None or step1 <= step0:
            return []
        for _ in range(100):
            try:
                return self._range(words, epoch, step0, step1)
            except RingGone:
                continue
        raise RingGone(f"steps {step0} to {step1} are being overwritten")

    def _range(self, words: memoryview, epoch: int, step0: int, step1: int) -> list[bytes]:
        out: list[bytes] = []
        for seq in range(self._bisect(words, (epoch, step0)), words[_LATEST] + 1):
            entry = self._entry(words, seq)
            if entry.epoch != epoch or entry.step0 >= step1:
                break
            out.append(self._read(words, entry))
        return out

    def _bisect(self, words: memoryview, key: tuple[int, int]) -> int:
        """First held sequence number whose (epoch, step1) lies beyond ``key``."""
        lo, hi = words[_OLDEST], words[_LATEST] + 1
        while lo < hi:
            middle = (lo + hi) // 2
            entry = self._entry(words, middle)
            if (entry.epoch, entry.step1) > key:
                hi = middle
            else:
                lo = middle + 1
        return lo

    def _age(self, word: int) -> float:
        words = self._fresh()
        return math.inf if words is None else (time.monotonic_ns() - words[word]) / 1e9

    def age_s(self) -> float:
        """Seconds since the writer's last heartbeat; infinite where there is no file."""
        return self._age(_HEARTBEAT)

    def progress_age_s(self) -> float:
        """Seconds since the writer's main loop last went round."""
        return self._age(_PROGRESS)

    def get_status(self) -> dict[str, Any]:
        """The newest status, {} where there is none."""
        words = self._fresh()
        for _ in range(100):
            if words is None or self._map is None or words[_STATUS] == 0:
                return {}
            start = PAGE + (words[_STATUS] % 2) * STATUS_BYTES
            length = int.from_bytes(self._map[start : start + 8], "little")
            crc = int.from_bytes(self._map[start + 8 : start + 16], "little")
            if length > STATUS_BYTES - 16:
                continue
            text = self._map[start + 16 : start + 16 + length]
            if zlib.crc32(text) == crc:
                return json.loads(text)
        return {}


def _allocate(fd: int, offset: int, length: int) -> None:
    """Give the file real room, so that a full disk is an OSError here and no SIGBUS later."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, offset, length)
        return
    zeros = bytes(2**20)
    for start in range(offset, offset + length, len(zeros)):
        os.pwrite(fd, zeros[: min(len(zeros), offset + length - start)], start)
