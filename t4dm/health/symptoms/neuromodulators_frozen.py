"""Neuromodulators frozen: stimuli begin and rewards come, and no level moves."""

from __future__ import annotations

from t4dm.health.beyond import beyond
from t4dm.health.evidence import Evidence
from t4dm.health.finding import Remedy, Rule, Verdict
from t4dm.health.remedies import back

ORDER = 13
NAMES = ("DA", "ACh", "NE", "5HT")
LEAVE = 2.0  # times the threshold
ONSETS = 2  # stimuli that begin in the window
REWARD = 0.1  # sum of |delta| in it
CAUSES = {
    "disabled": "neuromod.enabled is off: every level rests at 0.5.",
    "held": "Every level that should move is held.",
    "unconnected": "Nothing reaches the bus: the doses of onsets and the gain of rewards are 0.",
    "bound": "The levels stand at 0 or 1: what is released is not cleared, or the baseline is"
    " there already.",
    "update": "The levels are advanced so rarely that nothing arrives in time.",
}
EXPECT = "Acetylcholine and noradrenaline jump at every onset, dopamine at every reward."
PATHS = {
    "disabled": ("neuromod.enabled",),
    "held": ("neuromod.DA", "neuromod.ACh", "neuromod.NE"),
    "unconnected": ("neuromod.onset_ACh", "neuromod.onset_NE", "neuromod.reward_gain"),
    "bound": tuple(
        f"neuromod.{nt}{of}" for nt in NAMES for of in ("_tau", "_baseline")
    ) + ("neuromod.onset_ACh", "neuromod.onset_NE", "neuromod.update_freq"),
    "update": ("neuromod.update_freq",),
}  # fmt: skip


def look(ev: Evidence, active: bool) -> Verdict | None:
    ms = ev.p("frozen_ms")
    onsets = int(ev.total("onsets", ms))
    rewards = float(ev.total("rewards", ms))
    injected = ev.total("injected", ms)
    called = [n for n in (1, 2) if onsets >= ONSETS]
    called += [0] if rewards >= REWARD else []
    called += [n for n in range(4) if injected[n] > 0]
    if not called:
        return None
    high, low = ev.high("level_high", ms), ev.low("level_low", ms)
    swing = high - low
    enter, most = ev.p("frozen"), float(max(swing[n] for n in called))
    if most >= enter * (LEAVE if active else 1.0):
        return None
    cause = _why(ev, sorted(set(called)), high, low)
    names = ", ".join(NAMES[n] for n in sorted(set(called)))
    signals = f"{onsets} stimuli began, rewards of |delta| {rewards:.2f} came"
    text = (
        f"{names} moved by {most:.4f} over {ms:g} ms, {beyond(most, enter, LEAVE * enter)},"
        f" although {signals}"
    )
    told = {
        "swing": {NAMES[n]: round(float(swing[n]), 5) for n in range(4)},
        "levels": {NAMES[n]: round(float(high[n]), 4) for n in range(4)},
        "onsets": onsets, "rewards": round(rewards, 4),
    }  # fmt: skip
    return Verdict(cause, text, told, _remedies(ev, cause))


def _why(ev: Evidence, called: list[int], high: object, low: object) -> str:
    get = ev.get
    if not get("neuromod.enabled"):
        return "disabled"
    if all(get(f"neuromod.{NAMES[n]}") is not None for n in called):
        return "held"
    free = [n for n in called if get(f"neuromod.{NAMES[n]}") is None]
    doses = {0: "reward_gain", 1: "onset_ACh", 2: "onset_NE"}
    if all(get(f"neuromod.{doses[n]}") <= 1e-3 for n in free if n in doses):
        return "unconnected"
    levels = list(zip(high, low, strict=True))  # type: ignore[call-overload]
    if any(levels[n][1] > 0.99 or levels[n][0] < 0.01 for n in free):
        return "bound"
    return "update"


def _remedies(ev: Evidence, cause: str) -> tuple[Remedy, ...]:
    return tuple(back(ev, cause, PATHS[cause], EXPECT, "what moves the levels"))


RULE = Rule(
    id="neuromodulators_frozen",
    title="Neuromodulators frozen",
    severity="warning",
    text="Two stimuli or more began, rewards with |delta| of 0.1 or more in sum came, or something"
    " was injected within `health.frozen_ms`, and none of the levels that this should move has"
    " moved by `health.frozen`; over above twice that. Rewards that surprise nobody do not count.",
    causes=CAUSES,
    look=look,
    wants=("level_high",),
    window="frozen_ms",
    groups=("neuromod",),
)
