"""The clinic: every fault trained beside its sound model, and the numbers that tell them apart.

A run is sound, or carries one fault; a faulty one and its sound one (``clinic_trials``) have the same
seed and text.  ``clinic_rows`` says what the numbers are.  *Telling* is the one measure in which the
fault shows (``clinic_measures``), of a sound and of a faulty model before the first step; for a fault
that raises an error it is the number of steps done.
Runs are kept as files, one each: a table that was interrupted goes on after its last one.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from t4dm.ablations import FAULTS, Ablation
from t4dm.store.files import write_durable
from t4dm.training.clinic_measures import MEASURES
from t4dm.training.clinic_rows import TARGET_LOSS, Row, beside, finite, numbers
from t4dm.training.clinic_trials import TRIALS, Trial, ablations_for, trial_of
from t4dm.training.runs import RUNS, Material
from t4dm.training.trainer import StepReport, Trainer
from t4dm.training.wake import on_device

RUN = "clinic"
STEPS = 300
HELD_OUT_WINDOWS = 64
MAX_ERROR = 400
# what a model with a fault may raise: shapes, dtypes and devices that do not fit, a missing part
BROKEN = (RuntimeError, TypeError, ValueError, IndexError, KeyError, AttributeError)
Told = Callable[[str, int, int], None]


def error_text(error: Exception, at_most: int = MAX_ERROR) -> str:
    """Kind and words of ``error``, and the innermost function of this package that it was raised in."""
    where = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("t4dm."):
            where = f" (raised in {module}, {frame.f_code.co_qualname})"
    return f"{type(error).__name__}: {error}"[: at_most - len(where)] + where


class Job(NamedTuple):
    """One run: ``fault`` None is sound; ``seed`` is added to the table's."""

    name: str
    trial: Trial
    fault: Ablation | None
    seed: int


def jobs() -> list[Job]:
    """Every run of a table: those of a trial together, the sound ones first."""
    listed = []
    for trial in TRIALS:
        sound = [Job(_sound(trial, seed), trial, None, seed) for seed in range(trial.seeds)]
        faults = [one.ablation for one in FAULTS if trial_of(one.ablation) == trial]
        listed += sound + [Job(fault.value, trial, fault, 0) for fault in faults]
    return listed


def _sound(trial: Trial, seed: int) -> str:
    return f"sound, {trial.name}, seed {seed}"


def table(
    folder: Path, seed: int = 0, steps: int = STEPS, told: Told = lambda *_: None
) -> dict[str, Any]:
    """The whole table; ``told(name, runs done, steps done of this run)`` hears how far it is.

    ``folder`` keeps the runs that are done; they must be of the same seed and steps.  Raises OSError
    where it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    material: Material | None = None
    for done, job in enumerate(jobs()):
        told(job.name, done, 0)
        path = folder / f"{job.name}.json"
        if path.exists():
            continue
        material = material or RUNS[RUN].material()
        row = train(job, material, seed, steps, partial(told, job.name, done))
        write_durable(path, json.dumps(row).encode())
    told("", len(jobs()), 0)
    return {
        "run": RUN, "seed": seed, "steps": steps, "target_loss": TARGET_LOSS, "rows": rows(folder),
    }  # fmt: skip


def rows(folder: Path) -> list[Row]:
    """The rows of a table that ``folder`` has the runs for: the sound model, then the faults by number."""
    known = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
    sound = {
        trial.name: [known[name] for s in range(trial.seeds) if (name := _sound(trial, s)) in known]
        for trial in TRIALS
    }
    made = []
    if first := known.get(_sound(TRIALS[0], 0)):
        told = {"name": "sound", "number": 0, "title": "the sound model", "kind": "sound"}
        made.append(first | told | {"beside": None, "curve_tells": None})
    for fault in FAULTS:
        row, trial = known.get(fault.ablation.value), trial_of(fault.ablation)
        if row and len(sound[trial.name]) == trial.seeds:
            told = {"number": fault.number, "title": fault.title, "kind": fault.kind}
            made.append(row | told | beside(row, sound[trial.name]))
    return made


def train(
    job: Job,
    material: Material,
    seed: int,
    steps: int,
    told: Callable[[int], None] = lambda _: None,
) -> Row:
    """One run to its end, or to the error that its fault raises."""
    run, seed = RUNS[RUN], seed + job.seed
    reports: list[StepReport] = []
    held_out, error = None, ""
    try:
        model = job.trial.model(run, seed, ablations_for(job.fault))
        trainer = Trainer(model, material.train, run.train, seed, material.held_out)
        for step in range(steps):
            reports.append(trainer.step())
            told(step + 1)
        held_out = finite(trainer.evaluate(at_most=HELD_OUT_WINDOWS))
    except BROKEN as broken:
        if job.fault is None:
            raise
        error = error_text(broken)
    return {
        "name": job.name, "trial": job.trial.name, "seed": seed, "error": error,
        "held_out": held_out, **numbers(reports),
        "telling": telling(job, material, seed, steps, len(reports)),
    }  # fmt: skip


def telling(
    job: Job, material: Material, seed: int, steps: int, steps_done: int
) -> dict[str, Any] | None:
    """The measure of the fault, of a sound and of a faulty model; None for a sound run."""
    if job.fault is None:
        return None
    if job.fault not in MEASURES:
        return {"name": "steps done", "goal": f"{steps}", "sound": steps, "faulty": steps_done}
    measure, run = MEASURES[job.fault], RUNS[RUN]
    found = {}
    for word, fault in (("sound", None), ("faulty", job.fault)):
        model = job.trial.model(run, seed, ablations_for(fault))
        batch = material.train.batch(seed, 0, run.train.batch, run.train.context)
        found[word] = finite(measure.of(model, on_device(batch, model), seed))
    return {"name": measure.name, "goal": measure.goal, **found}
