"""The one command road: typed messages, the same models at every door.

A message travels slider, key, REST or script -> worker, is applied between two steps and answered
``{"ok": true, "rev", "step", "t_ms", "old", "new"}`` or ``{"ok": false, "error": {field, message, lo, hi}}``.
Parameter *paths and values* are checked against the session's ParamTree; these models check the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.config import JsonDict

from t4dm.params import ParamError, did_you_mean, plain

MAX_VALUE_LENGTH = 10_000
KEPT_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"  # as t4dm.live.paths.NAME
BREAK_BOUNDS: dict[str, tuple[float, float, str]] = {
    "rate": (0.0, 1000.0, "Hz"),
    "membrane": (-1000.0, 1000.0, "1"),
    "weight": (0.0, 1.0, "1"),
}


# What an id may be in any session; the session itself knows how many it has.
ANY_ID: JsonDict = {"minimum": 0, "maximum": 65_534}


def _sane(value: Any) -> Any:
    if isinstance(value, (str, list, dict)) and len(value) > MAX_VALUE_LENGTH:
        raise ValueError(f"longer than {MAX_VALUE_LENGTH}")
    return value


# Any JSON: the parameter itself says, with its range, what it does not take.
Value = Annotated[Any, AfterValidator(_sane)]
Neuromodulator = Literal["DA", "ACh", "NE", "5HT"]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Set(_Command):
    """Set one parameter; ``who`` names the tab or script in the event log."""

    type: Literal["set"] = "set"
    path: str = Field(max_length=128)
    value: Value = Field()


class Clear(_Command):
    """Clear an override, or put a parameter back to its default."""

    type: Literal["clear"] = "clear"
    path: str = Field(max_length=128)


class Replace(_Command):
    """Make ``values`` the whole set of non-default parameters (load, undo, snapshot)."""

    type: Literal["replace"] = "replace"
    values: dict[str, Value] = Field(max_length=2000)
    label: str = Field("", max_length=200)


class Preset(_Command):
    """Put in force a named set of parameters that makes the network ill, or ``healthy``.

    What no preset touches is kept.  Answers the non-default values before and after, as ``replace``.
    """

    type: Literal["preset"] = "preset"
    name: str = Field(max_length=64, description="a name of t4dm.health.presets, or healthy")


class Run(_Command):
    """Go on."""

    type: Literal["run"] = "run"


class Pause(_Command):
    """Stand still before the next step."""

    type: Literal["pause"] = "pause"
    reason: str = Field("", max_length=200, description="A sentence for those who find it so.")


class Step(_Command):
    """Advance ``n`` steps and stand still; only while paused."""

    type: Literal["step"] = "step"
    n: int = Field(1, ge=1, le=10_000)


class Reset(_Command):
    """State, weights, random streams and time from the seed; parameters are kept."""

    type: Literal["reset"] = "reset"
    seed: int | None = Field(None, ge=0, le=2**31 - 1)


class Speed(_Command):
    """Simulated seconds per wall second, 0.1 to 100, or ``"max"``."""

    type: Literal["speed"] = "speed"
    value: Annotated[float, Field(ge=0.1, le=100, allow_inf_nan=False)] | Literal["max"] = 1.0


class Inject(_Command):
    """A bolus: ``level`` is added to a neuromodulator, in [-1, 1]; an event, not undoable."""

    type: Literal["inject"] = "inject"
    nt: Neuromodulator
    level: float = Field(0.3, ge=-1, le=1, allow_inf_nan=False)


class Reward(_Command):
    """A manual reward r in [-1, 1]; it bypasses the expectation r_hat: DA += reward_gain * r."""

    type: Literal["reward"] = "reward"
    value: float = Field(1.0, ge=-1, le=1, allow_inf_nan=False)


class BreakOn(_Command):
    """Pause when a condition comes true at the end of a step.

    kind: ``rate`` (rate of stage ``group`` over ``window_ms``, Hz per neuron, 0 to 1000), ``spike``
    (``neuron`` fires), ``membrane`` (u_pre of ``neuron``, -1000 to 1000), ``weight`` (share of the
    plastic weights of block ``group`` that stand at w_max, above 0 up to 1; looked at every 250
    steps; weights at 0 do not count), ``finding`` (health finding ``finding``, or ``any``, of
    ``severity`` or graver; looked for every 100 steps), ``nan`` (always armed too).  ``bound`` must be crossed: a
    condition that is true already is armed once it has been false.
    """

    type: Literal["break_on"] = "break_on"
    kind: Literal["rate", "spike", "membrane", "weight", "nan", "finding"]
    group: int | None = Field(
        None, description="stage (rate) or block (weight), from 0", json_schema_extra=ANY_ID
    )
    neuron: int | None = Field(None, description="neuron id, from 0", json_schema_extra=ANY_ID)
    op: Literal["above", "below"] = "above"
    bound: float = Field(0.0, allow_inf_nan=False)
    window_ms: int = Field(100, ge=1, le=10_000)
    finding: str = Field("any", max_length=64, description="id of a health finding, or any")
    severity: Literal["note", "warning", "critical"] = "warning"


class BreakOff(_Command):
    """Remove breakpoint ``id``, or all of them when it is null."""

    type: Literal["break_off"] = "break_off"
    id: int | None = Field(None, ge=1, le=2**31 - 1)


class Watch(_Command):
    """Record the membrane of these neurons too (beside the default set); at most 64 extra."""

    type: Literal["watch"] = "watch"
    neurons: list[Annotated[int, Field(ge=0, le=65_534)]] = Field(max_length=64)


class Note(_Command):
    """A free line in the event log, drawn on the time axis."""

    type: Literal["note"] = "note"
    text: str = Field(max_length=500)


class Checkpoint(_Command):
    """Keep the state of a run under a name, beside the automatic ones; answered when it is on disk."""

    type: Literal["checkpoint"] = "checkpoint"
    name: str = Field(pattern=KEPT_NAME, description="1 to 64 letters, digits, _ or -")


class Forget(_Command):
    """Remove a kept checkpoint; sessions that were branched from it keep their own copy."""

    type: Literal["forget"] = "forget"
    checkpoint: str = Field(pattern=KEPT_NAME)


class Branch(_Command):
    """Begin a new session from a kept checkpoint; this one stays as it is."""

    type: Literal["branch"] = "branch"
    checkpoint: str = Field(pattern=KEPT_NAME)
    name: str | None = Field(
        None, pattern=KEPT_NAME, description="of the session; null: a free one"
    )


class Sample(_Command):
    """Have the model write now, with the prompt, temperature and length of ``sample.*``."""

    type: Literal["sample"] = "sample"
    prompt: str | None = Field(None, max_length=500, description="null: that of sample.prompt")
    temperature: float | None = Field(None, ge=0, le=5, allow_inf_nan=False)


class Put(_Command):
    """Set the agent of an arena down at a place."""

    type: Literal["put"] = "put"
    x: float = Field(ge=0, le=100, allow_inf_nan=False, description="m, up to the arena's side")
    y: float = Field(ge=0, le=100, allow_inf_nan=False, description="m, up to the arena's side")


class Recall(_Command):
    """Ask an arena's memory for the episode nearest to a cue: a place, and the time it is now."""

    type: Literal["recall"] = "recall"
    x: float | None = Field(
        None, ge=0, le=100, allow_inf_nan=False, description="null: where it is"
    )
    y: float | None = Field(
        None, ge=0, le=100, allow_inf_nan=False, description="null: where it is"
    )


class Read(_Command):
    """Have a brain read its text again, from the first word; what it has learnt stays."""

    type: Literal["read"] = "read"


class Outcome(_Command):
    """Tell a brain what the words it has just read led to; it learns from its error."""

    type: Literal["outcome"] = "outcome"
    value: float = Field(ge=-1, le=1, allow_inf_nan=False, description="-1 bad to 1 good")
    words: int = Field(3, ge=1, le=120, description="how many of the words read last")


Command = (
    Set | Clear | Replace | Preset | Run | Pause | Step | Reset | Speed | Inject | Reward
    | BreakOn | BreakOff | Watch | Note | Checkpoint | Forget | Branch | Sample | Put | Recall | Read | Outcome
)  # fmt: skip
_ADAPTER: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="type")])
COMMAND_TYPES: dict[str, type[_Command]] = {
    cls.model_fields["type"].default: cls
    for cls in (
        Set,
        Clear,
        Replace,
        Preset,
        Run,
        Pause,
        Step,
        Reset,
        Speed,
        Inject,
        Reward,
        BreakOn,
        BreakOff,
        Watch,
        Note,
    )
}
# What a run session takes (training and the like); its engine may offer fewer of the last ones.
RUN_COMMAND_TYPES: dict[str, type[_Command]] = {
    cls.model_fields["type"].default: cls
    for cls in (
        Set,
        Clear,
        Replace,
        Run,
        Pause,
        Step,
        Reset,
        Note,
        Checkpoint,
        Forget,
        Branch,
        Sample,
        Put,
        Recall,
        Read,
        Outcome,
    )
}


def parse_command(body: Any, types: Mapping[str, type[_Command]] = COMMAND_TYPES) -> Command:
    """A command from plain JSON data, one of ``types``.

    Raises :class:`ParamError` naming field and range.
    """
    if not isinstance(body, dict):
        raise ParamError("body", 'a command is a JSON object such as {"type": "pause"}')
    kind = body.get("type")
    if not isinstance(kind, str) or kind not in types:
        known = list(types)
        hint = (
            did_you_mean(kind, known) if isinstance(kind, str) else f"; one of {', '.join(known)}"
        )
        raise ParamError("type", f"unknown command type {str(kind)[:40]!r}{hint}", choices=known)
    try:
        command = _ADAPTER.validate_python(body, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        location = [str(part) for part in first["loc"] if str(part) != kind]
        field = location[0] if location else "body"
        lo, hi = _bounds(types[kind], field, of_item=len(location) > 1)
        if kind == "break_on" and field == "bound" and body.get("kind") in list(BREAK_BOUNDS):
            lo, hi, _ = BREAK_BOUNDS[body["kind"]]
        span = f" (valid: {plain(lo)} to {plain(hi)})" if lo is not None and hi is not None else ""
        raise ParamError(field, f"{kind}.{field}: {first['msg']}{span}", lo=lo, hi=hi) from None
    if isinstance(command, BreakOn):
        _check_bound(command)
    return command


def _check_bound(command: BreakOn) -> None:
    """Raises :class:`ParamError` for a bound that ``command``'s kind can never cross."""
    if command.kind not in BREAK_BOUNDS:
        return
    lo, hi, unit = BREAK_BOUNDS[command.kind]
    is_share = command.kind == "weight"
    if lo <= command.bound <= hi and not (is_share and command.bound == lo):
        return
    span = f"above {plain(lo)} up to {plain(hi)}" if is_share else f"{plain(lo)} to {plain(hi)}"
    of = " Hz per neuron" if command.kind == "rate" else ""
    message = f"break_on.bound: {command.kind} takes {span}{of}, got {command.bound:g}"
    raise ParamError("bound", message, lo=lo, hi=hi, unit=unit)


def _bounds(
    cls: type[_Command], name: str, of_item: bool = False
) -> tuple[float | None, float | None]:
    """The range of a field, or of an item of its list."""
    field = cls.model_fields.get(name)
    lo = hi = None
    if field is not None:
        schema = TypeAdapter(cls).json_schema()["properties"].get(name, {})
        inside = schema.get("items", {}) if of_item else {}
        for option in [schema, *schema.get("anyOf", []), inside]:
            lo = option.get("minimum", lo)
            hi = option.get("maximum", hi)
    return lo, hi
