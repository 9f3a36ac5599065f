"""The clinic, the asking side: a table is asked for, watched, given up; what came of it is kept.

``asked`` in the cache is all that the web process writes: the jobs process (``clinic_runner``) makes
what is asked and stops when that is gone.  Tables are files; the cache has what is under way.
"""

from __future__ import annotations

import json
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Any

import diskcache

from dashboard.api.errors import ApiError
from dashboard.cache import open_cache
from dashboard.pictures import jobs_running
from t4dm.live import paths

CACHE_NAME = "clinic"
ASKED, NEWS, ROWS, LAST = "asked", "news", "rows", "last"
SHIPPED = Path(__file__).resolve().parent.parent / "benchmarks" / "results" / "clinic.json"
NO_JOBS = "the table is made by the jobs process, which is not running"


@lru_cache(maxsize=4)
def board(run: Path) -> diskcache.Cache:
    """The cache that carries what is asked and how far it is."""
    return open_cache(CACHE_NAME)


def folder() -> Path:
    """Where the jobs process keeps the table and the runs that are done."""
    return paths.data_dir() / "clinic"


def start(seed: int, steps: int) -> dict[str, Any]:
    """Have a table made; raises :class:`ApiError` 409 while one is being made, 503 without jobs."""
    if not jobs_running():
        raise ApiError(503, "no_jobs", NO_JOBS)
    cache = board(paths.run_dir())
    asked = {"id": secrets.token_hex(8), "seed": seed, "steps": steps}
    if not cache.add(ASKED, json.dumps(asked)):
        raise ApiError(409, "busy", "a table is being made; cancel it first, or wait for it")
    cache.delete(LAST)
    return state()


def cancel() -> dict[str, Any]:
    """Give up the table that is being made; raises :class:`ApiError` 409 where there is none."""
    cache = board(paths.run_dir())
    asked = _read(cache, ASKED)
    if asked is None:
        raise ApiError(409, "not_running", "no table is being made")
    cache.set(
        LAST,
        json.dumps({"state": "cancelled", "message": "cancelled; runs that were done are kept"}),
    )
    cache.delete(ASKED)
    return state()


def state() -> dict[str, Any]:
    """What is under way, how far it is, its rows so far, and the newest table that was finished."""
    cache = board(paths.run_dir())
    asked, last = _read(cache, ASKED), _read(cache, LAST) or {"state": "idle", "message": ""}
    told: dict[str, Any] = {"asked": None, "progress": None, "rows": [], **last}
    if asked is not None:
        news = _read(cache, NEWS) or {}
        mine = news.get("id") == asked["id"]
        message = "" if jobs_running() else NO_JOBS
        told = {"state": "running" if mine else "queued", "message": message}
        told["asked"] = {"seed": asked["seed"], "steps": asked["steps"]}
        told["progress"] = news.get("progress") if mine else None
        told["rows"] = (_read(cache, ROWS) or []) if mine else []
    return told | {"finished": _finished()}


def _read(cache: diskcache.Cache, key: str) -> Any:
    text = cache.get(key)
    return None if text is None else json.loads(text)


def _finished() -> dict[str, Any] | None:
    """The newest table made here, else the one that comes with the program; None without either."""
    for path, origin in ((folder() / "table.json", "made here"), (SHIPPED, "shipped")):
        try:
            found = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        names = ("run", "seed", "steps", "target_loss", "rows")
        return {name: found[name] for name in names} | {"origin": origin}
    return None
