"""What the clinic is asked and what it answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dashboard.api.models import Answer

Loss = float | None


class ClinicAsk(BaseModel):
    """A table to be made."""

    model_config = ConfigDict(extra="forbid")

    steps: int = Field(300, ge=20, le=5000, description="Optimizer steps of every run.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Of weights and batches.")


class Telling(Answer):
    """The one measure in which a fault shows."""

    name: str
    goal: str = Field(description="What a sound model gives.")
    sound: float | None
    faulty: float | None


class Beside(Answer):
    """The sound run of the same trial and seed."""

    steps_to_5: int | None
    final: Loss
    held_out: Loss
    norm_median: float | None
    norm_max: float | None
    curve: list[list[float]]


class ClinicRow(Answer):
    """One run: sound (number 0), or with one of the seventeen faults."""

    name: str
    number: int
    title: str
    kind: Literal["sound", "curve", "error"]
    trial: str = Field(description="What it was tried on.")
    seed: int
    steps_done: int
    steps_to_5: int | None = Field(description="Null: not reached.")
    first: Loss
    final: Loss = Field(description="Mean of the last 50 wake steps, nat a token.")
    held_out: Loss
    norm_median: float | None
    norm_max: float | None
    error: str = Field(description="What the run stopped with.")
    curve: list[list[float]] = Field(description="[step, mean loss].")
    telling: Telling | None
    beside: Beside | None
    curve_tells: bool | None = Field(
        description="Whether the losses alone tell it from sound runs; null where it stopped."
    )


class ClinicAsked(Answer):
    seed: int
    steps: int


class ClinicProgress(Answer):
    """How far the table is."""

    seed: int
    steps: int
    name: str = Field(description="The run at work.")
    done: int = Field(description="Runs done, sound ones of other seeds among them.")
    total: int
    step: int
    share: float = Field(description="Of the whole work, 0 to 1.")
    left_s: float | None


class ClinicTable(Answer):
    """A table that was finished."""

    run: str
    seed: int
    steps: int
    target_loss: float
    rows: list[ClinicRow]
    origin: Literal["made here", "shipped"]


class ClinicState(Answer):
    """What is under way, and the newest table."""

    state: Literal["idle", "queued", "running", "done", "cancelled", "failed"]
    message: str
    asked: ClinicAsked | None
    progress: ClinicProgress | None
    rows: list[ClinicRow] = Field(description="Of the table that is being made.")
    finished: ClinicTable | None
