"""Creating and deleting sessions: everything is checked here, before any worker hears of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import current_app

from dashboard.api import sets
from dashboard.api.errors import ApiError
from t4dm.health import presets
from t4dm.live import external_files, kinds, paths
from t4dm.live.marks import mark
from t4dm.live.registry import DEFAULT_LIMITS, N_SENSORY, Limits, Registry, SessionSpec
from t4dm.live.tree import ParamTree
from t4dm.params import ParamError
from t4dm.stimuli.file import need_file

if TYPE_CHECKING:
    from dashboard.api.rest.session_answers import NewSession

STIMULUS = "stimulus"
SPIKING_ONLY = ("blocks", "n", "dt", "preset", "stimulus")


def create(asked: NewSession, taken: Iterable[str], key: str = "") -> SessionSpec:
    """The session that the supervisor will start; raises :class:`ParamError`, :class:`ApiError`.

    With a ``key`` under which it was made already: that session, as long as it is there, also where
    the set or the file that it was made from is not.
    """
    asked_as = mark("sessions", key, asked.model_dump(exclude_unset=True))
    registry = Registry(paths.data_dir())
    if (made := registry.made_by(asked_as)) is not None:
        return made
    spec = _spiking(asked) if asked.kind == kinds.SPIKING else _run(asked)
    if spec.name:
        paths.socket_path(paths.run_dir(), spec.name)
    return registry.create(replace(spec, asked=asked_as), taken, _limits())


def _spiking(asked: NewSession) -> SessionSpec:
    """A network of spikes: its size, then its parameters."""
    for name in ("run", "fault", "options"):
        if name in asked.model_fields_set and getattr(asked, name):
            raise ParamError(name, f"{name}: a session of kind spiking has none")
    spec = SessionSpec(asked.name or "", asked.blocks, asked.n, asked.seed, dt=asked.dt)
    spec.check()
    return replace(spec, params=_params(asked))


def _run(asked: NewSession) -> SessionSpec:
    """A session of another kind: its options, then its parameters."""
    for name in SPIKING_ONLY:
        if name in asked.model_fields_set:
            raise ParamError(name, f"{name}: a session of kind {asked.kind} has none")
    kind = kinds.kind_of(asked.kind)
    given = {n: getattr(asked, n) for n in ("run", "fault") if getattr(asked, n) is not None}
    options = kind.checked(asked.options | given)
    tree = kind.tree(options)
    tree.replace(tree.non_default() | asked.params)
    return SessionSpec(
        asked.name or "",
        seed=asked.seed,
        params=tree.non_default(),
        kind=kind.name,
        options=options,
    )


def _limits() -> Limits:
    return current_app.config.get("SESSION_LIMITS", DEFAULT_LIMITS)


def _params(asked: NewSession) -> dict[str, Any]:
    """Preset, then parameters, then stimulus, each value checked; what differs from the defaults."""
    values = _preset(asked.preset, asked.dt) if asked.preset else {}
    values |= asked.params | _stimulus(asked.stimulus)
    tree = ParamTree(asked.blocks, dt=asked.dt)
    tree.replace(values)
    if tree.get("stimulus.kind") == "file":
        need_file(paths.data_dir(), tree.get("stimulus.file_id"))
    return tree.non_default()


def _preset(name: str, dt: float) -> dict[str, Any]:
    """Values of a preset of the health rules, or else of a kept set."""
    if name in presets.NAMES:
        return presets.applied(name, {}, dt)
    if name not in (kept := sets.names()):
        message = "preset: neither a preset of the health rules nor a kept set"
        choices = [*presets.NAMES, *kept]
        raise ApiError(422, "no_preset", message, field="preset", choices=choices)
    return dict(sets.load(name)["values"])


def _stimulus(given: dict[str, Any] | str | None) -> dict[str, Any]:
    if isinstance(given, str):
        return {f"{STIMULUS}.kind": given}
    return {f"{STIMULUS}.{name}": value for name, value in (given or {}).items()}


def described(spec: SessionSpec) -> dict[str, Any]:
    """What is answered of a new session."""
    if spec.kind != kinds.SPIKING:
        none = dict.fromkeys(("blocks", "n", "dt", "n_total"))
        return none | {
            "name": spec.name, "kind": spec.kind, "page": kinds.kind_of(spec.kind).page,
            "options": spec.options, "seed": spec.seed, "params": spec.params,
            "bytes": spec.bytes, "state": "starting",
        }  # fmt: skip
    return {
        "kind": spec.kind, "page": kinds.SPIKING_PAGE, "options": {},
        "name": spec.name, "blocks": spec.blocks, "n": spec.n, "dt": spec.dt, "seed": spec.seed,
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
