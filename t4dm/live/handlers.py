"""Commands on a session: all of a request is checked first, then all of it is applied in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from t4dm import commands as c
from t4dm.health import presets
from t4dm.live.kept_session import KeptSession
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from t4dm.params import ParamError

MAX_COMMANDS = 256
NOT_KEPT = (c.Note, c.Step, c.Sample)
Answer = dict[str, Any]


class Refused(Exception):
    """A request of which nothing was applied; ``error`` is its JSON form."""

    def __init__(self, code: str, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.error = {"code": code, **error}


class Numbered(Protocol):
    """What has a revision of its parameters."""

    rev: int


def parse(body: Any, types: Mapping[str, Any] = c.COMMAND_TYPES) -> list[c.Command]:
    """The commands of a request body (one object or a list) of ``types``; raises :class:`Refused`."""
    items = body if isinstance(body, list) else [body]
    if not 1 <= len(items) <= MAX_COMMANDS:
        error = ParamError("body", f"1 to {MAX_COMMANDS} commands a request", lo=1, hi=MAX_COMMANDS)
        raise Refused("invalid", error.to_json())
    parsed = []
    for index, item in enumerate(items):
        try:
            parsed.append(c.parse_command(item, types))
        except (ParamError, RecursionError) as error:
            raise refused(error, index, len(items)) from None
    return parsed


def check_rev(session: Numbered, if_rev: int | None) -> None:
    """Raises :class:`Refused` where a request is meant for another revision than the newest."""
    if if_rev is not None and if_rev != session.rev:
        message = f"the parameters are at revision {session.rev}, not {if_rev}; read them again"
        error = {"field": "If-Match", "message": message, "lo": None, "hi": None, "unit": ""}
        raise Refused("stale", error | {"choices": None, "rev": session.rev})


def validate(session: Session, commands: Sequence[c.Command]) -> None:
    """Raises :class:`Refused` where one of ``commands`` could not be applied in its turn."""
    paused, finite = session.state != "running", session.finite
    breakpoints = session.breakpoints.copy()  # as they are by then
    for index, command in enumerate(commands):
        try:
            if isinstance(command, (c.Run, c.Step)) and not finite:
                raise ParamError("type", f"{command.type}: {session.reason}; reset the run first")
            if isinstance(command, c.Step):
                _check_step(paused, last=index == len(commands) - 1)
            elif isinstance(command, c.BreakOn):
                breakpoints.check(command)
                breakpoints.add(command)
            elif isinstance(command, c.BreakOff):
                breakpoints.check_off(command.id)
                breakpoints.remove(command.id)
            else:
                _check(session, command)
        except ParamError as error:
            raise refused(error, index, len(commands)) from None
        if isinstance(command, (c.Run, c.Pause)):
            paused = isinstance(command, c.Pause)
        finite = finite or isinstance(command, c.Reset)


def apply(session: Session, commands: Sequence[c.Command], who: str) -> list[tuple[Any, Any]]:
    """Apply checked ``commands``; returns (old, new) of each.

    Raises :class:`Refused` where the engine refuses a value (a missing file, say); everything is
    then as it was before the request.
    """
    before = session.savepoint() if len(commands) > 1 else None
    done: list[tuple[Any, Any]] = []
    for index, command in enumerate(commands):
        try:
            done.append(_apply(session, command, who))
        except ParamError as error:
            if before is not None:
                session.roll_back(before)
            raise refused(error, index, len(commands)) from None
    return done


def is_kept(commands: Sequence[c.Command]) -> bool:
    """Whether the request changes what must survive a kill."""
    return any(not isinstance(command, NOT_KEPT) for command in commands)


def check_values(tree: ParamTree, command: c.Command) -> None:
    """Raises :class:`ParamError` where ``command`` names or sets what the tree does not take."""
    if isinstance(command, c.Set):
        tree.check(command.path, command.value)
    elif isinstance(command, c.Clear):
        tree.get(command.path)
    elif isinstance(command, c.Replace):
        for path, value in command.values.items():
            tree.check(path, value)


def _check(session: Session, command: c.Command) -> None:
    check_values(session.tree, command)
    if isinstance(command, c.Preset):
        for path, value in presets.applied(command.name, {}, session.dt).items():
            session.tree.check(path, value)
    elif isinstance(command, c.Watch):
        hi = session.layout.n_total - 1
        if any(neuron > hi for neuron in command.neurons):
            raise ParamError("neurons", f"watch.neurons: ids are 0 to {hi}", lo=0, hi=hi)


def _check_step(paused: bool, last: bool) -> None:
    if not paused:
        raise ParamError("type", "step: the run must be paused first")
    if not last:
        raise ParamError("type", "step: must be the last command of a list")


def apply_shared(session: KeptSession, command: c.Command, who: str) -> tuple[Any, Any] | None:
    """(old, new) of a command that every session takes; None for another."""
    before = session.tree.non_default()
    match command:
        case c.Set():
            old, new = session.tree.set(command.path, command.value)
            session.change({command.path: (old, new)}, before, who)
            return old, new
        case c.Clear():
            old, new = session.tree.clear(command.path)
            session.change({command.path: (old, new)}, before, who)
            return old, new
        case c.Replace():
            session.change(session.tree.replace(dict(command.values)), before, who)
            return before, session.tree.non_default()
        case c.Note():
            session.event("note", text=command.text, who=who)
            return None, command.text
    return _steer(session, command, who)


def _steer(session: KeptSession, command: c.Command, who: str) -> tuple[Any, Any] | None:
    old = session.state
    match command:
        case c.Run():
            session.run()
            session.event("state", state="running", reason="", who=who)
            return old, session.state
        case c.Pause():
            session.pause(command.reason)
            session.event("state", state="paused", reason=command.reason, who=who)
            return old, session.state
        case c.Step():
            first = session.engine.step
            session.step(command.n)
            return first, session.goal
        case c.Reset():
            seed = session.engine.seed
            session.reset(command.seed, who)
            return seed, session.engine.seed
    return None


def _apply(session: Session, command: c.Command, who: str) -> tuple[Any, Any]:
    if (done := apply_shared(session, command, who)) is not None:
        return done
    match command:
        case c.Preset():
            before = session.tree.non_default()
            wanted = presets.applied(command.name, before, session.dt)
            session.change(session.tree.replace(wanted), before, who)
            return before, session.tree.non_default()
        case c.Inject():
            event = session.engine.inject(command.nt, command.level)
            session.event("inject", nt=command.nt, level=command.level, who=who)
            return None, event
        case c.Reward():
            event = session.engine.reward(command.value)
            told = {key: event[key] for key in ("r", "r_hat", "delta") if key in event}
            session.event("reward", **{"r": command.value, **told}, who=who)
            return None, event
        case c.Speed():
            was = session.speed or "max"
            session.speed = None if command.value == "max" else float(command.value)
            now = session.speed or "max"
            if now != was:
                session.event("speed", old=was, new=now, who=who)
            return was, now
    return _apply_debug(session, command, who)


def _apply_debug(session: Session, command: c.Command, who: str) -> tuple[Any, Any]:
    match command:
        case c.BreakOn():
            id = session.breakpoints.add(command)
            session.refresh_watch()
            session.event("break_on", breakpoint={"id": id, **command.model_dump()}, who=who)
            return None, id
        case c.BreakOff():
            gone = session.breakpoints.remove(command.id)
            session.refresh_watch()
            if gone:
                session.event("break_off", breakpoints=gone, who=who)
            return gone, None
        case c.Watch():
            old = list(session.engine.watch)
            session.watch(command.neurons)
            return old, list(session.engine.watch)
    raise AssertionError(f"no handler for {type(command).__name__}")


def refused(error: Exception, index: int, count: int) -> Refused:
    """The refusal of command ``index`` of ``count``."""
    if not isinstance(error, ParamError):
        error = ParamError("body", "the command is nested too deeply")
    body = error.to_json()
    if count > 1:
        body |= {"index": index, "message": f"command {index}: {error.message}"}
    return Refused("invalid", body)
