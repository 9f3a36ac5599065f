"""A sine that travels across the 8 x 8 grid: one full wave from unit 0 to unit 63.

``current_i(t) = amplitude * sin(2 pi (phase(t) - i/64))``, the phase growing by ``dt / period_ms``
a step.  A new period goes on from the phase reached.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from t4dm.stimuli.params import STIMULUS_WIDTH, StimulusParams
from t4dm.stimuli.source import Event, Source, stimulus

_LAG = np.arange(STIMULUS_WIDTH) / STIMULUS_WIDTH  # in periods, (64,)


@stimulus("sine")
class Sine(Source):
    def __init__(
        self, params: StimulusParams, seed: int, step: int, data_dir: Path | None = None
    ) -> None:
        super().__init__(params, seed, step, data_dir)
        self._anchor_step, self._anchor_phase = step, 0.0

    def _phase(self, step: np.ndarray | int) -> np.ndarray | float:
        past = (step - self._anchor_step) * self.dt
        return (self._anchor_phase + past / self.params.period_ms) % 1.0

    def fill(self, step0: int, rows: np.ndarray, rest: np.ndarray) -> list[Event]:
        phase = np.asarray(self._phase(np.arange(step0, step0 + len(rows))))
        rows[:] = self.params.amplitude * np.sin(2 * np.pi * (phase[:, None] - _LAG))
        return [self.onset(step0, rows[0], "sine")] if step0 == self.step0 else []

    def params_changed(self, params: StimulusParams, step: int) -> None:
        if params.period_ms != self.params.period_ms:
            self._anchor_step, self._anchor_phase = step, float(self._phase(step))
        super().params_changed(params, step)

    def state(self) -> dict[str, Any]:
        return {"anchor_step": self._anchor_step, "anchor_phase": self._anchor_phase}

    def load_state(self, state: dict[str, Any]) -> None:
        self._anchor_step = int(state["anchor_step"])
        self._anchor_phase = float(state["anchor_phase"])
