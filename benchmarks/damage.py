"""Randomly damaged configurations.

A configuration is drawn from a seed: a size, a stimulus and one damage (a symptom's mechanism with
random strength), or a change that a healthy network bears.  What it should be called is measured on
the run (``truth.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from t4dm.live.engine import StackConfig

SIX = (
    "not_firing", "sparsity", "runaway", "stdp_not_engaging", "neuromodulators_frozen",
    "membranes_diverging",
)  # fmt: skip
SIZES = ((1, 128), (2, 128), (3, 128), (2, 256), (4, 256), (6, 256))
STIMULI = ("digits", "digits", "text", "noise", "sine")
ONSETS = ("digits", "text")
FROZEN = {"homeostasis.enabled": False}


@dataclass(frozen=True)
class Case:
    """``damage`` names the mechanism; ``aimed`` the symptom it aims at, empty for a harmless one."""

    number: int
    size: tuple[int, int]
    stimulus: str
    damage: str
    aimed: str
    values: dict[str, Any]

    @property
    def config(self) -> StackConfig:
        n_blocks, n_neurons = self.size
        return StackConfig(n_blocks=n_blocks, n_neurons=n_neurons, n_sensory=64)


def draw(number: int) -> Case:
    """Configuration ``number``; the damages take turns, their strengths are random."""
    rng = np.random.default_rng([7, number])
    size = SIZES[rng.integers(len(SIZES))]
    name = list(DAMAGES)[number % len(DAMAGES)]
    aimed, make = DAMAGES[name]
    kinds = ONSETS if aimed == "neuromodulators_frozen" else STIMULI
    values = make(rng, size[0])
    return Case(number, size, str(rng.choice(kinds)), name, aimed, values)


def _log(rng: np.random.Generator, lo: float, hi: float) -> float:
    return round(float(np.exp(rng.uniform(np.log(lo), np.log(hi)))), 4)


def _even(rng: np.random.Generator, lo: float, hi: float) -> float:
    return round(float(rng.uniform(lo, hi)), 4)


def _block_silent(rng: np.random.Generator, n_blocks: int) -> dict[str, Any]:
    block, height = int(rng.integers(n_blocks)), _even(rng, 8, 10)
    return FROZEN | {f"blocks.{block}.lif.v_thresh": height}


def _held(rng: np.random.Generator, n_blocks: int) -> dict[str, Any]:
    return {f"neuromod.{nt}": _even(rng, 0.35, 0.65) for nt in ("DA", "ACh", "NE")}


def _unconnected(rng: np.random.Generator, n_blocks: int) -> dict[str, Any]:
    onsets, rewards = ("onset_ACh", "onset_NE"), ("reward_gain",)
    cut = ((*onsets, *rewards), onsets, rewards)[int(rng.integers(3))]
    return {f"neuromod.{path}": 0.0 for path in cut}


def _narrow(rng: np.random.Generator, n_blocks: int) -> dict[str, Any]:
    if rng.random() < 0.5:
        window = int(rng.integers(1, 3))
        return {"stdp.window_pre_to_post": window, "stdp.window_post_to_pre": window}
    tau = _even(rng, 1.0, 1.8)
    return {"stdp.tau_plus": tau, "stdp.tau_minus": tau}


def _harmless(rng: np.random.Generator, n_blocks: int) -> dict[str, Any]:
    choices = [
        {"lif.v_thresh": _even(rng, 0.8, 1.2)},
        {"stdp.learning_rate": _log(rng, 0.3, 3)},
        {"neuromod.NE_baseline": _even(rng, 0.4, 0.6), "neuromod.ACh_tau": _log(rng, 80, 300)},
        {"attention.sharpness": _even(rng, 0.5, 2), "apical.gain": _even(rng, 0.7, 1.4)},
        {"stdp.window_pre_to_post": int(rng.integers(20, 200))},
        {"homeostasis.target_rate": _even(rng, 0.05, 0.11)},
        {"lif.beta": _even(rng, 0.8, 1.2), "recurrent.gain": _even(rng, 0.5, 1.3)},
        {"gate.bias": _even(rng, -0.5, 0.5)},
    ]
    return choices[int(rng.integers(len(choices)))]


DAMAGES: dict[str, tuple[str, Any]] = {
    "high threshold": ("not_firing", lambda r, n: FROZEN | {"lif.v_thresh": _even(r, 4, 10)}),
    "input cut": ("not_firing", lambda r, n: FROZEN | {"input.gain": _log(r, 0.01, 0.2)}),
    "gate shut": ("not_firing", lambda r, n: {"gate.bias": _even(r, -10, -6)}),
    "one block silent": ("not_firing", _block_silent),
    "raised threshold": ("sparsity", lambda r, n: FROZEN | {"lif.v_thresh": _even(r, 1.6, 2.2)}),
    "weak input": ("sparsity", lambda r, n: FROZEN | {"input.gain": _even(r, 0.4, 0.55)}),
    "strong leak": ("sparsity", lambda r, n: FROZEN | {"lif.alpha": _even(r, 0.6, 0.75)}),
    "strong recurrence": (
        "runaway",
        lambda r, n: FROZEN | {"recurrent.gain": _even(r, 5, 9), "neuromod.DA": _even(r, 0.75, 1)},
    ),
    "no reset": ("runaway", lambda r, n: FROZEN | {"lif.beta": _even(r, 0.0, 0.1)}),
    "low threshold": ("runaway", lambda r, n: FROZEN | {"lif.v_thresh": _even(r, 0.05, 0.2)}),
    "strong input": ("runaway", lambda r, n: FROZEN | {"input.gain": _even(r, 12, 20)}),
    "learning off": ("stdp_not_engaging", lambda r, n: {"stdp.enabled": False}),
    "no rate": (
        "stdp_not_engaging", lambda r, n: {"stdp.learning_rate": float(r.choice([0, 1e-4, 1e-3]))},
    ),
    "gated": ("stdp_not_engaging", lambda r, n: {"stdp.da_gate": 1.0}),
    "narrow windows": ("stdp_not_engaging", _narrow),
    "bus off": ("neuromodulators_frozen", lambda r, n: {"neuromod.enabled": False}),
    "levels held": ("neuromodulators_frozen", _held),
    "not connected": ("neuromodulators_frozen", _unconnected),
    "no leak, no clamp": (
        "membranes_diverging",
        lambda r, n: FROZEN | {"lif.alpha": _even(r, 0.995, 0.999), "lif.u_max": _log(r, 300, 1000)},
    ),
    "flood, no clamp": (
        "membranes_diverging",
        lambda r, n: FROZEN | {"input.gain": _even(r, 17, 20), "lif.u_max": _log(r, 500, 1000)},
    ),
    "harmless 1": ("", _harmless),
    "harmless 2": ("", _harmless),
    "harmless 3": ("", _harmless),
    "untouched": ("", lambda r, n: {}),
    "harmless 4": ("", _harmless),
}  # fmt: skip
