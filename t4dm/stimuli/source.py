"""What every stimulus is, and the door through which one comes in.

A stimulus is one file with one class under ``@stimulus("kind")``.  It fills rows of 64 inputs (unit 1,
before ``input.gain``) step after step: spikes, or currents, which act for as long as a step lasts.  What
it gives for a step may depend on seed, step, its length ``dt``, parameters and its own state, never on
how the steps are cut into calls.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from t4dm.step_length import STEP_MS
from t4dm.stimuli.params import StimulusParams

Event = dict[str, Any]


class Source(ABC):
    """One kind of stimulus.  ``data_dir`` holds uploads; ``None`` when nothing is kept."""

    kind: ClassVar[str] = ""
    spikes = False  # whether a row counts spikes; else it is a current
    dt = STEP_MS  # ms a step, set by the stimulus before it asks for one

    def __init__(
        self, params: StimulusParams, seed: int, step: int, data_dir: Path | None = None
    ) -> None:
        self.params, self.seed, self.step0, self.data_dir = params, seed, step, data_dir

    @abstractmethod
    def fill(self, step0: int, rows: np.ndarray, rest: np.ndarray) -> list[Event]:
        """Write steps ``step0 ..`` into ``rows`` (n, 64) float32 and ``rest`` (n,) bool.

        Both come in as zeros.  Returns the events of these steps in order.
        """

    def params_changed(self, params: StimulusParams, step: int) -> None:
        """Take new parameters; they act from ``step`` on."""
        self.params = params

    def state(self) -> dict[str, Any]:
        """What a resumed run needs beyond seed and parameters, as JSON data."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:  # noqa: B027 - most kinds have none
        """Stand where :meth:`state` stood."""

    def onset(self, step: int, image: np.ndarray, label: str, index: int = 0) -> Event:
        """The event of a presentation that begins; ``image`` (64,), clipped to 0..1."""
        shown = np.clip(image, 0.0, 1.0).round(4).tolist()
        return self._event("stimulus", step, label=label, index=index, image=shown)

    def silence(self, step: int) -> Event:
        """The event of a rest that begins."""
        return self._event("rest", step)

    def _event(self, what: str, step: int, **more: Any) -> Event:
        return {"type": what, "step": step, "t_ms": step * self.dt, "kind": self.kind} | more


SOURCES: dict[str, type[Source]] = {}


def stimulus(kind: str) -> Callable[[type[Source]], type[Source]]:
    """Class decorator: register a :class:`Source` under ``kind``."""

    def register(cls: type[Source]) -> type[Source]:
        if kind in SOURCES:
            raise ValueError(f"stimulus '{kind}' is registered twice")
        cls.kind = kind
        SOURCES[kind] = cls
        return cls

    return register
