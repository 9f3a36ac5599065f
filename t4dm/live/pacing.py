"""Pacing of simulated against real time.  The clock is handed in, in seconds, monotonic."""

from __future__ import annotations

from collections import deque

from t4dm.step_length import STEP_MS

GRID = 8  # steps of the engine's absolute grid
MAX_CHUNK = 64
PERIOD_S = 0.008  # wall time between two chunks when paced
CHUNK_WALL_S = 0.010
DEBT_S = 0.1
RATIO_SPAN_S = 1.0


class Pacer:
    """Says how many steps are due, and how long to wait until some are.

    ``speed`` is simulated seconds per wall second, None for as fast as it goes; a step is ``step_s``.  When the model is
    slower than asked, the debt is forgotten after :data:`DEBT_S`.
    """

    def __init__(self, speed: float | None = 1.0, step_s: float = STEP_MS / 1000) -> None:
        self.speed, self._step_s = speed, step_s
        self._origin: float | None = None
        self._done = 0.0
        self._cost = 0.0003  # wall seconds a step, smoothed
        self._history: deque[tuple[float, int]] = deque()

    def restart(self, speed: float | None) -> None:
        """Count from now on, at ``speed``."""
        self.speed, self._origin, self._done = speed, None, 0.0

    def chunk(self, step: int) -> int:
        """Steps of the next chunk from ``step``: at most 64, at most ~10 ms, ending on the grid."""
        if self.speed is None:
            return MAX_CHUNK - step % GRID
        wanted = max(1.0, self.speed * PERIOD_S / self._step_s)
        affordable = max(GRID, CHUNK_WALL_S / self._cost)  # fewer than a tile cost as much as one
        size = int(min(wanted, affordable, MAX_CHUNK))
        if size < GRID:
            return min(size, GRID - step % GRID)
        return size // GRID * GRID - step % GRID

    def wait_s(self, now: float, n: int) -> float:
        """Wall seconds until a chunk of ``n`` steps is due; 0 where it already is."""
        if self.speed is None:
            return 0.0
        if self._origin is None:
            self._origin = now
        due = self._origin + (self._done + n) * self._step_s / self.speed
        if now - due > DEBT_S:
            self._origin += now - due
            return 0.0
        return max(0.0, due - now)

    def done(self, now: float, n: int, took_s: float) -> None:
        """A chunk of ``n`` steps ended at ``now`` and took ``took_s``."""
        self._done += n
        self._cost += 0.1 * (took_s / n - self._cost)
        self._history.append((now, n))
        self._forget(now)

    def ratio(self, now: float) -> float:
        """Simulated over real time in the last second."""
        self._forget(now)
        if not self._history:
            return 0.0
        return sum(n for _, n in self._history) * self._step_s / RATIO_SPAN_S

    def _forget(self, now: float) -> None:
        while self._history and self._history[0][0] <= now - RATIO_SPAN_S:
            self._history.popleft()
