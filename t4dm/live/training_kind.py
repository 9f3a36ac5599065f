"""Sessions of kind ``training``: options and parameters, without torch."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from t4dm.ablations import Ablation
from t4dm.live.kinds import Kind
from t4dm.training.params import LiveTrainParams, SampleParams
from t4dm.training.runs import RUNS, parameter_count

RUN_NAMES = Literal["tiny", "clinic", "read", "memorise"]
WORKER_BYTES = 450 << 20  # a worker with torch and its text, without its model
COPIES = (
    8  # float32 arrays the size of the weights: moments, gradient, anchors, a checkpoint's copy
)


class TrainingOptions(BaseModel):
    """What is trained, and beside which fault."""

    model_config = ConfigDict(extra="forbid", strict=True)

    run: RUN_NAMES = Field("tiny", description="Text, vocabulary, model and schedule.")
    fault: Annotated[Ablation, Field(strict=False)] | None = Field(
        None, description="A fault: the faulty model is trained beside the sound one."
    )
    brain: bool = Field(
        False, description="A natural brain before the head: its experts have a router to look at."
    )
    threads: int = Field(1, ge=1, le=16, description="Threads of torch in this worker.")


def _defaults(options: dict[str, Any]) -> dict[str, Any]:
    """The schedule of the run, its first prompt, and how often it writes."""
    run = RUNS[options["run"]]
    values = {f"train.{name}": value for name, value in run.train.model_dump().items()}
    values["train.dropout"] = run.model.dropout
    return values | {"sample.prompt": run.prompts[0], "sample.every": run.sample_every}


def _bytes(options: dict[str, Any]) -> int:
    models = 1 if options.get("fault") is None else 2
    run = RUNS[options.get("run", "tiny")]
    return WORKER_BYTES + models * COPIES * 4 * parameter_count(run.model)


KIND = Kind(
    name="training",
    title="Training of a language model",
    engine="t4dm.live.training_engine:TrainingEngine",
    page="/training",
    options=TrainingOptions,
    groups=(LiveTrainParams, SampleParams),
    defaults=_defaults,
    bytes=_bytes,
    long_steps=True,
    commands=("sample",),
)
