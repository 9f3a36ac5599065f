"""Runaway spiking: a stage in which more than half of the neurons fire in a ms."""

from __future__ import annotations

import numpy as np

from t4dm.health import busy, quiet
from t4dm.health.beyond import beyond
from t4dm.health.evidence import Evidence
from t4dm.health.finding import UNSURE, Rule, Said, Severity, Verdict

ORDER = 11
LEAVE = 0.6  # of the threshold
LEAVE_DIVERGING = 0.2  # of it, where membranes diverge: between bursts they are not well
NEWEST_MS = 200  # of the window, in which it is not over either
FULL = 0.8  # of the neurons in a step longer than a ms, where no more than all can fire


def look(ev: Evidence, active: Severity | None) -> Said:
    ms = ev.p("window_ms")
    rate = ev.rate(ms)
    enter = ev.p("runaway")
    if ev.dt > 1:
        enter = min(enter, FULL / ev.dt)
    leave = enter * (LEAVE_DIVERGING if "membranes_diverging" in ev.standing else LEAVE)
    limit = leave if active else enter
    newest = ev.mean("fired", NEWEST_MS) if active else rate
    rate = np.maximum(rate, newest)
    wild = [place for place in ev.stack if rate[place.index] > limit]
    if not wild:
        return UNSURE if ev.idle(ms) else None
    first = ev.worst(RULE.id, wild, lambda place: float(rate[place.index]))
    seen = quiet.look_at(ev, first, ms)
    cause = busy.why(ev, seen, wild, ms)
    per_bin = ev.last("fired", ms)[:, first.index]
    drive = busy.drive(ev, seen, ms)
    driven = drive.text() if first.stage == "lif_in" else f"max u {seen.high:.1f}"
    worst = float(rate[first.index])
    over = ev.over(ms) if worst == seen.rate else f"{NEWEST_MS} ms"
    text = (
        f"{first.name} {worst:.0%}{ev.per} over {over},"
        f" {beyond(worst, enter, leave, '.0%')}; theta {seen.theta:.2f}, {driven}"
    )
    told = {
        **seen.numbers(), "drive": round(drive.whole, 3),
        "recurrent_drive": round(drive.recurrent, 3), "limit": limit,
        "climbs": round(float(per_bin[-1] - per_bin[0]), 4),
    }  # fmt: skip
    groups = tuple(place.index for place in wild)
    return Verdict(cause, text, told, busy.remedies(ev, cause, wild, ms), first, groups)


RULE = Rule(
    id="runaway",
    title="Runaway spiking",
    severity="critical",
    text="More than `health.runaway` of a stage's neurons fire in a ms (0.8 in a step of 2 ms), over"
    " `health.window_ms`; over once that, and the last 200 ms, lie below 0.6 times that, or 0.2 times"
    " while membranes diverge, whose bursts are one runaway.",
    causes=busy.CAUSES,
    look=look,
    wants=("fired", "u_high"),
    groups=("lif", "homeostasis", "gate", "recurrent"),
)
