"""Membranes diverging: beyond +-100, where no clamp holds them."""

from __future__ import annotations

from t4dm.health import quiet
from t4dm.health.busy import HOMEOSTASIS
from t4dm.health.drivers import Driving, drivers
from t4dm.health.evidence import Evidence
from t4dm.health.finding import UNSURE, Remedy, Rule, Said, Severity, Verdict
from t4dm.health.remedies import RESET, back, lif_paths

ORDER = 14
LEAVE = 0.7  # of the threshold
UNSTABLE = 0.98  # alpha of 1 ms
GROWN = 2.0  # times its default
CAUSES = {
    "leak": "alpha is so near 1 that hardly anything leaks away, and nothing clips what adds up.",
    "clip": "The clamp is out of reach: u_max stands far above what a membrane needs.",
    "drive": "The current is too large, and nothing clips what it adds up to.",
    "weights": "Weights have grown: learning rate or w_max are too high for the length of a step.",
}
EXPECT = "Membranes stay within +-u_max and what one step adds to it."


def look(ev: Evidence, active: Severity | None) -> Said:
    ms = ev.p("window_ms")
    high, low = ev.high("u_high", ms), ev.low("u_low", ms)
    enter = ev.p("diverged")
    limit = enter * (LEAVE if active else 1.0)
    far = [p for p in ev.stack if high[p.index] > limit or low[p.index] < -limit]
    far = [p for p in far if ev.lif("u_max", p) > limit]
    if not far:
        return UNSURE if ev.idle(ms) else None
    first = ev.worst(RULE.id, far, lambda p: float(max(high[p.index], -low[p.index])))
    u_max = ev.lif("u_max", first)
    seen = quiet.look_at(ev, first, ms)
    side = f"beyond +-{enter:g}"
    if max(high[first.index], -low[first.index]) <= enter:
        side = f"not yet within +-{LEAVE * enter:g} (called {side})"
    text = (
        f"{first.name}: u {low[first.index]:.0f} to {high[first.index]:.0f} over {ms:g} ms,"
        f" {side}; u_max {u_max:g}, alpha {seen.alpha:g}"
    )
    told = {
        "max_u": round(float(high[first.index]), 2), "min_u": round(float(low[first.index]), 2),
        "u_max": u_max, "alpha": seen.alpha, "limit": limit,
    }  # fmt: skip
    driving = drivers(ev, far)
    cause = _why(ev, seen.alpha ** (1 / ev.dt), driving)
    groups = tuple(place.index for place in far)
    return Verdict(cause, text, told, _remedies(ev, cause, driving), first, groups)


def _why(ev: Evidence, alpha: float, driving: Driving) -> str:
    if alpha >= UNSTABLE:
        return "leak"
    fed = max((one.times for one in driving.get("input", [])), default=1.0)
    if max(fed, ev.get("recurrent.gain")) > GROWN:
        return "drive"
    grown = ev.get("stdp.w_max") > GROWN or ev.get("stdp.learning_rate") > 10
    return "weights" if grown else "clip"


def _remedies(ev: Evidence, cause: str, driving: Driving) -> tuple[Remedy, ...]:
    """The clamp alone ends it; what drives membranes so far comes back with it."""
    driven = [one.path for found in driving.values() for one in found]
    paths = [*lif_paths(("u_max",), ev.stack), *driven, *HOMEOSTASIS]
    found = back(ev, cause, paths, EXPECT, "clamp and drive")
    return (*found, Remedy("reset", "Reset the state", (RESET,), "Membranes begin at 0 again."))


RULE = Rule(
    id="membranes_diverging",
    title="Membranes diverging",
    severity="critical",
    text="A membrane (u_pre) of a stage whose u_max would let it stand there lies beyond"
    " +-`health.diverged` within `health.window_ms`; over below 0.7 times that. Where u_max is"
    " lower, the clamp holds.",
    causes=CAUSES,
    look=look,
    wants=("u_high",),
    groups=("lif", "homeostasis", "stdp", "recurrent", "input"),
)
