"""What every answer has in common: the refusal, and where in the run the numbers are from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """An answer: exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class RefusalBody(BaseModel):
    """Why a request was refused; what does not apply is null."""

    model_config = ConfigDict(extra="allow")

    code: str = Field(description="A word for programs.")
    message: str = Field(description="A sentence for people.")
    field: str | None = Field(None, description="The field at fault.")
    lo: float | None = Field(None, description="Least value allowed.")
    hi: float | None = Field(None, description="Largest value allowed.")
    unit: str | None = None
    choices: list[Any] | None = Field(None, description="What may stand there.")


class Refusal(BaseModel):
    """The one shape of every refusal."""

    error: RefusalBody


class Shown(Answer):
    """How many of all there are an answer lists."""

    n: int = Field(description="Listed here.")
    total: int = Field(description="There are.")


Parts = dict[str, Shown]
PARTS = (
    "How many of what there is are listed here, each kind as n of total: blocks, stages, neurons, "
    "neuromodulators; steps of the window; samples of weights or attention in it; events of it."
)


class Head(Answer):
    """Where in the run an answer is from, and how much of it."""

    session_id: str
    epoch: int = Field(description="Rises with every reset and restart.")
    step: int = Field(description="Steps done when the newest number was made.")
    t_ms: float = Field(description="The same in simulated ms.")
    params_rev: int | None = Field(description="Parameter changes applied until then.")
    units: dict[str, str] = Field(description="Unit of each kind of number; 1 is a pure number.")
    shown: Parts = Field(description=PARTS)


class Span(Answer):
    """The steps an answer covers."""

    from_ms: float
    to_ms: float
    n_steps: int


class Windowed(Head):
    """An answer over a time window."""

    window: Span


class Applied(Windowed):
    """An answer over a time window with parameters; one up to ``to_ms`` tells those of its end."""

    applied_rev: int = Field(
        description="Revision of the parameters told here: params_rev, but where params_of is now "
        "and the window ended before them."
    )
    params_of: Literal["now", "window"] = Field(
        description="Whether the parameters told, and what is made with them, are those in force now "
        "or those at the window's end. Now: no to_ms was given, or nothing has changed since, or the "
        "changes since are no longer in the session's log."
    )
