"""Neuromodulators frozen: stimuli begin and rewards come, and a level that they should move does not.

Each level is judged by itself, so that dopamine that moves hides no acetylcholine that stands still.
What nothing called for in the window is not asked; a level that was found still and is no more called
for stays as it was found until it moves or is called for again.
"""

from __future__ import annotations

import numpy as np

from t4dm.health.beyond import beyond
from t4dm.health.evidence import Evidence
from t4dm.health.finding import UNSURE, Remedy, Rule, Said, Severity, Verdict
from t4dm.health.remedies import back

ORDER = 13
NAMES = ("DA", "ACh", "NE", "5HT")
MOVED = (0, 1, 2)  # by the task: rewards and onsets
DOSES = {0: "neuromod.reward_gain", 1: "neuromod.onset_ACh", 2: "neuromod.onset_NE"}
LEAVE = 2.0  # times the threshold
ONSETS = 2  # stimuli that begin in the window
REWARD = 0.1  # sum of |delta| in it, or of what was injected
NO_DOSE = 1e-3
CAUSES = {
    "disabled": "neuromod.enabled is off: every level rests at 0.5.",
    "held": "Every level that should move is held.",
    "unconnected": "Nothing reaches it: the dose of an onset, or the gain of rewards, is 0.",
    "bound": "A level stands at 0 or 1: what is released is not cleared, or the baseline is"
    " there already.",
    "update": "The levels are advanced so rarely that nothing arrives in time.",
}
EXPECT = "Acetylcholine and noradrenaline jump at every onset, dopamine at every reward."


def look(ev: Evidence, active: Severity | None) -> Said:
    ms = ev.p("frozen_ms")
    onsets, rewards = int(ev.total("onsets", ms)), float(ev.total("rewards", ms))
    injected = ev.total("injected", ms)
    asked = _asked(ev)
    called = {n for n in (1, 2) if onsets >= ONSETS} | {n for n in (0,) if rewards >= REWARD}
    called = (called | {n for n in range(len(NAMES)) if injected[n] >= REWARD}) & asked
    high, low = ev.high("level_high", ms), ev.low("level_low", ms)
    swing, enter = high - low, ev.p("frozen")
    limit = enter * (LEAVE if active else 1.0)
    before = {NAMES.index(name) for name in ev.standing.get(RULE.id, {}).get("still", ())}
    waits = {n for n in before & asked - called if swing[n] < limit}
    still = sorted(n for n in called if swing[n] < limit)
    if not still:
        return UNSURE if waits or not called else None
    most = float(max(swing[n] for n in still))
    cause = _why(ev, still, high, low)
    signals = f"{onsets} stimuli began, rewards of |delta| {rewards:.2f} came"
    signals += f", {injected.sum():.2f} was injected" if injected.any() else ""
    text = (
        f"{', '.join(NAMES[n] for n in still)} moved by {most:.4f} over {ms:g} ms,"
        f" {beyond(most, enter, LEAVE * enter)}, although {signals}"
    )
    told = {
        "still": [NAMES[n] for n in sorted({*still, *waits})],
        "swing": {NAMES[n]: round(float(swing[n]), 5) for n in range(4)},
        "levels": {NAMES[n]: round(float(high[n]), 4) for n in range(4)},
        "onsets": onsets, "rewards": round(rewards, 4),
    }  # fmt: skip
    return Verdict(cause, text, told, _remedies(ev, cause, sorted({*still, *waits})))


def _asked(ev: Evidence) -> set[int]:
    """The levels that have to move: those not held by hand; all where that leaves none to the task."""
    every = set(range(len(NAMES)))
    free = {n for n in every if ev.get(f"neuromod.{NAMES[n]}") is None}
    return free if ev.get("neuromod.enabled") and free & set(MOVED) else every


def _why(ev: Evidence, still: list[int], high: np.ndarray, low: np.ndarray) -> str:
    get = ev.get
    if not get("neuromod.enabled"):
        return "disabled"
    if all(get(f"neuromod.{NAMES[n]}") is not None for n in still):
        return "held"
    if any(get(DOSES[n]) <= NO_DOSE for n in still if n in DOSES):
        return "unconnected"
    if any(low[n] > 0.99 or high[n] < 0.01 for n in still):
        return "bound"
    return "update"


def _remedies(ev: Evidence, cause: str, still: list[int]) -> tuple[Remedy, ...]:
    doses = [DOSES[n] for n in still if n in DOSES]
    paths = {
        "disabled": ["neuromod.enabled"],
        "held": [f"neuromod.{NAMES[n]}" for n in still],
        "unconnected": doses,
        "bound": [f"neuromod.{NAMES[n]}{of}" for n in still for of in ("_tau", "_baseline")]
        + [*doses, "neuromod.update_freq"],
        "update": ["neuromod.update_freq"],
    }[cause]
    return tuple(back(ev, cause, paths, EXPECT, "what moves the levels"))


RULE = Rule(
    id="neuromodulators_frozen",
    title="Neuromodulators frozen",
    severity="warning",
    text="A level has not moved by `health.frozen` within `health.frozen_ms` although something should"
    " have moved it: acetylcholine and noradrenaline where two stimuli or more began, dopamine where"
    " rewards with |delta| of 0.1 or more in sum came, any level of which 0.1 or more was injected."
    " Over once each moves by twice that. Rewards that surprise nobody do not count, nor a level held"
    " by hand while dopamine, acetylcholine or noradrenaline is free. Held while nothing calls for a"
    " movement of what stood still.",
    causes=CAUSES,
    look=look,
    wants=("level_high",),
    window="frozen_ms",
    groups=("neuromod",),
    unsure="nothing calls for a movement of the levels in question: fewer than two stimuli began, no"
    " reward surprised and nothing was injected",
)
