"""Images shown one after the other as Poisson spikes: the common part of digits and text."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from t4dm.step_length import steps_of
from t4dm.stimuli.draws import GridDraws
from t4dm.stimuli.params import StimulusParams
from t4dm.stimuli.presenter import Presenter
from t4dm.stimuli.source import Event, Source


class PresentedSource(Source):
    """Shows image ``count`` for ``image_ms``, then rests for ``rest_ms``.

    A unit of intensity p spikes (row value 1) with probability ``p * rate_hz * dt / 1000`` a step.
    """

    spikes = True

    def __init__(
        self, params: StimulusParams, seed: int, step: int, data_dir: Path | None = None
    ) -> None:
        super().__init__(params, seed, step, data_dir)
        self.presenter = Presenter()
        self._draws = GridDraws(seed)
        self._count = -1
        self._shown: tuple[np.ndarray, str, int] = (np.zeros(64, np.float32), "", 0)

    @abstractmethod
    def item(self, count: int) -> tuple[np.ndarray, str, int]:
        """Presentation ``count``: image (64,) float32 in 0..1, label, index."""

    def fill(self, step0: int, rows: np.ndarray, rest: np.ndarray) -> list[Event]:
        events: list[Event] = []
        params, dt = self.params, self.dt
        on, off = steps_of(params.image_ms, dt), steps_of(params.rest_ms, dt)
        for span in self.presenter.spans(len(rows), on, off):
            step = step0 + span.start
            if not span.showing:
                rest[span.start : span.stop] = True
                if span.begins:
                    events.append(self.silence(step))
                continue
            image, label, index = self._item(span.count)
            chance = image * np.float32(params.rate_hz * self.dt / 1000.0)
            drawn = self._draws.rows(step, span.stop - span.start)
            np.less(drawn, chance, out=rows[span.start : span.stop])
            if span.begins:
                events.append(self.onset(step, image, label, index))
        return events

    def _item(self, count: int) -> tuple[np.ndarray, str, int]:
        if count != self._count:
            self._shown, self._count = self.item(count), count
        return self._shown

    def state(self) -> dict[str, Any]:
        return {"presenter": self.presenter.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        self.presenter.load_state(state["presenter"])
        self._count = -1
