"""The name of a session that a script or a program of its own brings: one holder at a time."""

from __future__ import annotations

from pathlib import Path

from t4dm.live import external_files, paths
from t4dm.live.client import sessions
from t4dm.live.lifeline import take_lock


def claim(run: Path, name: str) -> int:
    """The lock of the session ``name`` in ``run``, an open file, held until it is closed.

    Raises ValueError where the name is taken or the dashboard's own, OSError where no file can be made
    or the path of its socket would be too long.
    """
    if name == paths.DEFAULT_SESSION or name in sessions(run):
        raise ValueError(f"the name '{name}' is the dashboard's own; choose another name")
    paths.socket_path(run, name)
    external_files.sweep(run)
    lock = take_lock(external_files.lock_path(run, name))
    if lock is None:
        raise ValueError(f"a session named '{name}' is running already; choose another name")
    return lock
