"""The parameter tree of one session: groups, overrides per block and stage, one check for all.

Paths: ``lif.v_thresh`` (all stages), ``blocks.2.lif.v_thresh`` (one block), ``blocks.2.lif_in.v_thresh``
(one stage).  The narrower wins until it is cleared.  No torch here: web and worker share this file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from t4dm.health.params import HealthParams
from t4dm.learning.params import HomeostasisParams, STDPParams
from t4dm.params import ParamError, Params, ParamSpec, did_you_mean
from t4dm.spiking.params import (
    STAGES,
    ApicalParams,
    AttentionParams,
    GateParams,
    LIFParams,
    NeuromodParams,
    RecurrentParams,
    RWKVParams,
)
from t4dm.spiking.sensory_params import SensoryParams
from t4dm.step_length import STEP_MS, at_step
from t4dm.stimuli.params import InputParams, StimulusParams

SPIKING_GROUPS: tuple[type[Params], ...] = (
    LIFParams,
    STDPParams,
    NeuromodParams,
    InputParams,
    StimulusParams,
    HomeostasisParams,
    GateParams,
    RecurrentParams,
    AttentionParams,
    ApicalParams,
    RWKVParams,
    SensoryParams,
    HealthParams,
)


class ParamTree:
    """Values of every parameter of a session.  ``set`` checks first and changes nothing on error."""

    def __init__(
        self,
        n_blocks: int,
        groups: tuple[type[Params], ...] = SPIKING_GROUPS,
        defaults: Mapping[str, Any] | None = None,
        dt: float = STEP_MS,
    ) -> None:
        """``defaults`` by path win over those that the groups declare; ``dt`` ms last a step."""
        self.n_blocks, self.dt = n_blocks, dt
        self.groups = {group.group: group for group in groups}
        self._specs = {spec.path: spec for group in groups for spec in group.specs()}
        if dt != STEP_MS:
            self._specs = {
                path: replace(spec, default=at_step(path, spec.default, dt))
                for path, spec in self._specs.items()
            }
        for path, value in (defaults or {}).items():
            self._specs[path] = replace(self._specs[path], default=value)
        self._values: dict[str, Any] = {path: spec.default for path, spec in self._specs.items()}
        self._overrides: dict[str, Any] = {}

    # -- names ---------------------------------------------------------------------------------

    def specs(self) -> list[ParamSpec]:
        return list(self._specs.values())

    def spec(self, path: str) -> ParamSpec:
        """The spec behind ``path`` (of the base parameter for an override); raises ParamError."""
        return self._specs[self._base(path)]

    def _base(self, path: str) -> str:
        if not isinstance(path, str) or len(path) > 128:
            raise ParamError("path", "a parameter path is text of at most 128 characters")
        if path in self._specs:
            return path
        parts = path.split(".")
        if len(parts) == 4 and parts[0] == "blocks":
            return self._override_base(path, parts)
        raise ParamError(path, f"unknown parameter '{path}'{did_you_mean(path, list(self._specs))}")

    def _override_base(self, path: str, parts: list[str]) -> str:
        _, block, owner, name = parts
        if block not in map(str, range(self.n_blocks)):
            raise ParamError(
                path, f"{path}: block must be 0 to {self.n_blocks - 1}", lo=0, hi=self.n_blocks - 1
            )
        group = "lif" if owner in STAGES else owner
        base = f"{group}.{name}"
        scoped = [g for g, cls in self.groups.items() if cls.scope in ("stage", "block")]
        if group not in scoped or base not in self._specs:
            valid = [
                f"blocks.{block}.{o}.{s.name}"
                for g in scoped
                for o in ((g, *STAGES) if g == "lif" else (g,))
                for s in self.groups[g].specs()
            ]
            raise ParamError(path, f"unknown override '{path}'{did_you_mean(path, valid)}")
        return base

    # -- values --------------------------------------------------------------------------------

    def check(self, path: str, value: Any) -> Any:
        """``value`` as it would be stored; raises :class:`ParamError` naming field and range."""
        base = self._base(path)
        group, name = base.split(".", 1)
        if isinstance(value, int) and not isinstance(value, bool):
            if abs(value) > 10**15:
                value = float("inf")
            elif self._specs[base].kind == "float":
                value = float(value)
        if isinstance(value, float) and self._specs[base].kind == "int" and value.is_integer():
            value = int(value)
        return self.groups[group].check(name, value, path)

    def get(self, path: str) -> Any:
        """The value in force at ``path``: for an override path, what the stage really uses."""
        if isinstance(path, str) and path in self._values:
            return self._values[path]
        base = self._base(path)
        _, block, _owner, name = path.split(".")
        group = base.split(".", 1)[0]
        for candidate in (path, f"blocks.{block}.{group}.{name}"):
            if candidate in self._overrides:
                return self._overrides[candidate]
        return self._values[base]

    def stage(self, group: str, name: str, block: int, owner: str | None = None) -> Any:
        """The value of ``group.name`` in force in ``block`` (and stage ``owner`` for LIF)."""
        return self.get(f"blocks.{block}.{owner or group}.{name}")

    def set(self, path: str, value: Any) -> tuple[Any, Any]:
        """Store ``value``; returns (old value in force, new)."""
        checked = self.check(path, value)
        old = self.get(path)
        if path in self._specs:
            self._values[path] = checked
        else:
            self._overrides[path] = checked
        return old, checked

    def clear(self, path: str) -> tuple[Any, Any]:
        """Drop an override, or put a parameter back to its default; returns (old, new)."""
        base = self._base(path)
        old = self.get(path)
        if path == base:
            self._values[base] = self._specs[base].default
        else:
            self._overrides.pop(path, None)
        return old, self.get(path)

    def is_override(self, path: str) -> bool:
        return path in self._overrides

    # -- whole ---------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """``{"values": {path: value}, "overrides": {path: value}}``, complete."""
        return {"values": dict(self._values), "overrides": dict(self._overrides)}

    def non_default(self) -> dict[str, Any]:
        """Every value that differs from its default, and every override."""
        changed = {p: v for p, v in self._values.items() if v != self._specs[p].default}
        return changed | self._overrides

    def replace(self, values: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
        """Make ``values`` (as from :meth:`non_default`) the whole truth; checks all, then applies.

        Returns ``{path: (old, new)}`` of what changed, and of every override that came or went, its
        value in force changed or not.
        """
        checked = {path: self.check(path, value) for path, value in values.items()}
        had = self._overrides
        before = {path: self.get(path) for path in {*self._specs, *had, *checked}}
        self._values = {p: checked.get(p, s.default) for p, s in self._specs.items()}
        self._overrides = {p: v for p, v in checked.items() if p not in self._specs}
        after = {path: self.get(path) for path in before}
        moved = had.keys() ^ self._overrides.keys()
        return {p: (before[p], after[p]) for p in before if before[p] != after[p] or p in moved}

    def digest(self) -> str:
        """Eight hex digits that name this set of values."""
        text = json.dumps(self.non_default(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]
