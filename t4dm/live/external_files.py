"""External sessions in a run directory: which there are, which have ended, what those leave behind."""

from __future__ import annotations

import datetime
import json
import math
import os
from pathlib import Path
from typing import Any

from t4dm.live import paths
from t4dm.live.leftovers import is_alive
from t4dm.live.lifeline import take_lock
from t4dm.live.ring_reader import RingReader

OWNER = "external"
KEPT = 4  # ended sessions whose last window stays


def is_external(run: Path, name: str) -> bool:
    """Whether ``name`` is a session that a script opened here, running or ended."""
    if not paths.NAME.fullmatch(name) or not paths.ring_path(run, name).exists():
        return False
    try:
        manifest = json.loads(paths.manifest_path(run, name).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("owner") == OWNER


def names(run: Path) -> list[str]:
    """Every external session of ``run``, sorted."""
    found = (path.stem for path in run.glob("*.json"))
    return sorted(name for name in found if is_external(run, name))


def ended(reader: RingReader, status: dict[str, Any]) -> str:
    """``ended at 12:03:05 UTC; its last window stays`` of a script that is gone; empty if it lives."""
    told = status.get("state") == "ended"
    if not told and (not reader.pid or is_alive(reader.pid)):
        return ""
    return f"ended at {status.get('ended_at') or _at(reader.age_s())}; its last window stays"


def _at(age_s: float) -> str:
    """The wall clock ``age_s`` ago, for people."""
    if not math.isfinite(age_s):
        return "an unknown time"
    at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=age_s)
    return f"{at:%H:%M:%S} UTC"


def sweep(run: Path, keep: int = KEPT) -> list[str]:
    """Remove the files of ended sessions but the newest ``keep``; returns their names."""
    gone = []
    over = [name for name in names(run) if not _lives(run, name)]
    over.sort(key=lambda name: paths.manifest_path(run, name).stat().st_mtime, reverse=True)
    for name in over[keep:]:
        for path in (
            paths.manifest_path(run, name), paths.ring_path(run, name),
            paths.socket_path(run, name), lock_path(run, name),
        ):  # fmt: skip
            path.unlink(missing_ok=True)
        gone.append(name)
    return gone


def lock_path(run: Path, name: str) -> Path:
    """The file whose lock a living session holds."""
    return run / f"{paths.checked_name(name)}.lock"


def _lives(run: Path, name: str) -> bool:
    lock = take_lock(lock_path(run, name))
    if lock is None:
        return True
    os.close(lock)
    return False
