"""The stimulus of a run: the chosen kind, where it stands, and how to change it while it runs."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any, Protocol

import numpy as np

import t4dm.stimuli
from t4dm.params import ParamError, did_you_mean
from t4dm.step_length import STEP_MS
from t4dm.stimuli.params import STIMULUS_WIDTH, StimulusParams
from t4dm.stimuli.source import SOURCES, Event, Source


class Values(Protocol):
    """What is asked of a parameter tree."""

    dt: float

    def get(self, path: str) -> Any: ...


def kinds() -> list[str]:
    """Every kind of stimulus that a file of this package registers."""
    for module in pkgutil.iter_modules(t4dm.stimuli.__path__):
        importlib.import_module(f"{t4dm.stimuli.__name__}.{module.name}")
    return sorted(SOURCES)


def make_stimulus(tree: Values, seed: int, data_dir: Path | None) -> Stimulus:
    """The stimulus that ``tree`` asks for, before step 0.

    ``data_dir`` is where uploaded files are kept; raises ParamError for an unknown kind.
    """
    kinds()
    return Stimulus(_read(tree), seed, data_dir, tree.dt)


class Stimulus:
    """Rows of input currents, asked for strictly one step after the other."""

    def __init__(
        self, params: StimulusParams, seed: int, data_dir: Path | None, dt: float = STEP_MS
    ) -> None:
        self.seed, self.data_dir, self.dt = seed, data_dir, dt
        self.step = 0
        self._params = params
        self._source = self._make(params, 0)

    @property
    def kind(self) -> str:
        return self._source.kind

    @property
    def share(self) -> float:
        """What a row is multiplied by where it acts: a spike is whole, a current lasts dt ms."""
        return 1.0 if self._source.spikes else self.dt

    def rows(self, step0: int, n: int) -> tuple[np.ndarray, list[Event], np.ndarray]:
        """Currents (n, 64) float32, events in order, and where it rests (n,) bool.

        Raises ValueError unless ``step0`` is the step at which the last call ended and n >= 1.
        """
        if step0 != self.step or n < 1:
            raise ValueError(f"stimulus stands at step {self.step}; asked for {n} from {step0}")
        rows = np.zeros((n, STIMULUS_WIDTH), np.float32)
        rest = np.zeros(n, bool)
        events = self._source.fill(step0, rows, rest)
        self.step += n
        return rows, events, rest

    def params_changed(self, tree: Values, step: int) -> None:
        """Take the tree's values, which act from ``step`` on (the step to be asked for next).

        A change of kind, or of the file while one is played, starts the new stimulus there.  Raises
        ParamError, and goes on as before, where the new one cannot be made.
        """
        if step != self.step:
            raise ValueError(f"stimulus stands at step {self.step}, not at {step}")
        old, new = self._params, _read(tree)
        other_file = new.kind == "file" and new.file_id != old.file_id
        if new.kind != old.kind or other_file:
            self._source = self._make(new, step)
        elif new != old:
            self._source.params_changed(new, step)
        self._params = new

    def state(self) -> dict[str, Any]:
        """Everything needed to go on exactly here, as JSON data."""
        return {
            "step": self.step,
            "params": self._params.model_dump(),
            "started": self._source.step0,
            "source": self._source.state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Stand where :meth:`state` stood, with the parameters of that moment."""
        self.step = int(state["step"])
        self._params = StimulusParams(**state["params"])
        self._source = self._make(self._params, int(state["started"]))
        self._source.load_state(state["source"])

    def _make(self, params: StimulusParams, step: int) -> Source:
        kind = params.kind
        if kind not in SOURCES:
            known = kinds()
            hint = did_you_mean(kind, known)
            raise ParamError("stimulus.kind", f"no stimulus '{kind}'{hint}", choices=known)
        source = SOURCES[kind](params, self.seed, step, self.data_dir)
        source.dt = self.dt
        return source


def _read(tree: Values) -> StimulusParams:
    group = StimulusParams.group
    return StimulusParams(
        **{name: tree.get(f"{group}.{name}") for name in StimulusParams.model_fields}
    )
