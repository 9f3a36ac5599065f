"""Presentations in turn: shown for ``on`` steps, silent for ``off`` steps, then the next one.

``on`` and ``off`` are asked anew at every span, so a change acts on the running presentation
without restarting it; a presentation shown longer than a shortened ``on`` ends at that step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """Steps ``[start, stop)`` of a chunk within one phase of presentation ``count``."""

    start: int
    stop: int
    showing: bool
    begins: bool
    count: int


@dataclass(slots=True)
class Presenter:
    """Where a train of presentations stands; ``count`` is -1 before the first one."""

    count: int = -1
    showing: bool = False
    elapsed: int = 0

    def spans(self, n: int, on: int, off: int) -> Iterator[Span]:
        """Cut the next ``n`` steps into spans; ``on`` >= 1 and ``off`` >= 0 in steps."""
        done = 0
        while done < n:
            begins = self._turn(on, off)
            length = min(n - done, (on if self.showing else off) - self.elapsed)
            yield Span(done, done + length, self.showing, begins, self.count)
            self.elapsed += length
            done += length

    def _turn(self, on: int, off: int) -> bool:
        """Go to the next phase if this one is over; returns whether a phase begins."""
        over = self.elapsed >= (on if self.showing else off)
        if self.count >= 0 and not over:
            return False
        if self.showing and off > 0:
            self.showing = False
        else:
            self.showing = True
            self.count += 1
        self.elapsed = 0
        return True

    def state(self) -> dict[str, Any]:
        return asdict(self)

    def load_state(self, state: dict[str, Any]) -> None:
        self.count, self.showing = int(state["count"]), bool(state["showing"])
        self.elapsed = int(state["elapsed"])
