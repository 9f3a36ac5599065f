"""The sessions as the web process sees them; every one is a :class:`SessionClient`, no state here."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dashboard.api.errors import ApiError
from t4dm.live import external_files, kinds, paths, resting
from t4dm.live.client import SessionClient, WorkerDown, sessions
from t4dm.live.external_params import tree_of
from t4dm.live.registry import Registry
from t4dm.live.tree import ParamTree
from t4dm.step_length import STEP_MS

MAX_KEPT = 64
_kept: dict[tuple[str, str], tuple[list[Any], InForce]] = {}


def session_names() -> list[str]:
    """Every session there is: the supervisor's, ``default``, which always exists, and external ones."""
    run, created = paths.run_dir(), Registry(paths.data_dir())
    gone = set(created.ending())
    run_by_us = {*sessions(run), paths.DEFAULT_SESSION, *created.names()} - gone
    return sorted({*run_by_us, *external_files.names(run)})


def entries() -> list[dict[str, Any]]:
    """One line a session for the page's picker: name, kind, page, owner, state, and why it ended."""
    found = []
    created = Registry(paths.data_dir()).names()
    for name in session_names():
        client = client_named(name)
        status = client.status()
        found.append(
            {
                "name": name,
                "kind": (kind := kind_named(name)),
                "page": kinds.SPIKING_PAGE if kind == kinds.SPIKING else kinds.kind_of(kind).page,
                "owner": status.get("owner", "supervised"),
                "state": _state(status, name in created and not client.gave_up),
                "message": status["worker"]["message"],
            }
        )  # fmt: skip
    return found


def _state(status: dict[str, Any], begins: bool) -> str | None:
    """The worker's state, or what stands for it where none is alive; ``begins``: one is to come."""
    if status["worker"]["alive"]:
        return status.get("state")
    if status["worker"].get("ended"):
        return "ended"
    return "starting" if begins and status.get("state") in (None, "starting") else "down"


def client_named(name: str) -> SessionClient:
    """The client of a session that is known to exist."""
    return _client(paths.run_dir(), name)


def session(name: str) -> SessionClient:
    """The spiking session of that name.

    Raises :class:`ApiError` 404 with the names there are, 409 for a session of another kind.
    """
    client = any_session(name)
    if (kind := kind_named(name)) != kinds.SPIKING:
        message = f"the session '{name}' is of kind {kind}: it publishes no spikes"
        raise ApiError(409, "other_kind", message, field="session", kind=kind)
    return client


def session_asked(session_id: str) -> SessionClient:
    """As :func:`session`; a refusal names the request's own field, ``session_id``."""
    try:
        return session(session_id)
    except ApiError as refused:
        refused.details["field"] = "session_id"
        raise


def run_session(name: str) -> SessionClient:
    """The run session of that name (training and the like); raises :class:`ApiError` 404, 409."""
    client = any_session(name)
    if kind_named(name) == kinds.SPIKING:
        message = f"the session '{name}' is a network of spikes: ask for its frames"
        raise ApiError(409, "other_kind", message, field="session", kind=kinds.SPIKING)
    return client


def kind_named(name: str) -> str:
    """The kind of a session that is known to exist."""
    if name == paths.DEFAULT_SESSION:
        return kinds.SPIKING
    try:
        return client_named(name).manifest()["kind"]
    except WorkerDown:
        asked = Registry(paths.data_dir()).load(name)
    return kinds.SPIKING if asked is None else asked.kind


def any_session(name: str) -> SessionClient:
    """The session of that name; raises :class:`ApiError` 404 with the names there are."""
    run = paths.run_dir()
    if name != paths.DEFAULT_SESSION and not external_files.is_external(run, name):
        known = session_names()
    else:
        known = [name]
    if name not in known:
        raise ApiError(404, "no_session", "no such session", field="session", choices=known)
    resting.mark(run, name)
    return _client(run, name)


@lru_cache(maxsize=64)
def _client(run: Path, name: str) -> SessionClient:
    return SessionClient(run, name)


@lru_cache(maxsize=16)
def _tree(n_blocks: int, dt: float) -> ParamTree:
    return ParamTree(n_blocks, dt=dt)


@lru_cache(maxsize=16)
def _run_tree(kind: str, specs: str) -> ParamTree:
    defaults = {spec["path"]: spec["default"] for spec in json.loads(specs)}
    return ParamTree(0, kinds.kind_of(kind).groups, defaults)


@dataclass(frozen=True, slots=True)
class InForce:
    """Parameters in force as of revision ``rev``."""

    tree: ParamTree
    rev: int


def in_force(client: SessionClient) -> InForce:
    """The session's parameters; asked of the worker once a revision.

    The status names revision and values of every worker, so nothing is asked twice.  Raises
    :class:`t4dm.live.client.WorkerDown`.
    """
    status = client.status()
    named = [status.get(key) for key in ("pid", "epoch", "params_rev", "params_digest")]
    where = (str(client.run_dir), client.session)
    kept = _kept.get(where)
    if kept is not None and None not in named and kept[0] == named:
        return kept[1]
    told = client.params()
    tree = copy.deepcopy(checking_tree(client))
    tree.replace(told["values"] | told["overrides"])
    found = InForce(tree, told["rev"])
    if len(_kept) >= MAX_KEPT:
        _kept.clear()
    _kept[where] = (named, found)
    return found


def checking_tree(client: SessionClient) -> ParamTree:
    """A tree of the session's size, to check paths and values with; its own values mean nothing.

    Raises :class:`t4dm.live.client.WorkerDown` before the session has a manifest.
    """
    manifest = client.manifest()
    if manifest.get("owner") == external_files.OWNER:
        return tree_of(manifest)
    if manifest["kind"] != kinds.SPIKING:
        return _run_tree(manifest["kind"], json.dumps(manifest["specs"]))
    return _tree(n_blocks(manifest), manifest.get("dt", STEP_MS))


def n_blocks(manifest: dict[str, Any]) -> int:
    """How many blocks the session's network has."""
    blocks = {group["block"] for group in manifest["groups"] if group.get("block") is not None}
    return max(1, len(blocks))
