"""A thalamic gate stuck open or shut: its sigmoid at one end in all channels."""

from __future__ import annotations

from t4dm.health.beyond import beyond
from t4dm.health.evidence import Evidence
from t4dm.health.finding import Rule, Severity, Verdict
from t4dm.health.remedies import back

ORDER = 40
LEAVE = 2.0  # times the distance from 0 or 1
CAUSES = {
    "shut": "The gate is biased shut: hardly anything passes.",
    "open": "The gate is biased open: everything passes, twice as much as at rest.",
}
EXPECT = "The gate's sigmoid moves about one half again, with its input."


def look(ev: Evidence, active: Severity | None) -> Verdict | None:
    ms = ev.p("slow_ms")
    openness = ev.mean("gate", ms)
    shut, wide = ev.p("gate_shut"), ev.p("gate_open")
    low = shut * (LEAVE if active else 1.0)
    high = 1 - (1 - wide) * (LEAVE if active else 1.0)
    stuck = [b for b in range(len(openness)) if not low <= openness[b] <= high]
    if not stuck:
        return None
    block = stuck[0]
    cause = "shut" if openness[block] < low else "open"
    enter, leave = (shut, LEAVE * shut) if cause == "shut" else (wide, 1 - LEAVE * (1 - wide))
    side = beyond(float(openness[block]), enter, leave)
    text = f"block {block}: sigmoid {openness[block]:.3f} over {ms:g} ms, {side}"
    told = {"openness": round(float(openness[block]), 4), "blocks": stuck}
    narrow = [f"blocks.{b}.gate.{name}" for b in stuck for name in ("bias", "slope")]
    mends = tuple(back(ev, "gate", [*narrow, "gate.bias", "gate.slope"], EXPECT, "the gate"))
    places = [place for place in ev.places if place.block in stuck and place.stage == "lif_in"]
    first = next((place for place in places if place.block == block), None)
    return Verdict(cause, text, told, mends, first, tuple(place.index for place in places))


RULE = Rule(
    id="gate_stuck",
    title="Gate stuck",
    severity="warning",
    text="The mean openness of a block's gate, over 0.5 + ACh which multiplies it, lies below"
    " `health.gate_shut` or above `health.gate_open` over `health.slow_ms`; over at twice the"
    " distance from 0 or 1.",
    causes=CAUSES,
    look=look,
    wants=("gate",),
    window="slow_ms",
    groups=("gate",),
)
