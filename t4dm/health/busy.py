"""Why a stage fires too much: the causes that runaway and a saturated stage share.

The drive is estimated as in :mod:`t4dm.health.quiet`; its recurrent part from the rate and the mean
weight: ``I_rec = (0.5 + NE) * recurrent.gain * rate * mean(W)`` (``kappa_rec = 1/N``), the rate a step.
"""

from __future__ import annotations

from collections.abc import Sequence

from t4dm.health.evidence import Evidence, Place
from t4dm.health.finding import Remedy
from t4dm.health.quiet import INPUTS, Look
from t4dm.health.quiet import look_at as quiet_look
from t4dm.health.remedies import back, lif_paths, put

CAUSES = {
    "reset": "The reset is too weak: beta takes so little off that a neuron fires step after step.",
    "threshold": "The threshold is so low that ordinary membranes stand above it.",
    "feedback": "Positive feedback: the recurrent current is a large part of the drive.",
    "modulator": "Neuromodulators are held so high that gate and input are wide open.",
    "leak": "The leak is too weak: alpha keeps so much that any input adds up to a spike.",
    "gate": "The thalamic gate is stuck open and passes twice the input.",
    "input": "The input is too large.",
    "target": "Homeostasis drives the rate up: its target is above the band.",
}
EXPECT = "Every stage fires at 20 to 150 Hz again within 3 s."
LOW_THRESHOLD = 0.55
HIGH_TARGET = 0.2  # spikes a ms, above every band
STEERED = 1.2  # times the target: up to which a rate is what homeostasis steers to
WEAK_RESET = 0.4
STRONG_FEEDBACK = 0.3  # share of the drive
HIGH_LEVEL = 0.85
GROWN = 1.5  # recurrent.gain or w_max, 1 by default
LARGE_DRIVE = 3.0  # of block 0, in units of what is needed
OPEN_GATE = 0.9
LEAST_DRIVE = 0.1  # in units of what is needed


def feedback(ev: Evidence, look: Look, ms: float) -> float:
    """Recurrent part of the drive of a LIF in, in units of what is needed; 0 where weights are unknown."""
    block = look.place.block
    if block is None or block >= len(ev.weights.mean) or look.place.stage != "lif_in":
        return 0.0
    opened = 0.5 + _level(ev, 2, ms)
    gain = ev.get("recurrent.gain")
    return float(opened * gain * look.rate * ev.dt * ev.weights.mean[block]) / look.needed


def why(ev: Evidence, look: Look, ms: float) -> str:
    """Code of the likely cause, by the evidence of the first block that fires too much."""
    place, gets = look.place, ev.get
    assert place.block is not None
    if ev.lif("beta", place) < WEAK_RESET:
        return "reset"
    target = gets("homeostasis.target_rate") / ev.dt
    steered = gets("homeostasis.enabled") and look.rate < STEERED * target
    if target > HIGH_TARGET and (steered or look.theta < LOW_THRESHOLD):
        return "target"
    if look.theta < LOW_THRESHOLD:
        return "threshold"
    strong = feedback(ev, look, ms) > STRONG_FEEDBACK * max(look.drive, LEAST_DRIVE)
    if strong and max(gets("recurrent.gain"), gets("stdp.w_max")) > GROWN:
        return "feedback"
    if 1 - look.alpha < look.needed / 3:
        return "leak"
    if "neuromod" in ev.has and max(_level(ev, 1, ms), _level(ev, 2, ms)) > HIGH_LEVEL:
        return "modulator"
    if float(ev.mean("gate", ms)[place.block]) > OPEN_GATE:
        return "gate"
    first = quiet_look(ev, ev.stack[0], ms)
    return "input" if first.drive > LARGE_DRIVE or not strong else "feedback"


def _level(ev: Evidence, nt: int, ms: float) -> float:
    """Mean of the span of a level; neutral where there are none."""
    if "neuromod" not in ev.has:
        return 0.5
    high, low = ev.mean("level_high", ms)[nt], ev.mean("level_low", ms)[nt]
    return float(high + low) / 2


def remedies(ev: Evidence, cause: str, look: Look, places: Sequence[Place]) -> tuple[Remedy, ...]:
    """What mends ``cause``, best first; ``places`` are the stages that fire too much."""
    block = look.place.block
    frozen = ["homeostasis.enabled", "homeostasis.learning_rate", "homeostasis.theta_max"]
    paths = {
        "reset": lif_paths(("beta",), places),
        "threshold": lif_paths(("v_thresh", "beta"), places),
        "feedback": ["recurrent.gain", "stdp.w_max", "stdp.learning_rate", "neuromod.DA"],
        "modulator": ["neuromod.NE", "neuromod.ACh", "neuromod.NE_baseline",
                      "neuromod.ACh_baseline"],
        "leak": lif_paths(("alpha",), places),
        "gate": [f"blocks.{block}.gate.bias", f"blocks.{block}.gate.slope", "gate.bias",
                 "gate.slope"],
        "input": list(INPUTS),
        "target": ["homeostasis.target_rate"],
    }[cause]  # fmt: skip
    found = back(ev, cause, [*paths, *frozen], EXPECT, "what drives it")
    if cause == "reset":
        expect = "A spike takes its threshold off the membrane again."
        found.append(put("beta", "lif.beta", 1.0, "Set lif.beta to 1", expect))
    if cause == "input" and look.drive > 1.0:
        value = round(max(0.05, ev.get("input.gain") / look.drive), 3)
        expect = "Its drive comes to that of a healthy block 0."
        found.append(put("lower", "input.gain", value, f"Lower input.gain to {value:g}", expect))
    return tuple(found)
