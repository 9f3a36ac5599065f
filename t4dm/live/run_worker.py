"""Opening a run session in its worker: as it was left, from another's checkpoint, or new."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from t4dm.live import environment, kinds, manifest, paths
from t4dm.live.checkpoint import CheckpointStore, Keeper
from t4dm.live.command_log import CommandLog
from t4dm.live.kept import KeptFiles, branched_from
from t4dm.live.limits import limits_from_env
from t4dm.live.registry import BRANCH, DEFAULT_LIMITS, Limits, SessionSpec
from t4dm.live.replay import Tell
from t4dm.live.run_engine import RunEngine
from t4dm.live.run_loop import RunWorker
from t4dm.live.run_manifest import build
from t4dm.live.run_replay import RunReplay
from t4dm.live.run_session import RunSession
from t4dm.live.samples import Samples
from t4dm.live.worker import Opened
from t4dm.store.sealed import NewerFormat, SealError

log = logging.getLogger("t4dm.worker")


def make_engine(spec: SessionSpec, seed: int, folder: Path) -> RunEngine:
    """The engine of the kind that ``spec`` asks for, in ``folder``."""
    kind = kinds.kind_of(spec.kind)
    module, _, name = kind.engine.partition(":")
    options = kind.checked(spec.options)
    return getattr(importlib.import_module(module), name)(options, kind.tree(options), seed, folder)


def open_run(
    args: argparse.Namespace, asked: SessionSpec, data: Path, keep: Path, tell: Tell
) -> Opened:
    """As :func:`t4dm.live.worker.open_session`; raises :class:`NewerFormat`."""
    code = manifest.code_version()
    store, command_log = CheckpointStore(keep), CommandLog(keep)
    history = command_log.load()
    settings = history.newest.settings if history else None
    engine = make_engine(asked, asked.seed if settings is None else settings["seed"], keep)
    session = RunSession(asked.name, asked.kind, engine, f"{code['version']}+{code['commit']}")
    notes: dict[str, Any] = {"refused": store.refused, "warnings": []}
    notes["resumed_step"] = _take_up(session, store, settings, keep, history, tell)
    if settings is None:
        environ = {} if (keep / BRANCH).exists() else os.environ
        notes["warnings"] = first_values(session, asked.params, environ)
        if values := session.tree.non_default():
            begun: dict[str, Any] = {"step": engine.step, "who": "start"}
            session.note_applied(begun | {"commands": [{"type": "replace", "values": values}]})
    keeper = Keeper(store, command_log, args.checkpoint_s)
    keeper.line(session.line(), lambda durable: None)
    kept = KeptFiles(keep, asked, data, paths.run_dir(), limits_in_force())
    return Opened(
        build(session, code),
        lambda ring, server: RunWorker(session, ring, server, keeper, notes, kept, Samples(keep)),
    )


def first_values(
    session: RunSession, asked: Mapping[str, Any], environ: Mapping[str, str]
) -> list[str]:
    """Give a new session its parameters: those asked for win over those of ``environ``.

    Returns a sentence for each variable that is not taken; it is logged as well.
    """
    found, warnings = environment.values(environ, session.tree)
    for sentence in warnings:
        log.warning(sentence)
    now = session.tree.non_default()
    session.change(session.tree.replace({**now, **found, **asked}), now, "created")
    return warnings


def limits_in_force() -> Limits:
    """Those of the environment; the web process refuses to start where they are no numbers."""
    try:
        return limits_from_env(os.environ)
    except ValueError as error:
        log.warning("%s; the defaults hold", error)
        return DEFAULT_LIMITS


def _take_up(
    session: RunSession, store: CheckpointStore, settings: dict[str, Any] | None, keep: Path,
    history: Any, tell: Tell,
) -> int | None:  # fmt: skip
    """The step of the checkpoint that the session goes on from; None for a new one."""
    origin = None
    try:
        origin = branched_from(keep)
        if origin is not None:
            session.take(origin)
            session.applied, session.origin = 0, origin
    except (SealError, NewerFormat, OSError, ValueError, KeyError) as error:
        store.refused.append(f"the checkpoint this session was begun from was not used: {error}")
    resumed = session.resume(store, settings, RunReplay(history, tell) if history else None)
    session.origin = None
    if resumed is None and settings is None and origin is not None:
        session.event("branch", step=session.engine.step, who="start")
        return session.engine.step
    return resumed
