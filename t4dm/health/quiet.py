"""Why a stage is quiet: the causes that not firing, sparsity and a silent stage share.

A cause is a parameter off its default that makes it harder to fire, and the one that makes it so by the
largest factor is told: parameters hold still where rates and membranes swing from look to look.  Only
where there is none does the evidence alone decide.

The drive of a stage follows from its membranes.  In a steady state the mean of
``u_pre = alpha * u + I`` with ``u = u_pre - beta * theta * s`` gives
``I = (1 - alpha) * mean(u_pre) + alpha * beta * theta * rate``, the rate a step (docs/equations.md, section 3).
Threshold and leak ask for ``theta * (1 - alpha)``; 0.1 at their defaults and a step of 1 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, NamedTuple

import numpy as np

from t4dm.health.evidence import Evidence, Place
from t4dm.health.finding import Remedy
from t4dm.health.remedies import RESET, back, changed, lif_paths, put
from t4dm.spiking.params import LIFParams
from t4dm.stimuli.params import InputParams, StimulusParams

CAUSES = {
    "threshold": "The threshold is set too high, above its default of 1.",
    "input": "The input is too small: too little current comes in for healthy rates.",
    "leak": "The leak is too strong: alpha keeps too little of what comes in.",
    "gate": "The thalamic gate is shut or nearly so: too little reaches the block.",
    "state": "The state was not put back: the threshold that homeostasis left, or membranes far"
    " below 0, hold the stage down.",
    "target": "Homeostasis holds the rate down: its target is too low.",
    "modulator": "Noradrenaline stands so low that it cuts the input.",
    "other": "Threshold, leak, input, gate and levels explain nothing: another parameter, the weights"
    " or the state hold the stage down.",
}
RULES = ("not_firing", "sparsity", "silent_stage")
EXPECT = "Every stage fires at 20 to 150 Hz again within 3 s."
INPUTS = (
    "input.gain", "stimulus.rate_hz", "stimulus.amplitude", "stimulus.noise_std", "sensory.feed",
    "stimulus.kind", "stimulus.image_ms", "stimulus.rest_ms", "stimulus.pulse_ms",
    "stimulus.period_ms",
)  # fmt: skip
GATES = ("gate.bias", "gate.slope", "neuromod.ACh", "neuromod.ACh_baseline")
OTHERS = (
    "attention.sharpness", "attention.kappa", "attention.tau", "apical.gain", "rwkv.decay",
    "recurrent.gain", "neuromod.5HT", "neuromod.5HT_baseline", "stdp.w_max", "stdp.a_plus",
    "stdp.a_minus",
)  # fmt: skip
FROZEN = ("homeostasis.enabled", "homeostasis.learning_rate", "homeostasis.theta_max")
STRENGTHS = {  # what a kind of stimulus is strong by
    "digits": ("rate_hz",), "text": ("rate_hz",), "noise": ("amplitude", "noise_std"),
    "constant": ("amplitude",), "pulse": ("amplitude",), "sine": ("amplitude",),
    "file": ("amplitude",),
}  # fmt: skip
NEEDED = 0.1  # theta * (1 - alpha) at the defaults and 1 ms
ALPHA, V_THRESH = LIFParams().alpha, LIFParams().v_thresh
LOW_DRIVE = 0.75  # of that
USUAL_DRIVE = 1.2  # of that: of a healthy block 0 under digits
HELD_UP = 0.3  # theta above v_thresh, left by a homeostasis that is off
OUT_THRESH = 1.2  # v_thresh of a LIF out up to which it is not raised
FAINT = 2.0  # times its band's floor: below it a stage may be why those after it are quiet
FALLS = 0.05  # of a threshold within a window, from which homeostasis is bringing the stage back
LEAST = 1.1  # by which a parameter makes it harder to fire, to be a cause
TOLD = 1.5  # by which another cause has to be stronger than the one that is told
OPEN = 0.5  # sigmoid of a gate at rest, and the level of a neuromodulator
SHUT = 5.0  # times the sigmoid of a gate that is stuck shut


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


# -- what is said of a quiet stage -----------------------------------------------------------------


class Quiet(NamedTuple):
    """What a rule says of the stage that it names, and of why it is quiet."""

    cause: str
    text: str
    numbers: dict[str, Any]
    remedies: tuple[Remedy, ...]
    recovers: bool  # nothing that is set keeps it quiet, and homeostasis lowers its threshold


def explain(ev: Evidence, place: Place, places: Sequence[Place], ms: float) -> Quiet:
    """Why ``place``, which fulfils the rule as all ``places`` do, is quiet over the last ``ms``."""
    looks = [look_at(ev, one, ms) for one in faint(ev, place, ev.rate(ms))]
    seen = looks[-1]
    cause = why(ev, looks, ms)
    mends = remedies(ev, cause, [*(look.place for look in looks), *places], ms)
    text = _membranes(seen) + _begins(looks)
    theta = ev.last("theta", ms)[:, place.index]
    free = cause == "other" and all(one["type"] == "reset" for m in mends for one in m.commands)
    if not (free and _moves(ev) and theta[0] - theta[-1] >= FALLS):
        return Quiet(cause, text, _figures(seen), mends, recovers=False)
    text += f"; it recovers: homeostasis lowered theta from {theta[0]:.2f} to {theta[-1]:.2f}"
    return Quiet(cause, text, _figures(seen), mends, recovers=True)


def faint(ev: Evidence, place: Place, rate: np.ndarray) -> list[Place]:
    """The stages before ``place``, in the order of a step, that fire below FAINT times the floor of
    their band, and ``place`` itself: what is quiet may be so because of them."""
    before = ev.stack[: ev.stack.index(place)]
    return [p for p in before if p.band and rate[p.index] < FAINT * p.band[0]] + [place]


def _membranes(look: Look) -> str:
    text = f"max u {look.high:.2f}, theta {look.theta:.2f} (v_thresh {look.v_thresh:.2f})"
    if look.place.stage != "lif_in":  # driven by spikes, of which the mean current says little
        return text
    return f"{text}, drive {look.drive:.2f} of what fires by itself"


def _figures(look: Look) -> dict[str, Any]:
    found = look.numbers()
    if look.place.stage != "lif_in":
        del found["drive"]
    return found


def _begins(looks: Sequence[Look]) -> str:
    """From which stage on it is quiet, where that is not the one named."""
    for look in looks[:-1]:
        if look.place.band and look.rate < look.place.band[0]:
            return f"; quiet from {look.place.name} on, {look.rate:.1%}"
    return ""


# -- causes ----------------------------------------------------------------------------------------


def why(ev: Evidence, looks: Sequence[Look], ms: float) -> str:
    """Code of the likely cause; ``looks`` are those of :func:`faint`."""
    stand = {ev.standing[rule].get("cause") for rule in RULES if rule in ev.standing}
    factors = {
        code: factor * (TOLD if code in stand else 1.0)
        for code, factor in _factors(ev, looks, ms).items()
        if factor >= LEAST
    }
    if factors:
        return max(factors, key=lambda code: factors[code])
    if any(_sigmoid(ev, look, ms) < SHUT * ev.p("gate_shut") for look in looks):
        return "gate"
    if _first_drive(ev, ms) >= LOW_DRIVE:
        return "other"
    mute = any(ev.changed(path) for path in OTHERS)  # as bursts after which little comes in
    return "other" if mute else "input"


def _factors(ev: Evidence, looks: Sequence[Look], ms: float) -> dict[str, float]:
    """By which factor the parameters of each cause make it harder to fire than at their defaults."""
    return {
        "threshold": max(look.v_thresh for look in looks) / V_THRESH,
        "leak": max((1 - look.alpha) / look.needed for look in looks),
        "input": _weakness(ev, ms),
        "gate": max(_shut(ev, look, ms) for look in looks),
        "modulator": 1 / (0.5 + _rest(ev, "NE")),
        "state": max(_left(ev, look) for look in looks),
        "target": max(_held_down(ev, look) for look in looks),
    }


def _weakness(ev: Evidence, ms: float) -> float:
    """How many times weaker the input is than at its defaults; of a file, by what it drives."""
    if not ev.has >= {"input", "stimulus"}:
        return 1.0
    strength = _strength(ev)
    if ev.get("stimulus.kind") == "file":
        strength = min(strength, _first_drive(ev, ms))
    return 1 / strength if strength > 0 else inf


def _strength(ev: Evidence) -> float:
    """The input by its parameters, 1 at their defaults."""
    usual, kind = StimulusParams(), ev.get("stimulus.kind")
    parts = [abs(ev.get(f"stimulus.{n}")) / getattr(usual, n) for n in STRENGTHS[kind]]
    return float(ev.get("input.gain") / InputParams().gain * max(parts))


def _first_drive(ev: Evidence, ms: float) -> float:
    return look_at(ev, ev.stack[0], ms).drive


def _sigmoid(ev: Evidence, look: Look, ms: float) -> float:
    """Openness of the gate before a LIF in; that of one at rest for other stages."""
    block = look.place.block
    if look.place.stage != "lif_in" or block is None:
        return OPEN
    return float(ev.mean("gate", ms)[block])


def _shut(ev: Evidence, look: Look, ms: float) -> float:
    paths = _gate_paths([look.place])
    if look.place.stage != "lif_in" or not any(ev.changed(path) for path in paths):
        return 1.0
    passes = _sigmoid(ev, look, ms) * (0.5 + _rest(ev, "ACh"))
    return inf if passes <= 0 else OPEN / passes


def _rest(ev: Evidence, name: str) -> float:
    """The level at which a neuromodulator is held, or to which it decays."""
    if "neuromod" not in ev.has or not ev.get("neuromod.enabled"):
        return OPEN
    held = ev.get(f"neuromod.{name}")
    return float(ev.get(f"neuromod.{name}_baseline") if held is None else held)


def _moves(ev: Evidence) -> bool:
    return bool(ev.get("homeostasis.enabled") and ev.get("homeostasis.learning_rate") > 0)


def _left(ev: Evidence, look: Look) -> float:
    """By which factor what homeostasis left on the threshold holds it up; beyond bounds for membranes
    that stand at the lower clamp."""
    if look.mean < -0.9 * ev.lif("u_max", look.place):
        return inf
    held_up = look.theta - look.v_thresh > HELD_UP and not _moves(ev)
    return look.theta / look.v_thresh if held_up and _fires_without_it(look) else 1.0


def _fires_without_it(look: Look) -> bool:
    """Whether the stage would fire if homeostasis had left nothing on its threshold as it is set."""
    if look.place.stage != "lif_in":
        return look.v_thresh <= OUT_THRESH
    return look.drive >= look.v_thresh * (1 - look.alpha) / look.needed


def _held_down(ev: Evidence, look: Look) -> float:
    """By which factor a target below its default holds the threshold up; a cause, however little yet."""
    path = "homeostasis.target_rate"
    low = ev.changed(path) and ev.get(path) < float(ev.default(path))
    return max(LEAST, look.theta / look.v_thresh) if low and _moves(ev) else 1.0


# -- remedies --------------------------------------------------------------------------------------


def remedies(ev: Evidence, cause: str, places: Sequence[Place], ms: float) -> tuple[Remedy, ...]:
    """What mends ``cause``, best first; ``places`` are the stages that are quiet."""
    paths, what = {
        "threshold": (lif_paths(("v_thresh", "beta"), places), "the threshold"),
        "leak": (lif_paths(("alpha",), places), "the leak"),
        "input": (list(INPUTS), "the input"),
        "gate": (_gate_paths(places), "the gate"),
        "modulator": (["neuromod.NE", "neuromod.NE_baseline"], "noradrenaline"),
        "target": (["homeostasis.target_rate"], "the target rate"),
        "other": ([*OTHERS, *lif_paths(("beta", "u_max"), places)], "the other parameters"),
        "state": ([], ""),
    }[cause]
    found = _raised(ev, ms) if cause == "input" else []
    if any(ev.changed(path) for path in paths):
        found += back(ev, cause, [*paths, *FROZEN], EXPECT, what)
    if not found or cause == "other":
        commands = (*changed(ev, FROZEN), RESET)
        found.append(Remedy("reset", "Reset the state", commands, "The run begins anew. " + EXPECT))
    return tuple(found)


def _gate_paths(places: Sequence[Place]) -> list[str]:
    narrow = [f"blocks.{place.block}.gate.{name}" for place in places for name in ("bias", "slope")]
    return [*dict.fromkeys(narrow), *GATES]


def _raised(ev: Evidence, ms: float) -> list[Remedy]:
    """A larger gain, for an input that is weak although its parameters are not."""
    drive = _first_drive(ev, ms)
    if not 0.01 < drive < LOW_DRIVE or "input" not in ev.has or _strength(ev) < 1:
        return []
    gain = ev.get("input.gain")
    value = float(f"{min(20.0, gain * USUAL_DRIVE / drive):.2g}")
    if value <= gain:
        return []
    expect = "Its drive comes to that of a healthy block 0."
    return [put("raise", "input.gain", value, f"Raise input.gain to {value:g}", expect)]
