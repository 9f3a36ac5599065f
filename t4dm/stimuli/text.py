"""Text played letter by letter, each character a fixed pattern of 20 of the 64 units.

The pattern depends on the character's code point only, so one letter is the same letter in every
run and at every seed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from t4dm.stimuli.params import STIMULUS_WIDTH, StimulusParams
from t4dm.stimuli.presented import PresentedSource
from t4dm.stimuli.source import Event, stimulus

ACTIVE_UNITS = 20


@lru_cache(maxsize=1024)
def letter_pattern(character: str) -> np.ndarray:
    """The pattern of one character: (64,) float32 of zeros and ``ACTIVE_UNITS`` ones."""
    bits = np.random.Philox(key=ord(character))
    pattern = np.zeros(STIMULUS_WIDTH, np.float32)
    pattern[np.random.Generator(bits).permutation(STIMULUS_WIDTH)[:ACTIVE_UNITS]] = 1.0
    return pattern


@stimulus("text")
class Text(PresentedSource):
    """Plays ``stimulus.text`` from its start and over again; an empty text is one long rest."""

    _silent = False

    def item(self, count: int) -> tuple[np.ndarray, str, int]:
        index = count % len(self.params.text)
        return letter_pattern(self.params.text[index]), self.params.text[index], index

    def fill(self, step0: int, rows: np.ndarray, rest: np.ndarray) -> list[Event]:
        if self.params.text:
            self._silent = False
            return super().fill(step0, rows, rest)
        rest[:] = True
        begins, self._silent = not self._silent, True
        return [self.silence(step0)] if begins else []

    def params_changed(self, params: StimulusParams, step: int) -> None:
        if params.text != self.params.text:
            self.presenter = type(self.presenter)()
            self._count = -1
        super().params_changed(params, step)

    def state(self) -> dict[str, Any]:
        return super().state() | {"silent": self._silent}

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self._silent = bool(state["silent"])
