"""Named sets of parameters that make the default network ill, one a symptom, and ``healthy``.

Each keeps homeostasis from hiding what it does where it would: switched off, thresholds stay where
it left them; with a ``theta_max`` of 0 they are those that are set, whatever the run was before.  That
of sparsity leaves it on: it holds the first stage at its rate, under every seed, while the others are
all but silent.  The cure is the finding's own remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from t4dm.learning.params import HomeostasisParams
from t4dm.params import ParamError, did_you_mean
from t4dm.step_length import STEP_MS, all_at_step

HEALTHY = "healthy"
_TARGET = "homeostasis.target_rate"
_MOST_TARGET = next(spec.hi for spec in HomeostasisParams.specs() if spec.path == _TARGET)


@dataclass(frozen=True)
class Preset:
    """``values`` on the default network bring ``finding`` with ``cause``."""

    name: str
    title: str
    finding: str
    cause: str
    values: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "title": self.title, "finding": self.finding, "cause": self.cause,
            "values": dict(self.values),
        }  # fmt: skip


def _preset(name: str, title: str, finding: str, cause: str, **values: Any) -> Preset:
    paths = {path.replace("__", "."): value for path, value in values.items()}
    return Preset(name, title, finding, cause, paths)


PRESETS: tuple[Preset, ...] = (
    _preset("not_firing", "Not firing", "not_firing", "threshold",
            homeostasis__enabled=False, lif__v_thresh=8.0),
    _preset("sparsity", "Extreme sparsity", "sparsity", "threshold",
            lif__v_thresh=4.0, **{"blocks.0.lif_in.v_thresh": 1.0}),
    _preset("runaway", "Runaway spiking", "runaway", "feedback",
            homeostasis__enabled=False, recurrent__gain=6.0, neuromod__DA=0.9),
    _preset("stdp_gated", "STDP gated off", "stdp_not_engaging", "gated", stdp__da_gate=1.0),
    _preset("neuromodulators_frozen", "Neuromodulators frozen", "neuromodulators_frozen",
            "disabled", neuromod__enabled=False),
    _preset("membranes_diverging", "Membranes diverging", "membranes_diverging", "leak",
            homeostasis__theta_max=0.0, lif__alpha=0.999, lif__u_max=1000.0),
    _preset("saturated_weights", "Saturated weights", "saturated_weights", "rate",
            stdp__learning_rate=100.0, stdp__a_plus=0.1, stdp__a_minus=0.1),
    _preset("gate_shut", "Gate stuck shut", "gate_stuck", "shut", gate__bias=-8.0),
    _preset("gate_open", "Gate stuck open", "gate_stuck", "open", gate__bias=8.0),
    _preset("attention_collapse", "Attention collapse", "attention_collapse", "sharpness",
            attention__sharpness=0.0),
    _preset("winner_takes_all", "Winner takes all", "winner_takes_all", "sharpness",
            attention__sharpness=20.0),
    _preset("silent_stage", "Silent stage", "silent_stage", "threshold",
            **{"blocks.0.lif_out.v_thresh": 10.0}),
    _preset("saturated_stage", "Saturated stage", "saturated_stage", "target",
            homeostasis__target_rate=0.44, homeostasis__learning_rate=0.05),
)  # fmt: skip
BY_NAME: dict[str, Preset] = {preset.name: preset for preset in PRESETS}
NAMES: tuple[str, ...] = (HEALTHY, *BY_NAME)


def base(path: str) -> str:
    """The parameter behind an override: ``lif.v_thresh`` of ``blocks.2.lif_in.v_thresh``."""
    parts = path.split(".")
    if parts[0] != "blocks":
        return path
    return f"{parts[2].removesuffix('_in').removesuffix('_out')}.{parts[3]}"


_TOUCHED = frozenset(base(path) for preset in PRESETS for path in preset.values)


def check(name: str) -> None:
    """Raises :class:`ParamError` where there is no preset ``name``."""
    if name not in NAMES:
        hint = did_you_mean(name, list(NAMES))
        raise ParamError("name", f"no preset '{name[:40]}'{hint}", choices=list(NAMES))


def applied(name: str, values: Mapping[str, Any], dt: float = STEP_MS) -> dict[str, Any]:
    """All values that differ from their defaults once preset ``name`` is in force.

    ``values`` are those before.  What a preset touches is put back first, so that presets do not
    add up; other changes stay.  Shares a step are those of ``dt`` ms.
    """
    check(name)
    kept = {path: value for path, value in values.items() if base(path) not in _TOUCHED}
    if name == HEALTHY:
        return kept
    new = all_at_step(BY_NAME[name].values, dt)
    if _TARGET in new:  # a share a step: in long ones it ends where the parameter does
        new[_TARGET] = min(new[_TARGET], _MOST_TARGET)
    return kept | new
