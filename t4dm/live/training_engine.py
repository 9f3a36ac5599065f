"""A training run as the engine of a run session: one optimizer step a record (``run_session``).

With a fault two runs, sound and faulty, take turns step by step from one seed and text.  Scoring and
writing happen between two steps, a little at a time, so that a command never waits longer than a step.
Everything but the column ``seconds`` depends on seed, values and commands alone.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from t4dm.ablations import NONE, Ablation
from t4dm.commands import Command, Sample
from t4dm.hippocampal.params import PROSODY
from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.live.record import Record
from t4dm.live.training_probe import Probe
from t4dm.live.training_series import described
from t4dm.live.training_side import SCALARS, Side
from t4dm.live.tree import ParamTree
from t4dm.params import ParamError
from t4dm.training.clinic_trials import TRIALS, WITH_BRAIN, ablations_for, trial_of
from t4dm.training.data import TokenText
from t4dm.training.findings import RECENT
from t4dm.training.params import LiveTrainParams
from t4dm.training.runs import RUNS
from t4dm.training.trainer import Trainer

SOUND, FAULTY = "sound", "faulty"
SLICE_S = 0.05  # of scoring and writing between two looks at the commands
LOOK_EVERY = 5  # steps between two looks for findings
RECENT_S = 20  # steps that tokens a second are a mean of
TIMES_A_STEP = 8  # tokens of a step, at most this many times those of the run's own
MOST_WAITING = 16  # samples asked for and not yet written
TITLES = {
    "training_nan": "Not finite",
    "training_exploding": "Exploding gradients",
    "training_vanishing": "Vanishing gradients",
    "training_plateau": "Plateau",
    "training_over_fit": "Over-fitting",
}

Work = Generator[None, None, None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A text to be written by every run."""

    prompt: str
    temperature: float
    by_command: bool


class TrainingEngine:
    """``options`` are those of ``training_kind``; ``folder`` is not used."""

    rest_s = 0.0

    def __init__(
        self, options: dict[str, Any], tree: ParamTree, seed: int, folder: Path | None = None
    ) -> None:
        torch.set_num_threads(options["threads"])
        warm_up()
        self.tree, self.seed = tree, seed
        self.run = RUNS[options["run"]]
        self.fault = None if options["fault"] is None else Ablation(options["fault"])
        self.material = self.run.material()
        sound = WITH_BRAIN if options.get("brain") else TRIALS[0]
        trial = sound if self.fault is None else trial_of(self.fault)
        self.sides = [Side(SOUND, self.run, self.material, trial, NONE)]
        if self.fault is not None:
            faulty = ablations_for(self.fault)
            self.sides.append(Side(FAULTY, self.run, self.material, trial, faulty))
        self.probe = Probe(self.sides, self.material, self.run.train.context)
        self._took: deque[tuple[int, float]] = deque(maxlen=RECENT_S)
        self._asked: deque[Asked] = deque()
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """From the seed; texts that wait are not written."""
        self.seed, self.step = seed, 0
        for side in self.sides:
            side.begin(seed, self._train())
        self._forget_work()
        self._errors_told: set[str] = set()
        self._events: list[dict[str, Any]] = []
        self._found: list[dict[str, Any]] = []

    def _forget_work(self) -> None:
        self._scoring: deque[Work] = deque()
        self._writing: deque[Work] = deque()
        self._scored_at = self._sampled_at = -1
        self._asked.clear()
        self._took.clear()

    # -- time ----------------------------------------------------------------------------------

    def advance(self) -> Record:
        """What is due between two steps, a slice of it, or one step of every run."""
        if not (self._scoring or self._writing):
            self._plan()
        return self.asked() or self._step()

    def asked(self) -> Record | None:
        """A slice of what is to be done between two steps; None where nothing is."""
        while self._asked:
            one = self._asked.popleft()
            self._writing.extend(self._written(side, one) for side in self.sides)
        work = self._scoring or self._writing
        if not work:
            return None
        _do_a_slice(work)
        return self._record(0, {})

    def _plan(self) -> None:
        """Queue what is due before the next step."""
        every, windows = (self.tree.get(f"train.held_out_{n}") for n in ("every", "windows"))
        if self._due(every) and self._scored_at != self.step:
            self._scored_at = self.step
            self._scoring.extend(side.score(windows) for side in self.sides)
        if self._due(self.tree.get("sample.every")) and self.step and self._sampled_at != self.step:
            self._sampled_at = self.step
            values = (self.tree.get("sample.prompt"), self.tree.get("sample.temperature"))
            self._asked.append(Asked(*values, by_command=False))

    def _due(self, every: int) -> bool:
        return bool(every) and self.step % every == 0

    def _written(self, side: Side, asked: Asked) -> Generator[None, None, None]:
        n, top_k = self.tree.get("sample.tokens"), self.tree.get("sample.top_k")
        text = yield from side.write(asked.prompt, n, asked.temperature, top_k)
        if text is not None:
            self._events.append(
                {
                    "type": "sample", "step": self.step, "prompt": asked.prompt,
                    "temperature": asked.temperature, "text": text, "run": side.name,
                    "asked": asked.by_command,
                }
            )  # fmt: skip

    def _step(self) -> Record:
        began = time.monotonic()
        before = self.sides[0].trainer
        tokens = 0 if before is None else before.tokens
        rows = np.array([side.row() for side in self.sides], np.float32)
        self.step += 1
        arrays = {"scalars": rows[None]}
        if self._due(self.tree.get("train.probe_every")) or self.step == 1:
            arrays |= self.probe.look()
        if self.step % LOOK_EVERY == 0 or math.isfinite(rows[0, SCALARS.index("held_out")]):
            self._look()
        assert before is not None
        self._took.append((before.tokens - tokens, time.monotonic() - began))
        return self._record(1, arrays)

    def _record(self, steps: int, arrays: dict[str, np.ndarray]) -> Record:
        for side in self.sides:
            if side.error and side.name not in self._errors_told:
                self._errors_told.add(side.name)
                told = {"type": "error", "step": self.step, "run": side.name, "text": side.error}
                self._events.append(told)
        events, self._events = self._events, []
        meta: dict[str, Any] = {"events": events}
        if arrays and "place" in arrays:
            meta["shown_tokens"] = self.probe.tokens
        total = self.tree.get("train.total_steps")
        if steps and self.step == total:
            meta["pause"] = f"the schedule's {total} steps are done; run goes on at its last rate"
        return Record(self.step - steps, self.step, 0, meta, arrays)

    # -- parameters and commands ---------------------------------------------------------------

    def params_changed(self, paths: list[str]) -> None:
        params = self._train()
        self._check(params)
        for side in self.sides:
            side.take(params)
            side.held_out = math.nan  # what was scored, or is being scored, was another's
        self._scoring.clear()
        self._scored_at = -1

    def _train(self) -> LiveTrainParams:
        names = LiveTrainParams.model_fields
        return LiveTrainParams(**{name: self.tree.get(f"train.{name}") for name in names})

    def _check(self, params: LiveTrainParams) -> None:
        """Raises :class:`ParamError` where the next step could not be done, or not in seconds."""
        limit, own = self.run.model.max_seq_len, self.run.train
        if params.context > limit:
            raise ParamError(
                "train.context", f"train.context: this run's model sees at most {limit} tokens",
                lo=2, hi=limit, unit="tokens",
            )  # fmt: skip
        most = TIMES_A_STEP * own.batch * own.context // params.context
        if params.batch > most:
            message = f"train.batch: at most {most} sequences of {params.context} tokens here"
            raise ParamError("train.batch", message, lo=1, hi=most, unit="sequences")
        self._check_prompt("sample.prompt", self.tree.get("sample.prompt"))

    def _check_prompt(self, field: str, prompt: str) -> None:
        if not self.material.tokenizer.encode(prompt):
            raise ParamError(field, f"{field}: expected at least one character")

    def command(self, command: Command) -> tuple[Any, Any]:
        """``sample``: have every run write; the texts come as events."""
        assert isinstance(command, Sample)
        if len(self._asked) + len(self._writing) >= MOST_WAITING:
            message = f"sample: {MOST_WAITING} texts wait already; try again"
            raise ParamError("type", message, lo=0, hi=MOST_WAITING)
        prompt, temperature = command.prompt, command.temperature
        prompt = self.tree.get("sample.prompt") if prompt is None else prompt
        self._check_prompt("prompt", prompt)
        temperature = self.tree.get("sample.temperature") if temperature is None else temperature
        self._asked.append(Asked(prompt, float(temperature), by_command=True))
        return None, {"prompt": prompt, "temperature": temperature}

    # -- what others see -----------------------------------------------------------------------

    def _look(self) -> None:
        params = self._train()
        self._found = [
            one.as_json() | {
                "title": TITLES[one.id], "groups": [],
                "where": {"block": None, "stage": "training", "group": side.name},
            }
            for side in self.sides
            for one in side.findings(params)
        ]  # fmt: skip

    def findings(self) -> list[dict[str, Any]]:
        """Those of every run; ``where.group`` says of which."""
        return [dict(one) for one in self._found]

    def waiting(self) -> str:
        """Norms are judged over :data:`RECENT` steps."""
        return "" if self.step >= RECENT else f"the rules look from step {RECENT} on"

    def progress(self) -> dict[str, Any]:
        """Steps done of the schedule, tokens a second of one run, seconds left, and error texts."""
        total = self.tree.get("train.total_steps")
        spent = sum(seconds for _, seconds in self._took)
        each = spent / len(self._took) if self._took else None
        return {
            "done": self.step,
            "total": total,
            "unit": "steps",
            "rate": round(sum(n for n, _ in self._took) / spent, 1) if spent else None,
            "rate_unit": "tokens/s",
            "left_s": None if each is None else round(max(0, total - self.step) * each, 1),
            "phase": "wake" if self.sides[0].trainer is None else self.sides[0].trainer.phase,
            "errors": {side.name: side.error for side in self.sides if side.error},
        }

    def describe(self) -> dict[str, Any]:
        return described(self.sides, self.probe, self.fault)

    # -- what is kept --------------------------------------------------------------------------

    def state(self) -> dict[str, np.ndarray]:
        found = {"step": np.array([self.step, self.seed])}
        for side in self.sides:
            found |= side.state()
        return found

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        for side in self.sides:
            side.load_state(state)
        self.step, self.seed = (int(number) for number in state["step"])
        self._forget_work()
        self._events, self._errors_told = [], {side.name for side in self.sides if side.error}
        self.params_changed([])
        self._look()


def _do_a_slice(work: deque[Work]) -> None:
    until = time.monotonic() + SLICE_S
    while work and time.monotonic() < until:
        try:
            next(work[0])
        except StopIteration:
            work.popleft()


def warm_up() -> None:
    """Have every kernel compiled or loaded, on a run that is thrown away."""
    run = RUNS["tiny"]
    ids = np.arange(4 * run.train.context) % run.model.vocab_size
    text = TokenText(ids, np.zeros((len(ids), len(PROSODY)), np.float32))
    params = run.train.model_copy(update={"sleep_every": 2, "sleep_steps": 1, "batch": 2})
    trainer = Trainer(HippocampalTransformer(run.model), text, params, held_out=text)
    for _ in range(4):
        trainer.step()
    trainer.evaluate(at_most=2)
