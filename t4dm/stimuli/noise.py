"""Gaussian current, drawn anew for each unit and step: mean ``amplitude``, spread ``noise_std`` in 1 ms.

Its charge over a millisecond has that mean and spread whatever the step, so that a step of ``dt`` ms
draws with a spread of ``noise_std / sqrt(dt)``.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from t4dm.stimuli.draws import GridDraws
from t4dm.stimuli.params import StimulusParams
from t4dm.stimuli.source import Event, Source, stimulus


@stimulus("noise")
class Noise(Source):
    def __init__(
        self, params: StimulusParams, seed: int, step: int, data_dir: Path | None = None
    ) -> None:
        super().__init__(params, seed, step, data_dir)
        self._draws = GridDraws(seed, law="normal")

    def fill(self, step0: int, rows: np.ndarray, rest: np.ndarray) -> list[Event]:
        spread = np.float32(self.params.noise_std / math.sqrt(self.dt))
        np.multiply(self._draws.rows(step0, len(rows)), spread, out=rows)
        rows += np.float32(self.params.amplitude)
        return [self.onset(step0, rows[0], "noise")] if step0 == self.step0 else []
