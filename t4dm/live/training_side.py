"""One of the runs of a training session: sound, or carrying a fault; both from one seed and text.

A fault that raises an error ends its own run: the text is kept, and the other goes on.
"""

from __future__ import annotations

import json
import math
import time
from collections import deque
from collections.abc import Generator
from dataclasses import astuple
from typing import Any

import numpy as np
import torch

from t4dm.ablations import NONE, Ablations
from t4dm.hippocampal.generate import generate
from t4dm.learning.gradient import GradientLog
from t4dm.live.frame import dumps
from t4dm.training import checkpoint
from t4dm.training.clinic import BROKEN, error_text
from t4dm.training.clinic_trials import Trial
from t4dm.training.data import draws_at
from t4dm.training.findings import Finding, Scored, Step, findings
from t4dm.training.params import LiveTrainParams, TrainParams
from t4dm.training.runs import Material, NamedRun
from t4dm.training.trainer import Trainer

SCALARS = (
    "loss", "penalty", "grad_norm", "learning_rate", "tokens", "phase", "applied", "held_out", "seconds",
)  # fmt: skip
SAMPLE_STREAM = 6
REMEMBERED = 2000  # steps that the findings look back on
SCORES = 400
AT_ONCE = 8  # tokens written between two looks at the commands
MAX_ERROR = 600  # characters


class Side:
    """The run ``name``: its trainer, its last steps, and the error that ended it, if one did."""

    def __init__(
        self, name: str, run: NamedRun, material: Material, trial: Trial, ablations: Ablations
    ) -> None:
        self.name, self.run, self.material = name, run, material
        self.trial, self.ablations = trial, ablations
        self.trainer: Trainer | None = None
        self.error = ""
        self.steps: deque[Step] = deque(maxlen=REMEMBERED)
        self.scores: deque[Scored] = deque(maxlen=SCORES)
        self.held_out = math.nan  # of the model as the next step finds it

    @property
    def sound(self) -> bool:
        return self.ablations == NONE

    def begin(self, seed: int, params: LiveTrainParams) -> None:
        """From the seed; an error that the fault raises while the model is built ends the run."""
        self.error, self.held_out = "", math.nan
        self.steps.clear()
        self.scores.clear()
        self.trainer = None
        try:
            model = self.trial.model(self.run, seed, self.ablations)
        except BROKEN as error:
            self.failed(error)
            return
        train, held_out = self.material.train, self.material.held_out
        self.trainer = Trainer(model, train, params.plain(), seed, held_out)
        self._log = GradientLog(params.learning_rate, of=self.name)
        self.take(params)

    def take(self, params: LiveTrainParams) -> None:
        """Train with ``params`` from the next step on."""
        if self.trainer is not None:
            self.trainer.params = params.plain()
            self.trainer.model.dropout = params.dropout

    def failed(self, error: Exception) -> None:
        """End this run with ``error``; that of a sound run is no fault of the model and is raised."""
        if self.sound:
            raise error
        self.error = error_text(error, MAX_ERROR)

    def row(self) -> list[float]:
        """One optimizer step, as :data:`SCALARS`; NaN where there is none any more."""
        missing = [math.nan] * len(SCALARS)
        if self.trainer is None or self.error:
            return missing
        began = time.monotonic()
        try:
            report = self.trainer.step()
        except BROKEN as error:
            self.failed(error)
            return missing
        clip = self.trainer.params.clip or math.inf
        self._log.tell(report.step, report.grad_norm, clip, report.learning_rate)
        asleep = report.phase == "sleep"
        told = report.loss, report.grad_norm, asleep, report.applied, report.learning_rate
        self.steps.append(Step(report.step, *told, report.penalty))
        scored, self.held_out = self.held_out, math.nan
        if math.isfinite(scored):
            self.scores.append(Scored(report.step, scored))
        return [
            report.loss, report.penalty, report.grad_norm, report.learning_rate, report.tokens,
            asleep, report.applied, scored, time.monotonic() - began,
        ]  # fmt: skip

    def findings(self, params: TrainParams) -> list[Finding]:
        """What is wrong with this run now."""
        return findings(list(self.steps), list(self.scores), params, self.run.train)

    # -- what is done between two steps, a little at a time ------------------------------------

    def score(self, windows: int) -> Generator[None, None, None]:
        """Held-out loss of the model as it is, into the row of the next step."""
        if self.trainer is None or self.error:
            return
        try:
            self.held_out = yield from self.trainer.evaluate_in_parts(at_most=windows)
        except BROKEN as error:
            self.failed(error)

    def write(
        self, prompt: str, n: int, temperature: float, top_k: int
    ) -> Generator[None, None, str | None]:
        """``prompt`` and ``n`` tokens after it; None of a run that has ended."""
        if self.trainer is None or self.error:
            return None
        tokenizer, trainer = self.material.tokenizer, self.trainer
        number = draws_at(trainer.seed, trainer.step_number, SAMPLE_STREAM).integers(0, 2**62)
        ids = tokenizer.encode(prompt)
        more = generate(
            trainer.model, ids, n, tokenizer.piece, temperature=temperature, top_k=top_k,
            generator=torch.Generator().manual_seed(int(number)),
            memory=trainer.memory if trainer.params.use_memory else None,
        )  # fmt: skip
        written: list[int] = []
        try:
            for token in more:
                written.append(token)
                if len(written) % AT_ONCE == 0:
                    yield
        except BROKEN as error:
            self.failed(error)
            return None
        return tokenizer.decode([*ids, *written])

    # -- what is kept --------------------------------------------------------------------------

    def state(self) -> dict[str, np.ndarray]:
        """A copy of all that the next steps depend on; words and what may be NaN as bytes."""
        known: dict[str, Any] = {
            "error": self.error,
            "steps": [list(astuple(one)) for one in self.steps],
            "scores": [[s.step, s.loss] for s in self.scores],
        }
        arrays: dict[str, np.ndarray] = {}
        if self.trainer is not None:
            known["trainer"], arrays = checkpoint.pack(self.trainer)
        copied = {f"{self.name}.{name}": array.copy() for name, array in arrays.items()}
        return copied | {self.name: np.frombuffer(dumps(known).encode(), np.uint8)}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Be as when ``state`` was taken; raises KeyError or ValueError for another's."""
        known = json.loads(state[self.name].tobytes())
        first = f"{self.name}."
        arrays = {n.removeprefix(first): a for n, a in state.items() if n.startswith(first)}
        trainer = None
        if "trainer" in known:
            text = self.material.train
            if known["trainer"]["text"] != checkpoint.text_digest(text):
                raise ValueError("it was trained on another text")
            if known["trainer"]["ablations"] != sorted(self.ablations):
                raise ValueError("it carries another fault")
            held_out = self.material.held_out
            trainer = checkpoint.unpack(known["trainer"], arrays, text, held_out)
        self.trainer, self.error, self.held_out = trainer, known["error"], math.nan
        self.steps = deque(
            (
                Step(int(s), _number(a), _number(b), asleep, applied, *map(_number, more))
                for s, a, b, asleep, applied, *more in known["steps"]
            ),
            REMEMBERED,
        )
        self.scores = deque((Scored(int(s), a) for s, a in known["scores"]), SCORES)


def _number(value: float | None) -> float:
    """JSON has no word for what is not finite."""
    return math.nan if value is None else value
