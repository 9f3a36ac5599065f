"""What a training session publishes, for its manifest: series, constants, reasons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from t4dm.ablations import FAULTS, Ablation
from t4dm.hippocampal.params import PROSODY
from t4dm.live.training_kind import KIND
from t4dm.live.training_probe import Probe
from t4dm.live.training_side import SCALARS, Side
from t4dm.training.findings import HIGH, LOW

NO_ROUTER = (
    "This model has no router: it is one network. A session with a brain has one, of its experts."
)


def described(sides: Sequence[Side], probe: Probe, fault: Ablation | None) -> dict[str, Any]:
    """As ``RunEngine.describe``."""
    run, trial = sides[0].run, sides[0].trial
    return {
        "axis": "train_step",
        "series": _all_series(len(sides), probe),
        "commands": list(KIND.commands),
        "constants": {
            "run": run.name,
            "what": run.what,
            "runs": [side.name for side in sides],
            "fault": _fault(fault),
            "trial": {"name": trial.name, "what": trial.what},
            "prompts": list(run.prompts),
            "vocab_size": run.model.vocab_size,
            "ln_vocabulary": math.log(run.model.vocab_size),
            "model": run.model.model_dump(),
            "parameters": _parameters(sides[0]),
            "band": [LOW, HIGH],
            "shown_tokens": probe.tokens,
            "experts": probe.experts,
        },
        "reasons": {} if probe.experts else {"router_load": NO_ROUTER},
    }


def _all_series(runs: int, probe: Probe) -> dict[str, Any]:
    tokens = probe.n_tokens
    scalars = _series(
        [runs, len(SCALARS)], SCALARS, "nat and as named",
        "A step of every run; phase 0 is wake, 1 sleep; held_out is the loss of the model as the step "
        "found it, NaN where it was not scored; seconds are those of the wall clock.",
    ) | {"per_step": True, "sparse": ["held_out"]}  # fmt: skip
    found = {
        "scalars": scalars,
        "place": _series(
            [runs, tokens, probe.places], None, "1", "Activity of the first place cells."
        ),
        "theta_gamma": _series([tokens, 2], ("theta", "gamma"), "rad", "Phase of each position."),
        "attention_gates": _series(
            [runs, probe.layers, probe.heads], None, "1",
            "Gain that prosody gives the queries of a head, mean over the tokens.",
        ),
        "memory_gates": _series(
            [runs, probe.layers], None, "1",
            "Openness of the memory gate, mean over the tokens; NaN while memory is off.",
        ),
        "prosody": _series([tokens, len(PROSODY)], PROSODY, "1", "Of the tokens shown."),
    }  # fmt: skip
    if probe.experts:
        load = _series([runs, probe.experts], None, "1", "Share of the tokens for each expert.")
        found["router_load"] = load
    return found


def _series(shape: list[int], names: Sequence[str] | None, unit: str, help: str) -> dict[str, Any]:
    return {
        "per_step": False, "names": None if names is None else list(names), "shape": shape,
        "dtype": "f4", "unit": unit, "help": help,
    }  # fmt: skip


def _fault(ablation: Ablation | None) -> dict[str, Any] | None:
    fault = next((one for one in FAULTS if one.ablation == ablation), None)
    if fault is None:
        return None
    return {
        "ablation": fault.ablation.value, "number": fault.number, "kind": fault.kind,
        "title": fault.title, "shows": fault.shows,
    }  # fmt: skip


def _parameters(side: Side) -> int:
    return 0 if side.trainer is None else sum(p.numel() for p in side.trainer.model.parameters())
