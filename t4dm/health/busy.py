"""Why a stage fires too much: the causes that runaway and a saturated stage share.

A parameter off its default, on the side that makes a stage fire more, comes before any other cause;
where there are several, the one that lifts most.  Only where none does, the evidence alone decides.
The first remedy puts all of them back: one that is left would keep the stage up.

The drive is estimated as in :mod:`t4dm.health.quiet`; its recurrent part from the rate and the mean
weight: ``I_rec = (0.5 + NE) * recurrent.gain * rate * mean(W)`` (``kappa_rec = 1/N``), the rate a step.
The first misses what a clamp takes off a membrane.  The drive is then at least that, and at least its
recurrent part: what a block passes on is never negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from t4dm.health.drivers import Driver, drivers
from t4dm.health.evidence import Evidence, Place
from t4dm.health.finding import Remedy
from t4dm.health.quiet import TOLD, Look, look_at
from t4dm.health.remedies import RESET, back, put

CAUSES = {
    "reset": "The reset is too weak: beta takes so little off that a neuron fires step after step.",
    "threshold": "The threshold is so low that ordinary membranes stand above it.",
    "feedback": "Positive feedback: the recurrent current is a large part of the drive.",
    "modulator": "Neuromodulators are held so high that gate and input are wide open.",
    "leak": "The leak is too weak: alpha keeps so much that any input adds up to a spike.",
    "gate": "The thalamic gate is stuck open and passes twice the input.",
    "input": "The input is too large.",
    "target": "Homeostasis drives the rate up: its target is above the band.",
    "unheld": "Homeostasis does not hold it: no threshold rises against what weights have learned.",
}
WHAT = {
    "reset": "the reset", "threshold": "the threshold", "feedback": "recurrence and learning",
    "modulator": "the neuromodulators", "leak": "the leak", "gate": "the gate",
    "input": "the input", "target": "the target rate", "unheld": "homeostasis",
}  # fmt: skip
RULES = ("runaway", "saturated_stage")
HOMEOSTASIS = ("homeostasis.enabled", "homeostasis.learning_rate", "homeostasis.theta_max")
EXPECT = "Every stage fires at 20 to 150 Hz again within 3 s."
LIFTS = 1.1  # times: with less, what stands off its default explains nothing
STEERED = 1.2  # times the target: up to which a rate is what homeostasis steers to
LOWERED = 0.05  # of a threshold, by homeostasis
GROWN = (
    1.5  # recurrent.gain times w_max, 1 by default: weights follow, whether they have yet or not
)
MOST_SHARE = 0.95  # of a drive that is recurrent
STRONG_FEEDBACK = 0.3  # the same
LOW_THRESHOLD = 0.55
HIGH_LEVEL = 0.85
OPEN_GATE = 0.9
LARGE_DRIVE = 3.0  # of block 0, in units of what is needed
HEALTHY_DRIVE = 1.2  # the same, at the defaults
LEAST_DRIVE = 0.1  # in units of what is needed


class Drive(NamedTuple):
    """The drive of a stage in units of what is needed, and what of it is recurrent."""

    whole: float
    recurrent: float
    bound: bool  # whether ``whole`` is a lower bound only

    @property
    def share(self) -> float:
        return self.recurrent / max(self.whole, LEAST_DRIVE)

    def text(self) -> str:
        least, part = "at least " if self.bound else "", max(0.0, self.recurrent)
        return f"drive {least}{self.whole:.1f} of what fires by itself, {part:.1f} of it recurrent"


def drive(ev: Evidence, look: Look, ms: float) -> Drive:
    """That of the stage of ``look`` over the last ``ms``."""
    recurrent = _recurrent(ev, look, ms)
    clamped = float(ev.mean("clamped", ms)[look.place.index]) > 0
    return Drive(max(look.drive, recurrent), recurrent, clamped or recurrent > look.drive)


def _recurrent(ev: Evidence, look: Look, ms: float) -> float:
    """That of a LIF in; 0 where weights are unknown."""
    block = look.place.block
    if block is None or block >= len(ev.weights.mean) or look.place.stage != "lif_in":
        return 0.0
    opened = 0.5 + _level(ev, 2, ms)
    gain = ev.get("recurrent.gain")
    return float(opened * gain * look.rate * ev.dt * ev.weights.mean[block]) / look.needed


def _level(ev: Evidence, nt: int, ms: float) -> float:
    """Mean of the span of a level; neutral where there are none."""
    if "neuromod" not in ev.has:
        return 0.5
    high, low = ev.mean("level_high", ms)[nt], ev.mean("level_low", ms)[nt]
    return float(high + low) / 2


def why(ev: Evidence, look: Look, places: Sequence[Place], ms: float) -> str:
    """Code of the likely cause; ``look`` is at the worst of ``places``, which fire too much."""
    driving = drivers(ev, places)
    stand = {ev.standing[rule].get("cause") for rule in RULES if rule in ev.standing}
    lifts = {
        cause: _lift(ev, cause, driving[cause], look, places, ms) * (TOLD if cause in stand else 1)
        for cause in driving
    }
    most = max(lifts, key=lambda cause: lifts[cause], default="")
    return most if lifts.get(most, 0.0) >= LIFTS else _by_evidence(ev, look, places, ms)


def _lift(
    ev: Evidence,
    cause: str,
    driving: Sequence[Driver],
    look: Look,
    places: Sequence[Place],
    ms: float,
) -> float:
    """How many times more a drive stands above what is needed by what ``cause`` changed; 1 for not."""
    if cause == "modulator":
        return (0.5 + _level(ev, 1, ms)) * (0.5 + _level(ev, 2, ms))
    if cause == "gate":
        return 2 * float(ev.mean("gate", ms).max())
    if cause == "feedback":
        bound = ev.get("stdp.w_max") if "stdp" in ev.has else 1.0
        may = LIFTS if ev.get("recurrent.gain") * bound > GROWN else 1.0
        return float(max(may, 1 / (1 - min(MOST_SHARE, _share(ev, places, ms)))))
    if cause == "target" and not _steers(ev, look):
        return LIFTS if ev.get("homeostasis.enabled") else 1.0
    return max(one.times for one in driving)


def _share(ev: Evidence, places: Sequence[Place], ms: float) -> float:
    """The largest recurrent share of the drive of a block that fires too much."""
    blocks = {place.block for place in places}
    fed = [p for p in ev.stack if p.block in blocks and p.stage == "lif_in"]
    return max((drive(ev, look_at(ev, place, ms), ms).share for place in fed), default=0.0)


def _steers(ev: Evidence, look: Look) -> bool:
    """Whether homeostasis brings the rate to where it is: its target, or on the way there."""
    if not ev.get("homeostasis.enabled"):
        return False
    near = look.rate < STEERED * ev.get("homeostasis.target_rate") / ev.dt
    return bool(near or look.theta < look.v_thresh - LOWERED)


def _by_evidence(ev: Evidence, look: Look, places: Sequence[Place], ms: float) -> str:
    """Code of the cause where no parameter that drives is changed."""
    if look.theta < min(LOW_THRESHOLD, look.v_thresh - LOWERED):
        return "threshold"
    if "neuromod" in ev.has and max(_level(ev, 1, ms), _level(ev, 2, ms)) > HIGH_LEVEL:
        return "modulator"
    if float(ev.mean("gate", ms)[look.place.block]) > OPEN_GATE:
        return "gate"
    unknown = "stimulus" in ev.has and ev.get("stimulus.kind") == "file"  # how strong it is
    if not unknown and any(ev.changed(path) for path in HOMEOSTASIS):
        return "unheld"
    if _fed(ev, ms) >= LARGE_DRIVE:
        return "input"
    return "feedback" if _share(ev, places, ms) > STRONG_FEEDBACK else "input"


def _fed(ev: Evidence, ms: float) -> float:
    """The drive of block 0, which the input makes."""
    return drive(ev, look_at(ev, ev.stack[0], ms), ms).whole


def remedies(ev: Evidence, cause: str, places: Sequence[Place], ms: float) -> tuple[Remedy, ...]:
    """What mends ``cause``, best first; ``places`` are the stages that fire too much."""
    driving = {told: [one.path for one in found] for told, found in drivers(ev, places).items()}
    own = driving.pop(cause, [])
    others = [path for paths in driving.values() for path in paths]
    what = "what drives it" if own or others else WHAT["unheld"]
    found = back(ev, cause, [*own, *others, *HOMEOSTASIS], EXPECT, what)
    if own and others:
        expect = "It fires less; what else drives it stays as it is."
        found += back(ev, "only", own, expect, f"only {WHAT[cause]}")
    if cause == "input":
        found += _lowered(ev, ms)
    begin = "The run begins anew: weights, membranes and levels as at its start."
    return tuple(found or [Remedy("reset", "Reset the state", (RESET,), begin)])


def _lowered(ev: Evidence, ms: float) -> list[Remedy]:
    """The input so much smaller that block 0 gets what it gets at the defaults."""
    gain, fed = ev.get("input.gain"), _fed(ev, ms)
    value = round(max(0.05, gain * HEALTHY_DRIVE / max(fed, LEAST_DRIVE)), 3)
    if value >= gain:
        return []
    expect = "The drive of block 0 comes to that of a healthy one."
    return [put("lower", "input.gain", value, f"Lower input.gain to {value:g}", expect)]
