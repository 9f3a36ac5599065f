"""Commands on a run session: all of a request is checked first, then all of it is applied in order.

What cannot be taken back (reset, step, what the engine itself takes) stands last in a list, what
concerns files (checkpoint, forget, branch) alone; the loop does the latter (``run_loop``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from t4dm import commands as c
from t4dm.live.handlers import Refused, apply_shared, check_rev, check_values, parse, refused
from t4dm.live.run_session import RunSession
from t4dm.params import ParamError

FILES = (c.Checkpoint, c.Forget, c.Branch)
PLAIN = (c.Set, c.Clear, c.Replace, c.Run, c.Pause, c.Note)


def read(session: RunSession, body: Any, if_rev: int | None) -> list[c.Command]:
    """The checked commands of a request; raises :class:`Refused`."""
    commands = parse(body, session.commands)
    check_rev(session, if_rev)
    validate(session, commands)
    return commands


def validate(session: RunSession, commands: Sequence[c.Command]) -> None:
    """Raises :class:`Refused` where one of ``commands`` could not be applied in its turn."""
    paused = session.state != "running"
    for index, command in enumerate(commands):
        try:
            _check(session, command, paused, index, len(commands))
        except ParamError as error:
            raise refused(error, index, len(commands)) from None
        if isinstance(command, (c.Run, c.Pause)):
            paused = isinstance(command, c.Pause)


def _check(session: RunSession, command: c.Command, paused: bool, index: int, count: int) -> None:
    if isinstance(command, FILES) and count > 1:
        raise ParamError("type", f"{command.type}: must be sent alone")
    if not isinstance(command, PLAIN) and index < count - 1:
        raise ParamError("type", f"{command.type}: must be the last command of a list")
    if isinstance(command, c.Step) and not paused:
        raise ParamError("type", "step: the run must be paused first")
    check_values(session.tree, command)


def apply(session: RunSession, commands: Sequence[c.Command], who: str) -> list[tuple[Any, Any]]:
    """Apply checked ``commands``; returns (old, new) of each.

    Raises :class:`Refused` where the engine refuses; everything is then as it was before.
    """
    before = session.savepoint()
    done: list[tuple[Any, Any]] = []
    for index, command in enumerate(commands):
        try:
            done.append(_apply(session, command, who))
        except ParamError as error:
            session.roll_back(before)
            raise refused(error, index, len(commands)) from None
    return done


def _apply(session: RunSession, command: c.Command, who: str) -> tuple[Any, Any]:
    done = apply_shared(session, command, who)
    return session.engine.command(command) if done is None else done


__all__ = ["FILES", "Refused", "apply", "read", "validate"]
