"""Creating and deleting sessions: everything is checked here, before any worker hears of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import current_app

from dashboard.api import commands, sets
from dashboard.api.errors import ApiError
from t4dm.health import presets
from t4dm.live import external_files, paths
from t4dm.live.registry import DEFAULT_LIMITS, N_SENSORY, Registry, SessionSpec
from t4dm.live.tree import ParamTree
from t4dm.live.window import DT_MS
from t4dm.params import ParamError
from t4dm.stimuli.file import need_file

if TYPE_CHECKING:
    from dashboard.api.rest.session_answers import NewSession

STIMULUS = "stimulus"


def create(asked: NewSession, taken: Iterable[str]) -> SessionSpec:
    """The session that the supervisor will start; raises :class:`ParamError`, :class:`ApiError`."""
    if asked.dt != DT_MS:
        message = f"dt: this engine runs in steps of {DT_MS:g} ms, got {asked.dt:g}"
        raise ParamError("dt", message, lo=DT_MS, hi=DT_MS, unit="ms")
    spec = SessionSpec(asked.name or "", asked.blocks, asked.n, asked.seed)
    spec.check()
    params = _params(asked)
    spec = SessionSpec(spec.name, spec.blocks, spec.n, spec.seed, params)
    if spec.name:
        paths.socket_path(paths.run_dir(), spec.name)
    limits = current_app.config.get("SESSION_LIMITS", DEFAULT_LIMITS)
    return Registry(paths.data_dir()).create(spec, taken, limits)


def _params(asked: NewSession) -> dict[str, Any]:
    """Preset, then parameters, then stimulus, each value checked; what differs from the defaults."""
    values = _preset(asked.preset) if asked.preset else {}
    values |= asked.params | _stimulus(asked.stimulus)
    tree = ParamTree(asked.blocks)
    tree.replace(commands.check_values(values, tree))
    if tree.get("stimulus.kind") == "file":
        need_file(paths.data_dir(), tree.get("stimulus.file_id"))
    return tree.non_default()


def _preset(name: str) -> dict[str, Any]:
    """Values of a preset of the health rules, or else of a kept set."""
    if name in presets.NAMES:
        return presets.applied(name, {})
    return dict(sets.load(name)["values"])


def _stimulus(given: dict[str, Any] | str | None) -> dict[str, Any]:
    if isinstance(given, str):
        return {f"{STIMULUS}.kind": given}
    return {f"{STIMULUS}.{name}": value for name, value in (given or {}).items()}


def described(spec: SessionSpec) -> dict[str, Any]:
    """What is answered of a new session."""
    return {
        "name": spec.name, "blocks": spec.blocks, "n": spec.n, "dt": DT_MS, "seed": spec.seed,
        "params": spec.params, "n_total": 2 * spec.blocks * spec.n + N_SENSORY,
        "bytes": spec.bytes, "state": "starting",
    }  # fmt: skip


def delete(name: str, known: list[str]) -> None:
    """Have the supervisor end a created session; raises :class:`ApiError` 404, 409."""
    if name not in known:
        raise ApiError(404, "no_session", "no such session", field="session", choices=known)
    if external_files.is_external(paths.run_dir(), name):
        message = "this is a script's session: it ends with the script"
        raise ApiError(409, "not_ours", message, field="session")
    if not Registry(paths.data_dir()).delete(name):
        message = f"the session '{name}' was not created here and cannot be deleted"
        raise ApiError(409, "not_created", message, field="session")
