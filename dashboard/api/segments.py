"""Decoded segments, kept a while: a segment never changes, and neighbouring requests share most.

Not a store of record: what is not here is read from the ring again.
"""

from __future__ import annotations

from collections import OrderedDict

from t4dm.live.client import SessionClient
from t4dm.live.ring import RingGone
from t4dm.live.segment import Segment

MAX_BYTES = 32 << 20
ATTEMPTS = 100
Key = tuple[str, str, int, int, int]


class DecodedSegments:
    """The segments used last, at most ``max_bytes`` of payload."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes, self.held_bytes = max_bytes, 0
        self._kept: OrderedDict[Key, tuple[int, Segment]] = OrderedDict()

    def range(self, client: SessionClient, epoch: int, step0: int, step1: int) -> list[Segment]:
        """Segments of ``epoch`` that touch steps [step0, step1), oldest first; [] if none do.

        Raises RingGone where they are overwritten faster than they can be read.
        """
        for _ in range(ATTEMPTS):
            try:
                return self._range(client, epoch, step0, step1)
            except RingGone:
                continue
        raise RingGone(f"steps {step0} to {step1} are being overwritten")

    def one(self, client: SessionClient, epoch: int, seq: int) -> Segment:
        """The segment with that sequence number; raises RingGone where it is no longer held."""
        of = (str(client.run_dir), client.session, client.reader().pid, epoch)
        return self._segment(client, of, seq)

    def _range(self, client: SessionClient, epoch: int, step0: int, step1: int) -> list[Segment]:
        reader = client.reader()
        of = (str(client.run_dir), client.session, reader.pid, epoch)
        return [self._segment(client, of, e.seq) for e in reader.entries(epoch, step0, step1)]

    def _segment(self, client: SessionClient, of: tuple[str, str, int, int], seq: int) -> Segment:
        key = (*of, seq)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found[1]
        data = client.reader().read(seq)
        segment = Segment.decode(data)
        self._kept[key] = (len(data), segment)
        self.held_bytes += len(data)
        while self.held_bytes > self.max_bytes:
            _, (size, _old) = self._kept.popitem(last=False)
            self.held_bytes -= size
        return segment


decoded = DecodedSegments()
