"""Why a stage is quiet: the causes that not firing, sparsity and a silent stage share.

The drive of a stage follows from its membranes.  In a steady state the mean of
``u_pre = alpha * u + I`` with ``u = u_pre - beta * theta * s`` gives
``I = (1 - alpha) * mean(u_pre) + alpha * beta * theta * rate``, the rate a step (docs/equations.md, section 3).
Threshold and leak ask for ``theta * (1 - alpha)``; 0.1 at their defaults and a step of 1 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from t4dm.health.evidence import Evidence, Place
from t4dm.health.finding import Remedy
from t4dm.health.remedies import RESET, back, changed, lif_paths, put
from t4dm.spiking.params import LIFParams

CAUSES = {
    "threshold": "The threshold is too high for membranes that would fire at the default of 1.",
    "input": "The input is too small: membranes stay far below the default threshold too.",
    "leak": "The leak is too strong: alpha keeps too little of what comes in.",
    "gate": "The thalamic gate is shut, so that nothing reaches the block.",
    "state": "The state was not put back: the threshold that homeostasis left, or membranes far"
    " below 0, hold the stage down.",
    "target": "Homeostasis holds the rate down: its target is too low.",
    "modulator": "Noradrenaline is held so low that it halves the input.",
}
EXPECT = "Every stage fires at 20 to 150 Hz again within 3 s."
INPUTS = (
    "input.gain", "stimulus.rate_hz", "stimulus.amplitude", "stimulus.noise_std", "sensory.feed",
    "stimulus.kind", "stimulus.image_ms", "stimulus.rest_ms", "stimulus.pulse_ms",
    "stimulus.period_ms",
)  # fmt: skip
NEEDED = 0.1  # theta * (1 - alpha) at the defaults and 1 ms
ALPHA = LIFParams().alpha
LOW_DRIVE = 0.75  # of that
HELD_UP = 0.3  # theta above v_thresh, left by a homeostasis that is off
OUT_THRESH = 1.2  # v_thresh of a LIF out up to which it is not raised


def needed(dt: float) -> float:
    """What a step of ``dt`` ms needs at the defaults for one spike in the long run."""
    return NEEDED * (1 - ALPHA**dt) / (1 - ALPHA)


class Look(NamedTuple):
    """One stage over a window."""

    place: Place
    rate: float
    high: float  # largest u_pre
    mean: float
    theta: float  # effective
    v_thresh: float  # as set
    alpha: float
    drive: float  # mean current, in units of what is needed
    needed: float  # theta * (1 - alpha) at the defaults, in a step of the session

    def numbers(self) -> dict[str, Any]:
        return {
            "rate": round(self.rate, 5), "max_u": round(self.high, 3),
            "mean_u": round(self.mean, 3), "theta": round(self.theta, 3),
            "v_thresh": round(self.v_thresh, 3), "drive": round(self.drive, 3),
        }  # fmt: skip


def look_at(ev: Evidence, place: Place, ms: float) -> Look:
    """The figures of ``place`` over the last ``ms``."""
    g = place.index
    rate = float(ev.rate(ms)[g])
    high = float(ev.high("u_high", ms)[g])
    mean = float(ev.lit_mean("u_mean", ms)[g])
    theta = float(ev.mean("theta", ms)[g])
    alpha, beta = ev.lif("alpha", place), ev.lif("beta", place)
    drive, unit = (1 - alpha) * mean + alpha * beta * theta * rate * ev.dt, needed(ev.dt)
    v_thresh = ev.lif("v_thresh", place)
    return Look(place, rate, high, mean, theta, v_thresh, alpha, drive / unit, unit)


def root(ev: Evidence, rate: np.ndarray) -> Place:
    """The first stage, in the order of a step, that fires below its band's floor.

    What is quiet after it may be so because of it.  The quietest stage where none is below.
    """
    for place in ev.stack:
        if place.band and rate[place.index] < place.band[0]:
            return place
    return min(ev.stack, key=lambda place: float(rate[place.index]))


def why(ev: Evidence, look: Look, ms: float) -> str:
    """Code of the likely cause, by the evidence of the block's first quiet stage."""
    place = look.place
    moves = ev.get("homeostasis.enabled") and ev.get("homeostasis.learning_rate") > 0
    left = look.theta - look.v_thresh > HELD_UP and not moves
    if (left and _fires_without_it(look)) or look.mean < -0.9 * ev.lif("u_max", place):
        return "state"
    target = ev.get("homeostasis.target_rate") / ev.dt
    if target < ev.p("sparse") * 2 and look.theta > look.v_thresh + 0.05:
        return "target"
    if place.stage == "lif_in":
        assert place.block is not None
        if float(ev.mean("gate", ms)[place.block]) < ev.p("gate_shut") * 5:
            return "gate"
        if look.drive < LOW_DRIVE:
            return "modulator" if _halved(ev) else "input"
    elif _starved(ev, look, ms):
        return "modulator" if _halved(ev) else "input"
    if 1 - look.alpha >= 2 * look.needed and look.v_thresh <= 1.2:
        return "leak"
    if place.stage == "lif_in" and look.drive < 1.0 and look.v_thresh <= 1.0:
        return "modulator" if _halved(ev) else "input"
    if look.high >= 1.0 or look.v_thresh > 1.0:
        return "threshold"
    return "modulator" if _halved(ev) else "input"


def _fires_without_it(look: Look) -> bool:
    """Whether the stage would fire if homeostasis had left nothing on its threshold as it is set."""
    if look.place.stage != "lif_in":  # driven by spikes, of which the mean current says little
        return look.v_thresh <= OUT_THRESH
    return look.drive >= look.v_thresh * (1 - look.alpha) / look.needed


def _starved(ev: Evidence, look: Look, ms: float) -> bool:
    """Whether the LIF in that a quiet LIF out hears, itself just above its floor, lacks drive."""
    feeding = next(p for p in ev.stack if (p.block, p.stage) == (look.place.block, "lif_in"))
    return look.v_thresh <= OUT_THRESH and look_at(ev, feeding, ms).drive < LOW_DRIVE


def _halved(ev: Evidence) -> bool:
    held = ev.get("neuromod.NE") if "neuromod" in ev.has else None
    return held is not None and held < 0.2


def remedies(ev: Evidence, cause: str, look: Look, places: Sequence[Place]) -> tuple[Remedy, ...]:
    """What mends ``cause``, best first; ``places`` are the stages that are quiet."""
    found: list[Remedy] = []
    frozen = ["homeostasis.enabled", "homeostasis.learning_rate", "homeostasis.theta_max"]
    if cause == "threshold":
        paths = [*lif_paths(("v_thresh", "beta"), places), *frozen]
        found += back(ev, "threshold", paths, EXPECT, "the threshold")
    elif cause == "leak":
        found += back(ev, "leak", [*lif_paths(("alpha",), places), *frozen], EXPECT, "the leak")
    elif cause == "gate":
        names = [f"blocks.{place.block}.gate.{n}" for place in places for n in ("bias", "slope")]
        paths = [*dict.fromkeys(names), "gate.bias", "gate.slope", "neuromod.ACh", *frozen]
        found += back(ev, "gate", paths, EXPECT, "the gate")
    elif cause == "target":
        paths = ["homeostasis.target_rate", *frozen]
        found += back(ev, "target", paths, EXPECT, "the target rate")
    elif cause == "modulator":
        found += back(ev, "modulator", ["neuromod.NE", *frozen], EXPECT, "noradrenaline")
    elif cause == "state":
        commands = changed(ev, frozen)
        found.append(
            Remedy("reset", "Reset the state", (*commands, RESET), "The run begins anew. " + EXPECT)
        )
    else:
        found += back(ev, "input", [*INPUTS, *frozen], EXPECT, "the input")
    return (*found, *_moved(ev, cause, look))


def _moved(ev: Evidence, cause: str, look: Look) -> list[Remedy]:
    """One value moved as far as the evidence says; beside, or instead of, putting values back."""
    if cause == "threshold" and look.high > 0.05:
        value = round(max(0.05, 0.5 * look.high), 3)
        path = f"blocks.{look.place.block}.{look.place.stage}.v_thresh"
        label = f"Lower the threshold of {look.place.name} to {value:g}"
        return [put("lower", path, value, label, "It fires where its membranes cross the line.")]
    if cause == "input" and look.drive > 0.01:
        gain = ev.get("input.gain")
        value = round(min(20.0, max(gain, 0.05) * 1.2 / look.drive), 3)
        if value > gain:
            expect = "Its drive comes to that of a healthy block 0."
            return [put("raise", "input.gain", value, f"Raise input.gain to {value:g}", expect)]
    return []
