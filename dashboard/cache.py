"""Derived answers kept for a while: never the store of record, and never a pickle.

``diskcache`` unpickles what lies in its files (CVE-2025-69872), so :class:`SafeDisk` neither writes
nor reads pickles, and the folder is private to the user.
"""

from __future__ import annotations

import os
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import diskcache
from diskcache.core import MODE_PICKLE, UNKNOWN
from flask import Flask
from flask_caching import Cache
from flask_caching.backends.base import BaseCache

from t4dm.live import paths

SIZE_LIMIT = 128 << 20
KEEP_S = 60
answers = Cache()


class UnsafeValue(TypeError):
    """A key or value that could only be kept as a pickle."""


class SafeDisk(diskcache.Disk):
    """Keeps bytes, text and numbers; refuses everything that diskcache would pickle or unpickle."""

    def put(self, key: Any) -> tuple[Any, bool]:
        _check(key)
        return super().put(key)

    def get(self, key: Any, raw: bool) -> Any:
        if not raw:
            raise UnsafeValue("a pickled key is refused")
        return super().get(key, raw)

    def store(self, value: Any, read: bool, key: Any = UNKNOWN) -> Any:
        if not read:
            _check(value)
        return super().store(value, read, key=key)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:
        if mode == MODE_PICKLE:
            raise UnsafeValue("a pickled value is refused")
        if filename is not None and not self._inside(filename):
            raise UnsafeValue("a value outside the cache's folder is refused")
        return super().fetch(mode, filename, value, read)

    def _inside(self, filename: str) -> bool:
        base = os.path.realpath(self._directory)
        return os.path.realpath(os.path.join(base, filename)).startswith(base + os.sep)


def _check(value: Any) -> None:
    fits = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    if not (fits or type(value) in (bytes, str, float)):
        raise UnsafeValue(f"{type(value).__name__} would be pickled; keep bytes, text or numbers")


def open_cache(name: str) -> diskcache.Cache:
    """The cache ``name`` in the run directory, 0700, without pickles."""
    folder = paths.run_dir() / "cache" / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return diskcache.Cache(str(folder), disk=SafeDisk, size_limit=SIZE_LIMIT)


class DiskBackend(BaseCache):
    """Flask-Caching on :class:`SafeDisk`: bytes and text only, shared by all web processes."""

    def __init__(self, folder: Path, default_timeout: int = KEEP_S) -> None:
        super().__init__(default_timeout)
        self._folder = str(folder)

    @cached_property
    def _cache(self) -> diskcache.Cache:
        """Opened at the first use, thus in the process that uses it and never before a fork."""
        return diskcache.Cache(self._folder, disk=SafeDisk, size_limit=SIZE_LIMIT)

    @classmethod
    def factory(
        cls, app: Flask, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]
    ) -> DiskBackend:
        """What Flask-Caching calls with its configuration."""
        folder = Path(config["CACHE_DIR"])
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(folder, config["CACHE_DEFAULT_TIMEOUT"])

    def get(self, key: str) -> Any:
        return self._cache.get(key)

    def set(self, key: str, value: Any, timeout: int | timedelta | None = None) -> bool:
        return bool(self._cache.set(key, value, expire=self._seconds(timeout)))

    def add(self, key: str, value: Any, timeout: int | timedelta | None = None) -> bool:
        return bool(self._cache.add(key, value, expire=self._seconds(timeout)))

    def _seconds(self, timeout: int | timedelta | None) -> float | None:
        """Seconds to keep a value; None for ever, which is what a timeout of 0 asks for."""
        kept = self.default_timeout if timeout is None else timeout
        seconds = kept.total_seconds() if isinstance(kept, timedelta) else float(kept)
        return seconds or None

    def delete(self, key: str) -> bool:
        return bool(self._cache.delete(key))

    def has(self, key: str) -> bool:
        return key in self._cache

    def clear(self) -> bool:
        self._cache.clear()
        return True


def install(app: Flask) -> None:
    """Bind Flask-Caching to ``app`` with the safe backend."""
    config = {
        "CACHE_TYPE": "dashboard.cache.DiskBackend",
        "CACHE_DIR": str(paths.run_dir() / "cache" / "answers"),
        "CACHE_DEFAULT_TIMEOUT": KEEP_S,
    }
    answers.init_app(app, config=config)
