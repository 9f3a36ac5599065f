"""What the campaigns about health share: a session without worker, clock or page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from t4dm.live import handlers
from t4dm.live.engine import Engine, StackConfig
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from t4dm.step_length import STEP_MS

CHUNK = 64


def open_session(config: StackConfig, seed: int, folder: Path, dt: float = STEP_MS) -> Session:
    """A new run at its first step of ``dt`` ms; ``folder`` keeps calibrations."""
    tree = ParamTree(config.n_blocks, dt=dt)
    return Session("clinic", Engine(config, tree, seed, folder))


def command(session: Session, *commands: dict[str, Any]) -> None:
    """Apply ``commands`` as the worker would, all or none."""
    parsed = handlers.parse(list(commands))
    handlers.validate(session, parsed)
    handlers.apply(session, parsed, "clinic")


def put(session: Session, values: dict[str, Any]) -> None:
    """Set parameters by path."""
    if values:
        command(session, *({"type": "set", "path": p, "value": v} for p, v in values.items()))


def run(
    session: Session, steps: int, each: Callable[[Any], None] | None = None, chunk: int = CHUNK
) -> None:
    """The next ``steps`` steps; ``each`` sees every segment, of ``chunk`` steps."""
    end = session.engine.step + steps
    while session.engine.step < end and session.finite:
        segment = session.advance(min(chunk, end - session.engine.step))
        if each is not None:
            each(segment)
