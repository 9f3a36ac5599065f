"""Attention collapse: all keys weigh alike, so that attention says nothing."""

from __future__ import annotations

from t4dm.health import attending
from t4dm.health.beyond import beyond
from t4dm.health.evidence import Evidence
from t4dm.health.finding import UNSURE, Rule, Said, Severity, Verdict

ORDER = 50
LEAVE = 0.95  # of the threshold
BLUNT = 0.2
SHARPER = 5.0  # times
CAUSES = {
    "sharpness": "Scores are multiplied by next to nothing before the softmax.",
    "traces": "The traces it compares are as good as empty, so that all scores are alike.",
}


def look(ev: Evidence, active: Severity | None) -> Said:
    ms = ev.p("slow_ms")
    _, entropy, asked = attending.blocks_that_ask(ev, "entropy", ms)
    enter = ev.p("collapse")
    limit = enter * (LEAVE if active else 1.0)
    flat = [b for b in asked if entropy[b] > limit]
    if not flat:
        return None if asked else UNSURE
    places = attending.asking(ev, flat)
    first = ev.worst(RULE.id, places, lambda place: float(entropy[place.block]))
    block = first.block
    cause = _why(ev)
    text = (
        f"block {block}: entropy {entropy[block]:.3f} of log(keys) or more over {ms:g} ms,"
        f" {beyond(float(entropy[block]), enter, LEAVE * enter)}"
    )
    told = {"entropy": round(float(entropy[block]), 4), "blocks": flat}
    groups = tuple(place.index for place in places)
    return Verdict(cause, text, told, attending.remedies(ev, SHARPER), first, groups)


def _why(ev: Evidence) -> str:
    sharpness = ev.get("attention.sharpness")
    traces = ev.changed("attention.tau") or ev.changed("attention.kappa")
    blunter = sharpness < 1 and ev.changed("attention.sharpness") and not traces
    return "sharpness" if sharpness < BLUNT or blunter else "traces"


RULE = Rule(
    id="attention_collapse",
    title="Attention collapse",
    severity="warning",
    text="The entropy of a block's attention over log(keys) is above `health.collapse` at every look"
    " in `health.slow_ms`. Only queries with a spike and 8 keys or more count, of blocks whose LIF in"
    " fires at 20 Hz or more during the look. Over below 0.95 times that; held while no block asks.",
    causes=CAUSES,
    look=look,
    wants=("entropy",),
    window="slow_ms",
    groups=("attention",),
    instead=("not_firing", "sparsity", "runaway"),
    echoes=True,
    unsure=attending.UNASKED,
)
