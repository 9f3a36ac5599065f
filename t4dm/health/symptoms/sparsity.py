"""Extreme sparsity: the network fires, but below 10 Hz although it is driven."""

from __future__ import annotations

from t4dm.health import quiet
from t4dm.health.beyond import beyond
from t4dm.health.evidence import Evidence
from t4dm.health.finding import UNSURE, Rule, Said, Severity, Verdict

ORDER = 20
LEAVE = 1.5  # times the threshold


def look(ev: Evidence, active: Severity | None) -> Said:
    ms = ev.p("slow_ms")
    stack = [place.index for place in ev.stack]
    if not stack or ev.idle(ms):
        return UNSURE
    rate = ev.rate(ms)
    enter = ev.p("sparse")
    limit = enter * (LEAVE if active else 1.0)
    mean = float(rate[stack].mean())
    if mean >= limit:
        return None
    sparse = [place for place in ev.stack if rate[place.index] < limit]
    first = ev.named(RULE.id, sparse) or sparse[0]
    found = quiet.explain(ev, first, sparse, ms)
    text = (
        f"network rate {mean:.2%}{ev.per} over {ev.over(ms)},"
        f" {beyond(mean, enter, LEAVE * enter, '.1%')}; {first.name} {rate[first.index]:.2%},"
        f" {found.text}"
    )
    told = {**found.numbers, "network_rate": round(mean, 5), "limit": limit}
    groups = tuple(place.index for place in sparse)
    severity: Severity | None = "note" if found.recovers else None
    return Verdict(found.cause, text, told, found.remedies, first, groups, severity)


RULE = Rule(
    id="sparsity",
    title="Extreme sparsity",
    severity="warning",
    text="The stages of all blocks fire less than `health.sparse` spikes a ms on average over"
    " `health.slow_ms`, the stimulus not resting, and no block is silent altogether; over above"
    " one and a half times that. A note while nothing that is set explains it and homeostasis brings"
    " its threshold down.",
    causes=quiet.CAUSES,
    look=look,
    wants=("fired", "u_high"),
    window="slow_ms",
    groups=("lif", "homeostasis", "gate"),
    instead=("runaway", "not_firing"),
)
