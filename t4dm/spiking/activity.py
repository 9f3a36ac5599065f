"""Log lines about a population in a user's own loop; the live session has its own.

watch = ActivityLog("hidden")
done = lif.step(current, u);  watch(done)
"""

from __future__ import annotations

import logging
from collections import deque

import torch

from t4dm.observations import Notices
from t4dm.spiking.lif import LIFStep

SILENT_STEPS = 500
EXPLOSION_STEPS = 100
EXPLOSION = 0.5
log = logging.getLogger(__name__)


class ActivityLog:
    """Looks at every step of the population ``name`` (..., N); each kind of line once in 1000.

    "No spikes detected" after 500 silent steps, "Spike explosion" when more than half of it
    fires a step, over 100 steps, "Membrane overflow" where values were clamped, "Numerical instability" for NaN or
    Inf.  :attr:`rate` is the share that fired in the last step.
    """

    def __init__(self, name: str, silent_steps: int = SILENT_STEPS) -> None:
        self.name, self.silent_steps = name, silent_steps
        self.steps = self._silent = 0
        self.rate = 0.0
        self._rates: deque[float] = deque(maxlen=EXPLOSION_STEPS)
        self._notices = Notices(log, place="in step {:g}")

    @torch.no_grad()
    def __call__(self, done: LIFStep) -> float:
        """Look at one step; returns the share of neurons that fired."""
        self.steps += 1
        self.rate = float(done.spikes.float().mean())
        self._rates.append(self.rate)
        self._silent = 0 if self.rate > 0 else self._silent + 1
        if not bool(done.u_pre.isfinite().all()):
            self._say(logging.ERROR, "Numerical instability", "a membrane is not finite")
        if clamped := int(done.clamped.sum()):
            self._say(logging.WARNING, "Membrane overflow", f"{clamped} values clamped")
        if self._silent >= self.silent_steps:
            self._say(logging.WARNING, "No spikes detected", f"for {self._silent} steps")
        share = sum(self._rates) / EXPLOSION_STEPS
        if share > EXPLOSION:
            text = f"{share:.0%} of it a step over {EXPLOSION_STEPS} steps"
            self._say(logging.WARNING, "Spike explosion", text)
        return self.rate

    def _say(self, level: int, kind: str, text: str) -> None:
        self._notices.say(level, kind, self.steps, f"{kind} in {self.name}: {text}")
