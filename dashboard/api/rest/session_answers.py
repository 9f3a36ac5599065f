"""Bodies and answers of sessions, commands, parameters, sets and the program itself."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from dashboard.api.commands import MOST_CLEARED, MOST_SET
from dashboard.api.models import Answer
from t4dm.commands import Command
from t4dm.live import paths
from t4dm.live.kinds import SPIKING, kinds
from t4dm.live.registry import LEAST_N, MOST_BLOCKS, MOST_N, N_HEADS
from t4dm.step_length import STEP_MS, STEPS_MS


class NewSession(BaseModel):
    """A session to be created; what is left out is as in the default one.

    ``run``, ``fault`` and ``options`` are for other kinds than ``spiking``; those have no ``blocks``,
    ``n``, ``dt``, ``preset`` and ``stimulus``.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal[SPIKING, *kinds()] = SPIKING  # type: ignore[valid-type]
    run: str | None = Field(
        default=None,
        max_length=64,
        description="Of a training session: tiny, clinic, read or memorise.",
    )
    fault: str | None = Field(
        default=None, max_length=64, description="Train a faulty model beside the sound one."
    )
    options: dict[str, Any] = Field(
        default={}, max_length=50, description="Further options of the kind, by name."
    )
    name: str | None = Field(
        default=None, pattern=f"^{paths.NAME.pattern}$", description="Default: session-2, -3, …"
    )
    blocks: int = Field(default=6, ge=1, le=MOST_BLOCKS, description="Cortical blocks.")
    n: int = Field(
        default=256, ge=LEAST_N, le=MOST_N, multiple_of=2 * N_HEADS,
        description="Neurons of each of a block's two stages.",
    )  # fmt: skip
    dt: float = Field(
        default=STEP_MS, description="Length of a step in ms: 0.25, 0.5, 1 or 2.",
        json_schema_extra={"enum": list(STEPS_MS)},
    )  # fmt: skip
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    preset: str | None = Field(
        default=None, max_length=64, description="A preset of the health rules, or a kept set."
    )
    params: dict[str, Any] = Field(
        default={}, max_length=2000, description="Values by path; they win over the preset's."
    )
    stimulus: dict[str, Any] | str | None = Field(
        default=None, description='A kind ("noise"), or values of stimulus.* by name.'
    )


class Created(Answer):
    """The new session; its worker starts now, its first frames take seconds."""

    name: str
    kind: str
    page: str = Field(description="Where it is shown.")
    options: dict[str, Any] = Field(description="Of a session that is not spiking.")
    blocks: int | None = Field(description="Of a spiking session, as the next ones.")
    n: int | None
    dt: float | None
    seed: int
    params: dict[str, Any] = Field(description="Values that differ from the defaults.")
    n_total: int | None
    bytes: int = Field(description="Memory it may come to.")
    state: str


class Open(BaseModel):
    """An answer with more in it than is listed here."""

    model_config = ConfigDict(extra="allow")


class SessionLine(Answer):
    pid: int | None
    state: str | None
    step: int | None
    params_rev: int | None
    t_ms: float | None
    speed: float | str | None
    ratio: float | None


class Health(Answer):
    """Whether a session's worker lives, and one line a session; without a key only that the program answers."""

    ok: bool
    sessions: dict[str, SessionLine] | None = None


class SessionEntry(Answer):
    name: str
    kind: str
    page: str = Field(description="Where it is shown.")
    owner: str
    state: str | None
    message: str


class SessionList(Answer):
    sessions: list[str]
    entries: list[SessionEntry]


class Manifest(Open):
    """What a session has and does: groups, probes, parameters, commands."""

    session: str
    kind: str
    groups: list[dict[str, Any]]
    probes: dict[str, Any]
    specs: list[dict[str, Any]]


class SampleText(Answer):
    step: int
    run: str = Field(description="sound or faulty.")
    prompt: str
    temperature: float
    text: str


class SampleTexts(Answer):
    samples: list[SampleText]


class OneOrMoreCommands(RootModel[Command | list[Command]]):
    """A command, or a list that is applied wholly or not at all."""


class Applied(Open):
    """A command's answer; of a list ``results`` has one entry each."""

    ok: bool
    rev: int = Field(description="Parameter changes so far.")
    step: int = Field(description="It acts from this step on.")
    t_ms: float | None = Field(None, description="Simulated time; null where nothing is simulated.")
    old: Any = None
    new: Any = None
    results: list[dict[str, Any]] | None = None
    queued: bool = Field(False, description="It waits: the session's step in work ends first.")
    waiting: int | None = Field(None, description="Requests that wait, of one that is queued.")


class Injected(Applied):
    """As of every command; and of which session and revision, with units, as of every answer."""

    session_id: str
    params_rev: int = Field(description="The same as rev.")
    units: dict[str, str]


class Parameters(Open):
    """Every parameter: its value, its range, what differs from the default."""

    rev: int
    step: int
    values: dict[str, Any]
    overrides: dict[str, Any]
    effective: dict[str, Any]
    non_default: dict[str, Any]
    specs: list[dict[str, Any]]


class ParameterChanges(BaseModel):
    """Values to set and paths to clear, applied wholly or not at all."""

    model_config = ConfigDict(extra="forbid")

    values: dict[str, Any] = Field(default={}, max_length=MOST_SET, description="Value by path.")
    clear: list[str] = Field(default=[], max_length=MOST_CLEARED, description="Paths put back.")


class SetNames(Answer):
    sets: list[str]


class ParameterSet(Answer):
    name: str
    values: dict[str, Any]


class SetValues(BaseModel):
    """Values by path; each is checked before any is kept."""

    model_config = ConfigDict(extra="forbid")

    values: dict[str, Any] = Field(max_length=2000)
    name: str | None = None


class Kept(Answer):
    name: str
    count: int


class Deleted(Answer):
    deleted: str


class Uploaded(Answer):
    file_id: str
    kind: str
    rows: int
    width: int
