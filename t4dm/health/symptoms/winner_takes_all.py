"""Winner takes all: each head of spike attention looks at one key only."""

from __future__ import annotations

from t4dm.health import attending
from t4dm.health.beyond import beyond
from t4dm.health.evidence import Evidence
from t4dm.health.finding import UNSURE, Rule, Said, Severity, Verdict

ORDER = 51
LEAVE = 0.97  # of the threshold
BLUNTER = 0.2  # times
CAUSES = {
    "sharpness": "Scores are multiplied so far before the softmax that the largest takes all.",
    "scores": "The scores themselves lie far apart: many spikes, or long traces.",
}


def look(ev: Evidence, active: Severity | None) -> Said:
    ms = ev.p("slow_ms")
    top, _, asked = attending.blocks_that_ask(ev, "top", ms)
    enter = ev.p("winner")
    limit = enter * (LEAVE if active else 1.0)
    sharp = [b for b in asked if top[b] > limit]
    if not sharp:
        return None if asked else UNSURE
    places = attending.asking(ev, sharp)
    first = ev.worst(RULE.id, places, lambda place: float(top[place.block]))
    block = first.block
    cause = "sharpness" if ev.get("attention.sharpness") > 2 else "scores"
    text = (
        f"block {block}: largest weight of a head {top[block]:.3f} on average over {ms:g} ms,"
        f" {beyond(float(top[block]), enter, LEAVE * enter)}"
    )
    told = {"top": round(float(top[block]), 4), "blocks": sharp}
    groups = tuple(place.index for place in places)
    return Verdict(cause, text, told, attending.remedies(ev, BLUNTER), first, groups)


RULE = Rule(
    id="winner_takes_all",
    title="Winner takes all",
    severity="warning",
    text="The largest weight of a head, mean over the heads and over the queries of"
    " `health.slow_ms`, stays above `health.winner` in a block; the same queries count. Over below"
    " 0.97 times that; held while no block asks.",
    causes=CAUSES,
    look=look,
    wants=("top",),
    window="slow_ms",
    groups=("attention",),
    instead=("not_firing", "sparsity", "runaway"),
    echoes=True,
    unsure=attending.UNASKED,
)
