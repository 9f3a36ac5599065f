"""The live side: sessions, the worker that runs them, and :func:`watch` for a model of your own."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """``t4dm.live.watch``, looked up late so that clients and the web process load no torch."""
    if name == "watch":
        from t4dm.live.watching import watch

        return watch
    raise AttributeError(f"module 't4dm.live' has no attribute '{name}'")
