"""What was done to a session from outside, as the doctor sees it from look to look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from t4dm.health.params import HealthParams
from t4dm.health.patience import Act
from t4dm.spiking.params import NEUROMODULATORS

CLOSE_MS = (
    2000  # changes that follow one another within it are one: a slider, a script with a rhythm
)


class Acts:
    """``act``: the last; ``set_at``: the look that was the first to see the settings in force;
    ``begun``: the same of the first of the changes that led to them."""

    def __init__(self, step: int, dt: float) -> None:
        self.act, self.set_at, self.begun = Act(step, begun=step), step, step
        self._dt = dt
        self._settings: dict[str, Any] | None = None

    def look(self, step: int, values: Mapping[str, Any], injected: np.ndarray) -> None:
        """The look at ``step``: ``values`` off their defaults, those of the rules themselves apart, and
        what was ``injected`` (4,) since the look before."""
        own = f"{HealthParams.group}."
        now = {path: value for path, value in values.items() if not path.startswith(own)}
        before = self._settings
        changed = set() if before is None else {p for p, _ in now.items() ^ before.items()}
        if now != before:
            if (step - self.set_at) * self._dt > CLOSE_MS:
                self.begun = step
            self._settings, self.set_at = now, step
        injected_now = {
            f"inject {nt}" for nt, size in zip(NEUROMODULATORS, injected, strict=True) if size
        }
        if changed or injected_now:
            self.act = Act(step, frozenset(changed | injected_now), now, self.begun)
