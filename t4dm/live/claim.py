"""The name of a session that a script or a program of its own brings: one holder at a time."""

from __future__ import annotations

from pathlib import Path

from t4dm.live import external_files, paths
from t4dm.live.client import sessions
from t4dm.live.lifeline import take_lock


class NameTakenError(ValueError):
    """Another session has the name."""


def claim(run: Path, name: str) -> int:
    """The lock of the session ``name`` in ``run``, an open file, held until it is closed.

    Raises NameTakenError where the name is taken or the dashboard's own, ValueError where the path of
    its socket would be too long, OSError where no file can be made.
    """
    if name == paths.DEFAULT_SESSION or name in sessions(run):
        raise NameTakenError(f"the name '{name}' is the dashboard's own; choose another name")
    paths.socket_path(run, name)
    external_files.sweep(run)
    lock = take_lock(external_files.lock_path(run, name))
    if lock is None:
        raise NameTakenError(f"a session named '{name}' is running already; choose another name")
    return lock
