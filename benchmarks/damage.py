"""Randomly damaged configurations, and measures of what is really wrong with a run.

A configuration is drawn from a seed: a size, a stimulus and one damage (a symptom's mechanism with
random strength), or a change that a healthy network bears.  What it should be called is measured on
the run, by other means than the doctor's: from the spikes of its last second, the engine's own
membranes and levels at every step, and whole weight matrices.  Runaway is more than half of a
stage's neurons a step in either half of that second.  One label rests on the damage alone,
since no measure of one run shows it: windows so narrow that pairs of spikes at even distances would
count for less than a tenth of what they count by default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from t4dm.live.engine import StackConfig
from t4dm.live.segment import Segment
from t4dm.live.session import Session

SIX = (
    "not_firing", "sparsity", "runaway", "stdp_not_engaging", "neuromodulators_frozen",
    "membranes_diverging",
)  # fmt: skip
SIZES = ((1, 128), (2, 128), (3, 128), (2, 256), (4, 256), (6, 256))
STIMULI = ("digits", "digits", "text", "noise", "sine")
ONSETS = ("digits", "text")
FROZEN = {"homeostasis.enabled": False}
SILENT, SPARSE, WILD, FAR = 0.001, 0.01, 0.5, 100.0
STILL_WEIGHTS, STILL_LEVELS = 0.001, 0.002


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
    "not connected": (
        "neuromodulators_frozen",
        lambda r, n: {f"neuromod.{p}": 0.0 for p in ("onset_ACh", "onset_NE", "reward_gain")},
    ),
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


class Witness:
    """Measures a run's last second by itself: call :meth:`see` with every segment of it.

    Membranes are seen at the end of a segment: one step each, or it misses what lies between.
    """

    def __init__(self, session: Session, case: Case) -> None:
        self.session, self.case = session, case
        self.spikes: list[np.ndarray] = []
        self.steps: list[int] = []
        self.onsets = 0
        self.far = 0.0
        self.levels: list[np.ndarray] = []
        self.before = self._weights()

    def _weights(self) -> np.ndarray:
        engine = self.session.engine
        return np.stack([engine.recurrent(b) for b in range(self.case.size[0])])

    def see(self, segment: Segment) -> None:
        edges = [g.first for g in self.session.layout.groups] + [self.session.layout.n_total]
        self.spikes.append(np.histogram(segment.spk_id, bins=edges)[0])
        self.steps.append(segment.step1 - segment.step0)
        self.onsets += sum(e["type"] == "stimulus" for e in segment.meta["events"])
        self.far = max(self.far, float(np.abs(self.session.engine.arrays.u).max()))
        self.levels.append(segment.levels[:, :3])

    def _rate(self, part: slice) -> np.ndarray:
        """(G,) share of each stage's neurons that fire in a step, in some of the segments."""
        sizes = np.array(self.session.layout.sizes)
        return (sum(self.spikes[part]) / (sizes * sum(self.steps[part])))[:-1]

    def truth(self) -> dict[str, bool]:
        """Whether each of the six symptoms is really there."""
        rate = self._rate(slice(None))
        half = len(self.steps) // 2
        peak = max(self._rate(slice(half)).max(), self._rate(slice(half, None)).max())
        pairs = rate.reshape(-1, 2)
        network, block = float(rate.mean()), pairs.max(axis=1)
        cut = [
            b for b in range(1, len(pairs)) if block[b] < SILENT and (pairs[b - 1] >= 0.02).all()
        ]
        silent = network < SILENT or bool(cut)
        moved = np.abs(self._weights() - self.before)[:, : self.session.engine.n_exc].mean((1, 2))
        still = bool((moved < STILL_WEIGHTS).all()) and bool((pairs[:, 0] >= 0.005).any())
        swing = np.ptp(np.concatenate(self.levels), axis=0)
        wild = bool(peak > WILD)
        narrow = self.case.damage == "narrow windows"
        return {
            "not_firing": silent,
            "sparsity": network < SPARSE and not silent,
            "runaway": wild,
            "stdp_not_engaging": (still or narrow) and not wild and not silent,
            "neuromodulators_frozen": self.onsets >= 2 and bool((swing < STILL_LEVELS).all()),
            "membranes_diverging": self.far > FAR,
        }
