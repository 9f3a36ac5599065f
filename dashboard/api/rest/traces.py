"""``POST /spiking/trace`` and ``/spiking/trace-membrane``: an input run on a copy of the model.

They change nothing, yet cost the server's time: a key that may only look does not run them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from dashboard.api.errors import ApiError, refused_by_worker
from dashboard.api.models import PARTS, Answer, Parts, Shown
from dashboard.api.operations import operation
from dashboard.api.rest import live
from dashboard.api.rest.queries import SessionBody, SessionOfPost, session_meant
from dashboard.api.sessions import session_asked
from t4dm.live.trace_limits import MAX_ABS, MAX_NEURONS, MAX_STEPS

Value = Annotated[float, Field(ge=-MAX_ABS, le=MAX_ABS, allow_inf_nan=False)]
Row = Annotated[list[Value], Field(min_length=1, max_length=65_535)]
Rows = Annotated[list[Row], Field(min_length=1, max_length=MAX_STEPS)]
UNITS = {"time": "ms", "u_pre": "1", "theta": "1", "spike_rate": "spikes/neuron/step"}


class TraceBody(SessionBody):
    """The input: one row of 64 stimulus values, or one a step; or rows of currents into block 0."""

    input: Row | Rows = Field(description="64 values, or as many as a stage has neurons, a row.")
    as_: Literal["stimulus", "current"] | SkipJsonSchema[None] = Field(
        default=None, alias="as",
        description="What the rows are: stimulus, 64 wide, or current into block 0, as wide as a "
        "stage; by default what their width says, stimulus where a stage has 64 neurons too. The "
        "answer's input says what they were taken for.",
    )  # fmt: skip
    steps: int | None = Field(
        default=None, ge=1, le=MAX_STEPS, description="How often a single row is given."
    )
    neurons: list[Annotated[int, Field(ge=0, le=65_535)]] | None = Field(
        default=None, min_length=1, max_length=MAX_NEURONS,
        description="Ids whose membrane is wanted; default: one of each of six stages.",
    )  # fmt: skip
    verbose: bool = Field(default=False, description="Also who fired, levels, gains and gates.")


class MembraneBody(TraceBody):
    steps: int | None = Field(
        default=None, ge=1, le=MAX_STEPS,
        description="How often a single row is given; default: 10 times.",
    )  # fmt: skip
    verbose: bool = Field(
        default=False,
        description="Taken as `/spiking/trace` takes it; the answer holds membranes alone, either way.",
    )


class TracedStage(Answer):
    group: str
    block: int | None
    stage: str
    n: int
    spikes: list[int] = Field(description="In each step.")
    spike_rate: float = Field(description="Spikes per neuron and step.")
    theta: list[float]
    clamped: int


class TracedMembrane(Answer):
    neuron: int
    name: str
    u_pre: list[float] = Field(description="Before the reset, in each step.")
    spiked: list[bool]


class Trace(Answer):
    """What a copy of the model did with the input; the live run is as if nobody had asked."""

    session_id: str
    params_rev: int
    step: int = Field(description="Step of the live run at which the copy was made.")
    t_ms: float
    units: dict[str, str]
    shown: Parts = Field(description=PARTS)
    input: str = Field(description="What the rows were taken for: stimulus or current.")
    from_step: int
    steps: int
    time_ms: list[float]
    stages: list[TracedStage]
    neurons: Shown = Field(description="Whose membrane is told, of all.")
    membranes: list[TracedMembrane]
    not_finite: dict[str, Any] | None = None
    spike_ids: list[list[int]] | None = None
    levels: dict[str, list[float]] | None = None
    gains: dict[str, list[float]] | None = None
    gate_ms: list[float] | None = None
    gate: dict[str, list[float]] | None = None


class MembraneTrace(Answer):
    """The membranes of the chosen neurons, step by step, on a copy of the model."""

    session_id: str
    params_rev: int
    step: int
    t_ms: float
    units: dict[str, str]
    shown: Parts = Field(description=PARTS)
    input: str
    from_step: int
    steps: int
    time_ms: list[float]
    neurons: Shown = Field(description="Whose membrane is told, of all.")
    membranes: list[TracedMembrane]
    not_finite: dict[str, Any] | None = None


@operation("POST", "/spiking/trace", Trace, tag="spiking", query=SessionOfPost, body=TraceBody)
def spiking_trace(query: SessionOfPost, body: TraceBody) -> Response:
    """Run an input through a copy of the model: spikes and thresholds of every stage."""
    return _traced(session_meant(query, body), body, body.steps, Trace)


@operation(
    "POST",
    "/spiking/trace-membrane",
    MembraneTrace,
    tag="spiking",
    query=SessionOfPost,
    body=MembraneBody,
)
def spiking_trace_membrane(query: SessionOfPost, body: MembraneBody) -> Response:
    """Membranes over the steps of an input (10 of a single row) on a copy of the model."""
    single = not isinstance(body.input[0], list) or len(body.input) == 1
    steps = body.steps or (10 if single else None)
    return _traced(session_meant(query, body), body, steps, MembraneTrace)


def _traced(session_id: str, body: TraceBody, steps: int | None, model: type[Answer]) -> Response:
    client = session_asked(session_id)
    if client.manifest().get("owner") != "supervised":
        message = "a script's model is not copied; run it in the script"
        raise ApiError(422, "not_offered", message, field="session_id")
    asked = {
        "input": body.input, "as": body.as_, "steps": steps, "neurons": body.neurons,
        "verbose": body.verbose,
    }  # fmt: skip
    told = client.trace(asked)
    if not told["ok"]:
        return refused_by_worker(told["error"], failed=500)
    told |= {"session_id": client.session, "params_rev": told["rev"], "units": UNITS}
    layout = live.layout_of(client)
    told["neurons"] = live.part(len(told["membranes"]), layout.n_total)
    told["shown"] = {"neurons": told["neurons"], "steps": live.all_of(told["steps"])}
    if "stages" in model.model_fields:
        told["shown"]["stages"] = live.part(len(told["stages"]), len(layout.groups))
    return live.answer({name: told[name] for name in model.model_fields if name in told})
