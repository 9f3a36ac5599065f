"""Server-side pictures, the asking side: a figure goes into the queue, an image comes back.

The drawing is done by ``python -m dashboard.jobs``: a web process never starts a browser.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import diskcache

from dashboard.api.errors import ApiError
from dashboard.cache import open_cache
from t4dm.live import paths
from t4dm.live.frame import dumps

CACHE_NAME = "pictures"
QUEUE = "asked"
WAIT_S = 20.0
TICK_S = 0.05
KEEP_S = 300
FORMATS = {"png": "image/png", "svg": "image/svg+xml"}
NOT_DRAWN = "not_drawn"


def lock_path() -> Path:
    """The file that the one running jobs process holds locked."""
    return paths.run_dir() / "jobs.lock"


def jobs_running() -> bool:
    """Whether a jobs process holds its lock."""
    try:
        fd = os.open(lock_path(), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


@lru_cache(maxsize=4)
def queue(run: Path) -> diskcache.Cache:
    """The cache that carries questions and answers."""
    return open_cache(CACHE_NAME)


def picture(figure: dict[str, Any], kind: str, width: int, height: int, scale: float) -> bytes:
    """The figure as PNG or SVG; waits at most 20 s.

    Raises :class:`ApiError` 501 where no browser starts, 503 where nobody draws.
    """
    size = {"format": kind, "width": width, "height": height, "scale": scale}
    job = dumps({"figure": figure, "size": size})
    name = hashlib.sha256(job.encode()).hexdigest()
    cache = queue(paths.run_dir())
    done = cache.get(f"done:{name}")
    if done is not None:
        return done
    if not jobs_running():
        raise ApiError(503, "no_jobs", "pictures need the jobs process, which is not running")
    if cache.add(f"asked:{name}", 1, expire=WAIT_S):
        cache.delete(f"failed:{name}")
        cache.push(json.dumps({"name": name, "job": job}), prefix=QUEUE, expire=WAIT_S)
    return _wait(cache, name)


def _wait(cache: diskcache.Cache, name: str) -> bytes:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        done = cache.get(f"done:{name}")
        if done is not None:
            return done
        failed = cache.get(f"failed:{name}")
        if failed == NOT_DRAWN:
            raise ApiError(500, NOT_DRAWN, "the picture could not be drawn; the log says why")
        if failed is not None:
            raise ApiError(501, "no_browser", failed)
        time.sleep(TICK_S)
    message = "the picture was not ready in time; ask again"
    raise ApiError(503, "busy", message, headers={"Retry-After": "1"})
