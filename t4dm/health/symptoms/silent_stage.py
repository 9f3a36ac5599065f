"""A silent stage: one that fires far below the band it declares, while its network lives."""

from __future__ import annotations

from t4dm.health import quiet
from t4dm.health.evidence import Evidence
from t4dm.health.finding import UNSURE, Rule, Said, Severity, Verdict

ORDER = 30
LEAVE = 2.0  # times the threshold


def look(ev: Evidence, active: Severity | None) -> Said:
    ms = ev.p("stage_ms")
    if ev.idle(ms):
        return UNSURE
    rate = ev.rate(ms)
    factor = ev.p("low_stage") * (LEAVE if active else 1.0)
    low = [p for p in ev.stack if p.band and rate[p.index] < factor * p.band[0]]
    if not low:
        return None
    first = ev.named(RULE.id, low) or low[0]
    assert first.band is not None
    found = quiet.explain(ev, first, low, ms)
    text = (
        f"{first.name} {rate[first.index]:.2%}{ev.per} over {ev.over(ms)}; its band is"
        f" {first.band[0]:.0%} to {first.band[1]:.0%}; {found.text}"
    )
    told = {**found.numbers, "band": list(first.band)}
    groups = tuple(place.index for place in low)
    severity: Severity | None = "note" if found.recovers else None
    return Verdict(found.cause, text, told, found.remedies, first, groups, severity)


RULE = Rule(
    id="silent_stage",
    title="Silent stage",
    severity="warning",
    text="A stage fires below `health.low_stage` of the floor of the band it declares, over"
    " `health.stage_ms`, while the network lives; over above twice that. A note"
    " while nothing that is set explains it and homeostasis brings its threshold down. A band from 0"
    " on, as the sensory layer's, is never too low.",
    causes=quiet.CAUSES,
    look=look,
    wants=("fired", "u_high"),
    window="stage_ms",
    groups=("lif", "homeostasis", "gate"),
    instead=("runaway", "not_firing", "sparsity"),
    echoes=True,
)
