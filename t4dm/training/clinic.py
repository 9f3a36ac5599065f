"""The clinic: every fault trained beside its sound model, and the numbers that tell them apart.

A row is one run of the named run ``clinic``: sound (of every trial, ``clinic_trials``), or with one
fault, from the same seed and text.  Its numbers:
    steps to loss 5   the first step at which the mean of the last 25 wake losses is below 5
    final, held out   mean of the last 50 wake losses; loss of held-out text afterwards
    gradient norm     median and largest after the first 20 steps, before clipping
    error             what it stopped with, and at which step
    telling           the one measure in which the fault shows (``clinic_measures``)
    curve_tells       whether the losses alone would have told: held-out or final loss further from
                      the sound run's than sound runs of other seeds are from it
Rows are kept as files, one each, so that a table which was interrupted goes on after its last row.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from t4dm.ablations import FAULTS, Ablation
from t4dm.store.files import write_durable
from t4dm.training.clinic_measures import MEASURES
from t4dm.training.clinic_trials import TRIALS, Trial, ablations_for, trial_of
from t4dm.training.runs import RUNS, Material, NamedRun
from t4dm.training.trainer import StepReport, Trainer
from t4dm.training.wake import on_device

RUN = "clinic"
TARGET_LOSS = 5.0
TARGET_OVER, FINAL_OVER, UNSTEADY = 25, 50, 20
HELD_OUT_WINDOWS = 64
CURVE_POINTS = 60
MAX_ERROR = 400
BROKEN = (RuntimeError, TypeError, ValueError, IndexError, KeyError, AttributeError)
Row = dict[str, Any]
Told = Callable[[int], None]  # steps done of the row at work


class Job(NamedTuple):
    """One row: ``fault`` None is sound; ``seed`` is counted from the table's."""

    name: str
    trial: Trial
    fault: Ablation | None
    seed: int


def jobs() -> list[Job]:
    """Every run of a table: the sound ones first, as the others are judged by them."""
    sound = [
        Job(f"sound, {trial.name}, seed +{seed}", trial, None, seed)
        for trial in TRIALS
        for seed in range(trial.seeds)
    ]
    return sound + [Job(one.ablation.value, trial_of(one.ablation), one.ablation, 0) for one in FAULTS]


def table(folder: Path, seed: int, steps: int, told: Callable[[str, int, int], None]) -> Row:
    """The whole table; ``told(row, runs done, steps done of this row)`` hears how far it is.

    Runs that ``folder`` has already are not trained again.  Raises OSError where it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    material: Material | None = None
    made: list[Row] = []
    for done, job in enumerate(jobs()):
        told(job.name, done, 0)
        path = folder / f"{job.name}.json"
        row = _kept(path)
        if row is None:
            material = RUNS[RUN].material() if material is None else material

            def hears(step: int, name: str = job.name, runs: int = done) -> None:
                told(name, runs, step)

            row = train(job, material, seed, steps, hears)
            write_durable(path, json.dumps(row).encode())
        made.append(row)
    told("", len(made), 0)
    return {"run": RUN, "seed": seed, "steps": steps, "target_loss": TARGET_LOSS, "rows": judged(made)}


def train(job: Job, material: Material, seed: int, steps: int, told: Told = lambda _: None) -> Row:
    """One run to its end, or to the error that its fault raises."""
    run, seed = RUNS[RUN], seed + job.seed
    began = time.process_time()
    reports: list[StepReport] = []
    held_out, error, measured = math.nan, "", math.nan
    try:
        measured = _measure(job, run, material, seed)
        model = job.trial.model(run, seed, ablations_for(job.fault))
        trainer = Trainer(model, material.train, run.train, seed, material.held_out)
        for step in range(steps):
            reports.append(trainer.step())
            told(step + 1)
        held_out = trainer.evaluate(at_most=HELD_OUT_WINDOWS)
    except BROKEN as broken:
        if job.fault is None:
            raise
        error = f"{type(broken).__name__}: {broken}"[:MAX_ERROR]
    row = _numbers(reports) | {"held_out": held_out, "error": error, "measured": measured}
    row |= {"name": job.name, "trial": job.trial.name, "sound": job.fault is None, "seed": seed}
    return _plain(row | {"cpu_s": round(time.process_time() - began, 2)})


def _measure(job: Job, run: NamedRun, material: Material, seed: int) -> float:
    """The measure of the fault on a model of its own; NaN where an error is all there is."""
    if job.fault is None or job.fault not in MEASURES:
        return math.nan
    return measure_of(job.fault, job.trial, run, material, seed, faulty=True)


def measure_of(
    fault: Ablation, trial: Trial, run: NamedRun, material: Material, seed: int, *, faulty: bool
) -> float:
    """What the fault's measure gives of a faulty or of a sound model of this trial."""
    model = trial.model(run, seed, ablations_for(fault if faulty else None))
    batch = material.train.batch(seed, 0, run.train.batch, run.train.context)
    return MEASURES[fault].of(model, on_device(batch, model), seed)


def _numbers(reports: list[StepReport]) -> Row:
    awake = [(one.step + 1, one.loss) for one in reports if one.phase == "wake"]
    losses = [loss for _, loss in awake]
    norms = np.array([one.grad_norm for one in reports[UNSTEADY:]] or [math.nan])
    below = (
        awake[end - 1][0]
        for end in range(TARGET_OVER, len(awake) + 1)
        if np.mean(losses[end - TARGET_OVER : end]) < TARGET_LOSS
    )
    return {
        "steps_done": len(reports),
        "steps_to_5": next(below, None),
        "first": losses[0] if losses else math.nan,
        "final": float(np.mean(losses[-FINAL_OVER:])) if losses else math.nan,
        "norm_median": float(np.median(norms)),
        "norm_max": float(norms.max()),
        "curve": list(_curve(awake)),
    }


def _curve(awake: list[tuple[int, float]]) -> Iterator[list[float]]:
    """[step, mean loss] of at most ``CURVE_POINTS`` pieces of the run."""
    for piece in np.array_split(np.arange(len(awake)), min(CURVE_POINTS, len(awake)) or 1):
        if len(piece):
            part = [awake[i] for i in piece]
            yield [part[-1][0], round(float(np.mean([loss for _, loss in part])), 4)]


def judged(made: list[Row]) -> list[Row]:
    """The eighteen rows of the table: the sound transformer, then each fault beside its sound run."""
    material = run_of = None
    by_name = {row["name"]: row for row in made}
    spreads = {trial.name: _spread(made, trial) for trial in TRIALS}
    first = by_name[jobs()[0].name]
    rows = [first | {"name": "sound", "number": 0, "title": "nothing: the sound model", "kind": "sound",
                     "telling": None, "curve_tells": None, "beside": None}]  # fmt: skip
    for fault in FAULTS:
        row, trial = by_name[fault.ablation.value], trial_of(fault.ablation)
        sound = next(one for one in made if one["sound"] and one["trial"] == trial.name)
        if fault.ablation in MEASURES and material is None:
            run_of = RUNS[RUN]
            material = run_of.material()
        rows.append(
            row | {
                "number": fault.number, "title": fault.title, "kind": fault.kind,
                "telling": _telling(fault.ablation, row, sound, trial, run_of, material),
                "curve_tells": curve_tells(row, sound, spreads[trial.name]),
                "beside": {key: sound[key] for key in
                           ("steps_to_5", "final", "held_out", "norm_median", "norm_max", "curve")},
            }
        )  # fmt: skip
    return rows
