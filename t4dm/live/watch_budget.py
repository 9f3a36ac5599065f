"""What watching may cost a script, and what it does cost: measured, and kept by recording less.

    credit <- min(credit + share * elapsed, CAP_S) - spent          all in seconds

A call is recorded while the credit is not used up, so the share holds whatever the script and the
machine, beside the START_S that it may spend once.  Spent is the time of the script's
thread in our hooks, what a hook adds to a module's call, and the processor time of the publisher's
thread, whether that ran beside the script or instead of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

SHARE = 0.05
MARGIN = 0.6  # of the share is spent: what no clock of ours sees (caches, waits) has the rest
START_S = 0.25  # may be spent once, so that the first calls are all recorded
CAP_S = 0.02  # saved up at most while a script costs nothing, so that no burst follows a pause


class Spent(NamedTuple):
    """Sums since the start: ``calls`` that might have been recorded, ``recorded`` ones, seconds."""

    calls: int = 0
    recorded: int = 0
    seconds: float = 0.0
    at: float = 0.0


class Budget:
    """``share`` of the script's time (0 to 1) that recording may take; None: whatever it takes.

    :meth:`allows` and :meth:`spend` are for the script's thread, :attr:`publisher_s` for the
    publisher's alone, so that neither needs a lock.
    """

    def __init__(
        self, share: float | None = SHARE, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.share, self.clock = share, clock
        self.script_s = self.publisher_s = 0.0
        self.calls = self.recorded = 0
        self._credit, self._paid, self._at = START_S, 0.0, clock()

    @property
    def spent_s(self) -> float:
        """Seconds spent so far."""
        return self.script_s + self.publisher_s

    @property
    def thins_out(self) -> bool:
        """Whether a call was left out for its cost."""
        return self.recorded < self.calls

    def allows(self, exact: bool = False) -> bool:
        """Whether the next call may be recorded; counts it.  ``exact``: this one in any case."""
        now, spent = self.clock(), self.spent_s
        if self.share is not None:
            earned = self._credit + MARGIN * self.share * (now - self._at)
            self._credit = min(earned, max(CAP_S, self._credit)) - (spent - self._paid)
        self._at, self._paid = now, spent
        self.calls += 1
        if self.share is not None and self._credit < 0 and not exact:
            return False
        self.recorded += 1
        return True

    def spend(self, seconds: float) -> None:
        """Count ``seconds`` of the script's thread."""
        self.script_s += seconds

    def count_thread(self) -> None:
        """Keep what the publisher's thread took, as it has ended and another one begins at 0."""
        self.script_s += self.publisher_s
        self.publisher_s = 0.0

    def sums(self) -> Spent:
        """What was counted until now."""
        return Spent(self.calls, self.recorded, self.spent_s, self.clock())

    def counts(self) -> dict[str, Any]:
        """Calls until now, those recorded, and the share allowed, for the status."""
        return {"calls": self.calls, "recorded": self.recorded, "budget": self.share}


def shares(since: Spent, now: Spent) -> dict[str, float | None]:
    """``part`` of the calls that was recorded between two sums, ``cost`` as a share of the time.

    None where there was no call, or no time.
    """
    calls, elapsed = now.calls - since.calls, now.at - since.at
    return {
        "part": round((now.recorded - since.recorded) / calls, 4) if calls else None,
        "cost": round((now.seconds - since.seconds) / elapsed, 4) if elapsed > 0 else None,
    }
