"""Pulses on all 64 units: ``amplitude`` for ``pulse_ms`` at the start of every ``period_ms``.

Between two pulses there is rest; with ``pulse_ms >= period_ms`` there is none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from t4dm.step_length import steps_of
from t4dm.stimuli.params import StimulusParams
from t4dm.stimuli.presenter import Presenter
from t4dm.stimuli.source import Event, Source, stimulus


@stimulus("pulse")
class Pulse(Source):
    """``index`` counts the pulses."""

    def __init__(
        self, params: StimulusParams, seed: int, step: int, data_dir: Path | None = None
    ) -> None:
        super().__init__(params, seed, step, data_dir)
        self.presenter = Presenter()

    def fill(self, step0: int, rows: np.ndarray, rest: np.ndarray) -> list[Event]:
        events = []
        period = steps_of(self.params.period_ms, self.dt)
        on = min(steps_of(self.params.pulse_ms, self.dt), period)
        for span in self.presenter.spans(len(rows), on, period - on):
            step, here = step0 + span.start, slice(span.start, span.stop)
            if span.showing:
                rows[here] = self.params.amplitude
                if span.begins:
                    events.append(self.onset(step, rows[span.start], "pulse", span.count))
            else:
                rest[here] = True
                if span.begins:
                    events.append(self.silence(step))
        return events

    def state(self) -> dict[str, Any]:
        return {"presenter": self.presenter.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        self.presenter.load_state(state["presenter"])
