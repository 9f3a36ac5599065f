"""The ring: one memory-mapped file of immutable records, one writer, any number of readers.

Records live in blocks of the file, and blocks are taken from the disk only when they are needed.
A record is found through a table of slots; a slot's sequence number is its lock (zeroed before a
change, written last), and every payload carries a CRC32, so a reader gets a whole record or
:class:`RingGone`.  A reader never changes or unlinks the file; a new file (another inode) is
noticed at the next call.  Transport only: what the bytes mean is the business of others.

Here stands how the file is laid out: a page of words, two places for the status, the table of
slots, the blocks.  ``ring_writer`` fills it, ``ring_reader`` reads it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

MAGIC = int.from_bytes(b"T4RING01", "little")
PAGE = 4096
STATUS_BYTES = 64 * 1024
STATUS_HEAD = 16  # length and CRC32 before the text, 8 bytes each
SLOT_WORDS = 8


class Word(IntEnum):
    """Where each word of the first page stands, 8 bytes each."""

    MAGIC = 0
    BYTES = 1
    SLOTS = 2
    BLOCK = 3
    LATEST = 4
    OLDEST = 5
    HEARTBEAT = 6
    PROGRESS = 7
    STATUS = 8
    PID = 9


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


def status_start(version: int) -> int:
    """Byte at which the status of ``version`` stands: the two places take turns."""
    return PAGE + (version % 2) * STATUS_BYTES


def slot_word(seq: int, slots: int) -> int:
    """Word at which the slot of record ``seq`` begins."""
    return (PAGE + 2 * STATUS_BYTES) // 8 + (seq % slots) * SLOT_WORDS


def data_start(slots: int) -> int:
    """Byte at which the first block begins."""
    return -(-(PAGE + 2 * STATUS_BYTES + slots * SLOT_WORDS * 8) // PAGE) * PAGE
