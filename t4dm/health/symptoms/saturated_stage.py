"""A saturated stage: one that fires far above the band it declares."""

from __future__ import annotations

from t4dm.health import busy, quiet
from t4dm.health.evidence import Evidence, Place
from t4dm.health.finding import UNSURE, Remedy, Rule, Said, Severity, Verdict
from t4dm.health.remedies import back

ORDER = 31
LEAVE = 0.85  # of the threshold
NOTE = 1.5  # times the ceiling: worth a note
SENSORY = (
    "sensory.v_thresh", "sensory.gain", "sensory.inhibition", "sensory.refractory_ms",
    "sensory.alpha", "sensory.theta_plus",
)  # fmt: skip
CAUSES = busy.CAUSES | {
    "competition": "Its neurons do not keep each other silent: inhibition or threshold too low."
}


def look(ev: Evidence, active: Severity | None) -> Said:
    ms = ev.p("stage_ms")
    rate = ev.rate(ms)
    factor = NOTE * (LEAVE if active else 1.0)
    banded = [place for place in ev.places if place.band]
    high = [p for p in banded if rate[p.index] > factor * _ceiling(p)]
    if not high:
        return UNSURE if ev.idle(ms) else None
    first = ev.worst(RULE.id, high, lambda place: float(rate[place.index]) / _ceiling(place))
    full = ev.p("full_stage") * (LEAVE if active == RULE.severity else 1.0)
    grave = rate[first.index] > full * _ceiling(first)
    text = (
        f"{first.name} {rate[first.index]:.1%}{ev.per} over {ev.over(ms)}; its band ends at"
        f" {_ceiling(first):.1%}"
    )
    told = {"rate": round(float(rate[first.index]), 5), "band": list(first.band or ())}
    cause, mends = _explained(ev, first, high, ms)
    groups = tuple(place.index for place in high)
    return Verdict(cause, text, told, mends, first, groups, None if grave else "note")


def _ceiling(place: Place) -> float:
    return place.band[1] if place.band else 1.0


def _explained(
    ev: Evidence, first: Place, high: list[Place], ms: float
) -> tuple[str, tuple[Remedy, ...]]:
    if first.block is None:
        expect = "One neuron at most fires in a step, and rests after it."
        return "competition", tuple(back(ev, "competition", SENSORY, expect, "its competition"))
    seen = quiet.look_at(ev, first, ms)
    stack = [place for place in high if place.block is not None]
    cause = busy.why(ev, seen, stack, ms)
    return cause, busy.remedies(ev, cause, stack, ms)


RULE = Rule(
    id="saturated_stage",
    title="Saturated stage",
    severity="warning",
    text="A stage fires above `health.full_stage` times the ceiling of the band it declares, over"
    " `health.stage_ms`; a note from one and a half times on; over, or a note again, below 0.85"
    " times either.",
    causes=CAUSES,
    look=look,
    wants=("fired", "u_high"),
    window="stage_ms",
    groups=("lif", "homeostasis", "gate", "recurrent"),
    instead=("runaway",),
    echoes=True,
)
