"""The same current on all 64 units, ``stimulus.amplitude`` (unit 1), with no rest."""

from __future__ import annotations

import numpy as np

from t4dm.stimuli.source import Event, Source, stimulus


@stimulus("constant")
class Constant(Source):
    def fill(self, step0: int, rows: np.ndarray, rest: np.ndarray) -> list[Event]:
        rows[:] = self.params.amplitude
        return [self.onset(step0, rows[0], "constant")] if step0 == self.step0 else []
