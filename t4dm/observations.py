"""Log lines about a running network, each kind at most once in a span of simulated time.

No clock here: time is simulated.  An object of the library that knows no time counts its calls.
"""

from __future__ import annotations

import logging

EVERY_MS = 1000.0


class Notices:
    """Says each kind of line at most once in a span ``every`` of simulated time.

    ``place`` says where a line stands in time.  What was held back meanwhile is counted in the next
    line of its kind.  A time before the last line's is a new run: it is said again.
    """

    def __init__(
        self, log: logging.Logger, every: float = EVERY_MS, place: str = "at {:g} ms"
    ) -> None:
        self.log, self.every, self.place = log, every, place
        self._said: dict[str, float] = {}
        self._held: dict[str, int] = {}

    def due(self, kind: str, t: float) -> bool:
        """Whether a line of this ``kind`` would be logged at time ``t``."""
        last = self._said.get(kind)
        return last is None or not 0 <= t - last < self.every

    def say(self, level: int, kind: str, t: float, message: str) -> bool:
        """Log ``message`` if it is time for another line of this ``kind``; whether it was logged."""
        if not self.due(kind, t):
            self._held[kind] = self._held.get(kind, 0) + 1
            return False
        held = self._held.pop(kind, 0)
        more = f" ({held} more since {self._said[kind]:g})" if held else ""
        self._said[kind] = t
        self.log.log(level, "%s %s%s", message, self.place.format(t), more)
        return True
