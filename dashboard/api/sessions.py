"""The sessions as the web process sees them; every one is a :class:`SessionClient`, no state here."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from dashboard.api.errors import ApiError
from t4dm.live import paths
from t4dm.live.client import SessionClient, sessions
from t4dm.live.tree import ParamTree


def session_names() -> list[str]:
    """Every session the supervisor runs, and ``default``, which always exists."""
    return sorted({*sessions(paths.run_dir()), paths.DEFAULT_SESSION})


def session(name: str) -> SessionClient:
    """The session of that name; raises :class:`ApiError` 404 with the names there are."""
    known = session_names()
    if name not in known:
        raise ApiError(404, "no_session", "no such session", field="session", choices=known)
    return _client(paths.run_dir(), name)


@lru_cache(maxsize=64)
def _client(run: Path, name: str) -> SessionClient:
    return SessionClient(run, name)


@lru_cache(maxsize=16)
def _tree(n_blocks: int) -> ParamTree:
    return ParamTree(n_blocks)


def checking_tree(client: SessionClient) -> ParamTree:
    """A tree of the session's size, to check paths and values with; its own values mean nothing.

    Raises :class:`t4dm.live.client.WorkerDown` before the session has a manifest.
    """
    return _tree(n_blocks(client.manifest()))


def n_blocks(manifest: dict[str, Any]) -> int:
    """How many blocks the session's network has."""
    blocks = {group["block"] for group in manifest["groups"] if group.get("block") is not None}
    return max(1, len(blocks))
