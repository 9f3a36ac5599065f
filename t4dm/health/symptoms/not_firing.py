"""Not firing: a network, or a block of it, that is silent although it has what to fire at."""

from __future__ import annotations

import numpy as np

from t4dm.health import quiet
from t4dm.health.beyond import beyond
from t4dm.health.evidence import Evidence
from t4dm.health.finding import UNSURE, Rule, Said, Severity, Verdict

ORDER = 10
LEAVE = 3.0  # times the threshold
MILDER = "sparsity"  # that says it already where it is not deeper


def look(ev: Evidence, active: Severity | None) -> Said:
    milder = active is None and MILDER in ev.standing
    ms = max(ev.p("window_ms"), ev.p("slow_ms")) if milder else ev.p("window_ms")
    if ev.idle(ms):
        return UNSURE
    enter, leave = ev.p("silent") / (LEAVE if milder else 1.0), ev.p("silent") * LEAVE
    limit = leave if active else enter
    rate = ev.rate(ms)
    if not ev.stack or min(rate[p.index] for p in ev.stack) >= limit:
        return None
    silent = [b for b in ev.blocks if all(rate[p.index] < limit for p in ev.of_block(b))]
    whole = bool(rate[[p.index for p in ev.stack]].mean() < limit)
    if not silent or not (whole or _fed(ev, silent[0], rate)):
        return None
    places = [place for b in silent for place in ev.of_block(b)]
    first = ev.named(RULE.id, places) or places[0]
    found = quiet.explain(ev, first, places, ms)
    own = float(rate[first.index])
    text = (
        f"{first.name} {own:.2%}{ev.per} over {ev.over(ms)}, {beyond(own, enter, leave, '.2%')};"
        f" {found.text}"
    )
    told = {**found.numbers, "blocks": silent, "limit": limit}
    groups = tuple(place.index for place in places)
    return Verdict(found.cause, text, told, found.remedies, first, groups)


def _fed(ev: Evidence, block: int, rate: np.ndarray) -> bool:
    """Whether the block before fires as it should, so that ``block`` has what to fire at."""
    before = [p for p in ev.stack if p.block == block - 1 and p.band]
    return bool(before) and all(rate[p.index] >= p.band[0] for p in before if p.band)


RULE = Rule(
    id="not_firing",
    title="Not firing",
    severity="critical",
    text="The network fires less than `health.silent` spikes a ms over `health.window_ms`, or a"
    " block does although the block before is within its band, the stimulus not resting; over"
    " above three times that. Where extreme sparsity stands, it takes less than a third of it, over"
    " `health.slow_ms`: a weak image does not make one finding of another.",
    causes=quiet.CAUSES,
    look=look,
    wants=("fired", "u_high"),
    groups=("lif", "homeostasis", "gate"),
)
