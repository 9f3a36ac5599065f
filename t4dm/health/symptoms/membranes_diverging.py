"""Membranes diverging: beyond +-100, where no clamp holds them."""

from __future__ import annotations

from t4dm.health import quiet
from t4dm.health.evidence import Evidence
from t4dm.health.finding import UNSURE, Remedy, Rule, Said, Severity, Verdict
from t4dm.health.remedies import RESET, back, lif_paths

ORDER = 14
LEAVE = 0.7  # of the threshold
UNSTABLE = 0.98  # alpha of 1 ms
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
    first = max(far, key=lambda p: max(high[p.index], -low[p.index]))
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
    cause = _why(ev, seen.alpha ** (1 / ev.dt))
    groups = tuple(place.index for place in far)
    return Verdict(cause, text, told, _remedies(ev, cause), first, groups)


def _why(ev: Evidence, alpha: float) -> str:
    if alpha >= UNSTABLE:
        return "leak"
    grown = ev.get("stdp.w_max") > 2 or ev.get("stdp.learning_rate") > 10
    if grown and ev.get("recurrent.gain") <= 2 and ev.get("input.gain") <= 2:
        return "weights"
    if max(ev.get("recurrent.gain"), ev.get("input.gain")) > 2:
        return "drive"
    return "clip"


def _remedies(ev: Evidence, cause: str) -> tuple[Remedy, ...]:
    clip = lif_paths(("u_max",), ev.stack)
    frozen = ["homeostasis.enabled", "homeostasis.learning_rate", "homeostasis.theta_max"]
    more = {
        "leak": lif_paths(("alpha",), ev.stack),
        "clip": [],
        "drive": ["input.gain", "recurrent.gain", "stimulus.amplitude", "stimulus.noise_std",
                  "neuromod.NE", "neuromod.ACh"],
        "weights": ["stdp.w_max", "stdp.learning_rate", "stdp.a_plus"],
    }[cause]  # fmt: skip
    found = back(ev, cause, [*more, *clip, *frozen], EXPECT, "clamp and drive")
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
