"""The reading side of the ring (``t4dm.live.ring``)."""

from __future__ import annotations

import math
import mmap
import os
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from t4dm.live.ring import (
    MAGIC,
    SLOT_WORDS,
    STATUS_BYTES,
    STATUS_HEAD,
    Entry,
    RingGone,
    Word,
    slot_word,
    status_start,
)

_SLOT = struct.Struct(f"={SLOT_WORDS}Q")  # as ``memoryview.cast("Q")`` wrote it


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
        if words[Word.MAGIC] != MAGIC:
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
        return 0 if words is None else words[Word.LATEST]

    @property
    def pid(self) -> int:
        """Process id of the writer, 0 where there is no file."""
        words = self._fresh()
        return 0 if words is None else words[Word.PID]

    def entry(self, seq: int) -> Entry:
        """The slot of record ``seq``; raises RingGone where it is not held."""
        words = self._fresh()
        if words is None:
            raise RingGone(f"no ring at {self.path}")
        return self._entry(words, seq)

    def _entry(self, words: memoryview, seq: int) -> Entry:
        if not words[Word.OLDEST] <= seq <= words[Word.LATEST]:
            raise RingGone(f"record {seq} is outside {words[Word.OLDEST]} to {words[Word.LATEST]}")
        slot = slot_word(seq, words[Word.SLOTS])
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
        if words[Word.OLDEST] > entry.seq or zlib.crc32(data) != entry.crc:
            raise RingGone(f"record {entry.seq} was overwritten while it was read")
        return data

    def since(self, seq: int) -> list[bytes]:
        """Every payload newer than ``seq``, oldest first; RingGone if some are no longer held."""
        words = self._fresh()
        if words is None:
            return []
        return [
            self._read(words, self._entry(words, s)) for s in range(seq + 1, words[Word.LATEST] + 1)
        ]

    def held(self) -> tuple[int, int, int, int] | None:
        """``(seq0, seq1, step0, step1)`` held of the newest epoch; None where nothing is held."""
        words = self._fresh()
        for _ in range(100):
            if words is None or words[Word.LATEST] < words[Word.OLDEST]:
                return None
            try:
                last = self._entry(words, words[Word.LATEST])
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
        return [self._read(words, entry) for entry in self._touching(words, epoch, step0, step1)]

    def entries(self, epoch: int, step0: int, step1: int) -> list[Entry]:
        """Slots of ``epoch`` that touch steps [step0, step1), oldest first; [] if none do."""
        words = self._fresh()
        if words is None or step1 <= step0:
            return []
        first = self._bisect(words, (epoch, step0))
        last = self._bisect(words, (epoch, step1 - 1))  # the one that ends at step1 or beyond
        entries = self._entries(words, first, min(last, words[Word.LATEST]))
        return [entry for entry in entries if entry.epoch == epoch and entry.step0 < step1]

    def _entries(self, words: memoryview, first: int, last: int) -> list[Entry]:
        """Slots of records ``first`` to ``last``, read at once; RingGone where one is not held."""
        if last < first:
            return []
        slots = words[Word.SLOTS]
        for _ in range(100):
            data = self._slots(first, last, slots)
            if data == self._slots(first, last, slots):
                break
        entries = [Entry._make(row) for row in _SLOT.iter_unpack(data)]
        if [entry.seq for entry in entries] != list(range(first, last + 1)):
            raise RingGone(f"records {first} to {last} are being overwritten")
        return entries

    def _slots(self, first: int, last: int, slots: int) -> bytes:
        """The bytes of those slots, in order; the table goes on at its front behind its end."""
        assert self._map is not None
        table, begin, end = 8 * slot_word(0, slots), first % slots, last % slots + 1
        if begin < end:
            return self._map[table + begin * _SLOT.size : table + end * _SLOT.size]
        front = self._map[table : table + end * _SLOT.size]
        return self._map[table + begin * _SLOT.size : table + slots * _SLOT.size] + front

    def _touching(self, words: memoryview, epoch: int, step0: int, step1: int) -> Iterator[Entry]:
        for seq in range(self._bisect(words, (epoch, step0)), words[Word.LATEST] + 1):
            entry = self._entry(words, seq)
            if entry.epoch != epoch or entry.step0 >= step1:
                return
            yield entry

    def _bisect(self, words: memoryview, key: tuple[int, int]) -> int:
        """First held sequence number whose (epoch, step1) lies beyond ``key``."""
        lo, hi = words[Word.OLDEST], words[Word.LATEST] + 1
        while lo < hi:
            middle = (lo + hi) // 2
            entry = self._entry(words, middle)
            if (entry.epoch, entry.step1) > key:
                hi = middle
            else:
                lo = middle + 1
        return lo

    def _age(self, word: Word) -> float:
        words = self._fresh()
        return math.inf if words is None else (time.monotonic_ns() - words[word]) / 1e9

    def age_s(self) -> float:
        """Seconds since the writer's last heartbeat; infinite where there is no file."""
        return self._age(Word.HEARTBEAT)

    def progress_age_s(self) -> float:
        """Seconds since the writer's main loop last went round."""
        return self._age(Word.PROGRESS)

    def get_status(self) -> dict[str, Any]:
        """The newest status, {} where there is none."""
        words = self._fresh()
        for _ in range(100):
            if words is None or self._map is None or words[Word.STATUS] == 0:
                return {}
            start = status_start(words[Word.STATUS])
            length = int.from_bytes(self._map[start : start + 8], "little")
            crc = int.from_bytes(self._map[start + 8 : start + 16], "little")
            if length > STATUS_BYTES - STATUS_HEAD:
                continue
            text = self._map[start + STATUS_HEAD : start + STATUS_HEAD + length]
            if zlib.crc32(text) == crc:
                return orjson.loads(text)
        return {}
