"""The kinds of session beside ``spiking``: which engine each has, which options and parameters.

Light: web process and supervisor read it, so an engine is named and not imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError

from t4dm.live.tree import ParamTree
from t4dm.params import ParamError, Params

SPIKING = "spiking"
SPIKING_PAGE = "/"
Checked = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of run session (``t4dm.live.run_session``).

    engine: ``module:class``, made as ``Engine(options, tree, seed, folder)``; page: where it is shown;
    options: the model of ``options`` in ``POST /sessions``, strict, every field with its bounds and default;
    groups: its parameters; defaults: of parameters by path, for checked options;
    bytes: memory that its worker may come to; long_steps: whether a step may take longer than one who
    asks wants to wait, so that a command is answered with "queued" where none other is asked for;
    commands: those it takes beside the ones of every kind (``run_session.ALWAYS``).
    """

    name: str
    title: str
    engine: str
    page: str
    options: type[BaseModel]
    groups: tuple[type[Params], ...]
    defaults: Callable[[Checked], dict[str, Any]]
    bytes: Callable[[Checked], int]
    long_steps: bool = False
    commands: tuple[str, ...] = ()

    def checked(self, options: Mapping[str, Any]) -> Checked:
        """``options`` whole, with defaults, as plain JSON data; raises :class:`ParamError`."""
        try:
            return self.options.model_validate(dict(options)).model_dump(mode="json")
        except ValidationError as error:
            raise _refusal(self, error) from None

    def tree(self, options: Mapping[str, Any]) -> ParamTree:
        """The parameters of a session with these options, at their defaults."""
        return ParamTree(0, self.groups, self.defaults(self.checked(options)))


def _refusal(kind: Kind, error: ValidationError) -> ParamError:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"])) or "options"
    rows = kind.options.model_json_schema()["properties"]
    row = rows.get(field)
    if row is None:
        known = list(rows)
        message = f"{field}: a session of kind {kind.name} has no such option"
        return ParamError(field, f"{message}; it has {', '.join(known)}", choices=known)
    lo, hi = row.get("minimum"), row.get("maximum")
    return ParamError(field, f"{field}: {first['msg']}", lo=lo, hi=hi, choices=row.get("enum"))


@lru_cache(maxsize=1)
def kinds() -> dict[str, Kind]:
    """Every kind by name."""
    from t4dm.live import arena_kind, brain_kind, training_kind

    return {kind.name: kind for kind in (training_kind.KIND, arena_kind.KIND, brain_kind.KIND)}


def kind_of(name: str) -> Kind:
    """The kind ``name``; raises :class:`ParamError` with the ones there are."""
    if name not in kinds():
        known = [SPIKING, *kinds()]
        message = f"kind: expected one of {', '.join(known)}, got {name[:40]!r}"
        raise ParamError("kind", message, choices=known)
    return kinds()[name]
