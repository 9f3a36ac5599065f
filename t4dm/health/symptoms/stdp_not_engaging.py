"""STDP not engaging: neurons fire, and the weights stand still or see hardly any pair."""

from __future__ import annotations

from functools import lru_cache
from math import log

import numpy as np

from t4dm.health.beyond import beyond
from t4dm.health.evidence import Evidence, Weights
from t4dm.health.finding import UNSURE, Remedy, Rule, Said, Severity, Verdict
from t4dm.health.remedies import RESET, back

ORDER = 12
LEAVE = 2.0  # times the threshold
LEAVE_PAIRS = 1.5
FIRES = 0.005  # spikes/ms of a LIF in from which its weights should move
SPAN, TAU = 100, 20.0  # ms: the pairing of the default rule
AMPLITUDES = ("stdp.a_plus", "stdp.a_minus")
WINDOWS = (
    "stdp.window_pre_to_post", "stdp.window_post_to_pre", "stdp.tau_plus", "stdp.tau_minus",
)  # fmt: skip
CAUSES = {
    "disabled": "stdp.enabled is off.",
    "rate": "The learning rate is 0, or so small that nothing comes of it.",
    "amplitude": "A+ and A- are 0, or so small that nothing comes of them.",
    "gated": "It is enabled, and gated off: dopamine is below stdp.da_gate on average.",
    "neutral": "The three-factor rule multiplies by DA - 0.5, and dopamine rests at 0.5.",
    "window": "The windows are too narrow: most pairs of spikes lie outside, or count for nothing.",
    "pairs": "No two spikes fall into one window: there is nothing to pair.",
    "bounds": "The weights stand at their bounds, or w_max leaves them no room.",
}
PATHS = {
    "disabled": ("stdp.enabled",),
    "rate": ("stdp.learning_rate",),
    "amplitude": AMPLITUDES,
    "gated": ("stdp.da_gate", "neuromod.DA", "neuromod.DA_baseline"),
    "neutral": ("stdp.mode", "neuromod.enabled", "neuromod.DA", "neuromod.reward_gain"),
    "window": WINDOWS,
    "pairs": WINDOWS,
    "bounds": (
        "stdp.w_max", "stdp.learning_rate", *AMPLITUDES, "stdp.mu", "neuromod.DA",
        "neuromod.DA_baseline",
    ),
}  # fmt: skip
BOLUS = 0.3  # of dopamine
EXPECT = "Weights move by more than 0.01 a second within 2 s."


def look(ev: Evidence, active: Severity | None) -> Said:
    ms = ev.p("slow_ms")
    weighed = ev.weights
    rate = ev.within("fired", weighed.end_ms - weighed.span_ms, weighed.end_ms)
    if rate is None:
        return UNSURE
    firing = [p for p in ev.stack if p.stage == "lif_in" and rate[p.index] >= FIRES]
    blocks = [p.block for p in firing if p.block is not None and p.block < len(ev.weights.moved)]
    if not blocks:
        return UNSURE
    moved = float(ev.weights.moved[blocks].max())
    paired = used_pairing(ev)
    least, fewest = ev.p("moved"), ev.p("pairs")
    still = moved < least * (LEAVE if active else 1.0)
    narrow = paired is not None and paired < fewest * (LEAVE_PAIRS if active else 1.0)
    if not still and not narrow:
        return None
    causes = _causes(ev, still, narrow, ms)
    shown = "no pairs" if paired is None else f"{paired:.0%} of the pairing of the default windows"
    if paired is not None and narrow:
        shown = f"{shown} used, {beyond(paired, fewest, LEAVE_PAIRS * fewest, '.0%')}"
    pace = f", {beyond(moved, least, LEAVE * least)}" if still else ""
    text = (
        f"weights moved {moved:.5f} a second over {weighed.span_ms:g} ms{pace}; {shown};"
        f" firing {rate[[p.index for p in firing]].mean():.1%}{ev.per}"
    )
    told = {
        "moved": round(moved, 7), "paired": paired, "da": _dopamine(ev, ms),
        "da_gate": ev.get("stdp.da_gate"), "learning_rate": ev.get("stdp.learning_rate"),
        "at_bounds": round(float(ev.weights.at_bounds[blocks].sum(axis=1).max()), 4),
    }  # fmt: skip
    groups = tuple(place.index for place in firing)
    return Verdict(causes[0], text, told, _remedies(ev, causes, ms), firing[0], groups)


def used_pairing(ev: Evidence) -> float | None:
    """How much of the pairing of the default windows the rule takes in, by the pairs of the last
    second: the sum of ``exp(-|dt|/tau)`` over pairs inside the windows, relative to that with the
    default windows.  The larger of both sides; None without pairs.
    """
    return _used(ev.weights, *(ev.get(path) for path in WINDOWS))


@lru_cache(maxsize=4)
def _used(weights: Weights, pre: int, post: int, tau_plus: float, tau_minus: float) -> float | None:
    """Once for each sample of the weights, which several looks share."""
    counts, best, span = weights.pairs, None, len(weights.pairs) // 2
    lags = np.arange(1.0, span + 1) * (SPAN / span)  # ms
    default = np.exp(-lags / TAU)
    for side, window, tau in (
        (counts[span + 1 :], pre, tau_plus), (counts[span - 1 :: -1], post, tau_minus),
    ):  # fmt: skip
        whole = float(side @ default)
        if whole == 0:
            continue
        width = min(span, int(window * span / SPAN))
        share = float(side[:width] @ np.exp(-lags[:width] / tau)) / whole
        best = share if best is None else max(best, share)
    return None if best is None else round(best, 4)


def _dopamine(ev: Evidence, ms: float) -> float:
    """Its mean: a reward that lifts it over a gate for a moment opens nothing for long."""
    return round(float(ev.mean("level_high", ms)[0]), 4)


def _causes(ev: Evidence, still: bool, narrow: bool, ms: float) -> list[str]:
    """Codes of all that keeps learning from engaging, the first of them told; one at least."""
    get = ev.get
    swing = ev.high("level_high", ms)[0] - ev.low("level_low", ms)[0]
    holds = {
        "disabled": not get("stdp.enabled"),
        "rate": still and get("stdp.learning_rate") < 0.01,
        "amplitude": still and max(get(path) for path in AMPLITUDES) < 1e-4,
        "gated": still and _dopamine(ev, ms) < get("stdp.da_gate"),
        "neutral": still and get("stdp.mode") == "three_factor" and swing < ev.p("frozen"),
        "window": narrow,
    }
    found = [cause for cause, here in holds.items() if here]
    return found or ["bounds" if ev.weights.pairs.any() else "pairs"]


def _remedies(ev: Evidence, causes: list[str], ms: float) -> tuple[Remedy, ...]:
    """What holds learning back put back at once; a bolus where one opens the gate, for a while."""
    paths = dict.fromkeys(path for cause in causes for path in PATHS[cause])
    found = back(ev, causes[0], paths, EXPECT, "the rule of learning")
    if causes == ["gated"]:
        found += _bolus(ev, ms)
    if causes == ["bounds"] and not found:
        expect = "Weights begin between their bounds again, from the seed."
        found.append(Remedy("again", "Begin anew", (RESET,), expect))
    return tuple(found)


def _bolus(ev: Evidence, ms: float) -> list[Remedy]:
    """Dopamine released: added to the level, which stops at 1 and decays to its baseline.  None where
    the level is held, or would not pass the gate from the lowest that was seen."""
    get, gate = ev.get, ev.get("stdp.da_gate")
    free = get("neuromod.enabled") and get("neuromod.DA") is None
    base = get("neuromod.DA_baseline")
    peak = min(1.0, float(ev.low("level_low", ms)[0]) + BOLUS)
    if not free or peak <= gate or base >= gate:
        return []
    lasts = get("neuromod.DA_tau") * log((peak - base) / (gate - base))
    command = {"type": "inject", "nt": "DA", "level": BOLUS}
    expect = (
        f"Dopamine rises to about {peak:.2f} and is back below its gate of {gate:g} after about"
        f" {lasts:.0f} ms; learning is open so long."
    )
    return [Remedy("bolus", "Release dopamine", (command,), expect)]


RULE = Rule(
    id="stdp_not_engaging",
    title="STDP not engaging",
    severity="warning",
    text="Blocks fire, and the mean excitatory weight moves by less than `health.moved` a second"
    " over the samples of `health.slow_ms`; or the rule takes in less than `health.pairs` of the"
    " pairing of its default windows. Over above twice, and one and a half times, that. Only blocks"
    " whose LIF in fired at 5 Hz or more over the time of those samples are asked; held while none"
    " did.",
    causes=CAUSES,
    look=look,
    wants=("fired", "weights"),
    window="slow_ms",
    groups=("stdp", "neuromod"),
    instead=("not_firing", "runaway"),
    unsure="no block fired at 5 Hz or more over the time of the samples of the weights",
)
