"""Not firing: a network, or a block of it, that is silent although it has what to fire at."""

from __future__ import annotations

import numpy as np

from t4dm.health import quiet
from t4dm.health.evidence import Evidence
from t4dm.health.finding import UNSURE, Rule, Said, Severity, Verdict

ORDER = 10
LEAVE = 3.0  # times the threshold


def look(ev: Evidence, active: Severity | None) -> Said:
    sparse = active is None and "sparsity" in ev.standing
    ms = max(ev.p("window_ms"), ev.p("slow_ms")) if sparse else ev.p("window_ms")
    if ev.idle(ms):
        return UNSURE
    limit = ev.p("silent") * (LEAVE if active else 1.0 / LEAVE if sparse else 1.0)
    rate = ev.rate(ms)
    if not ev.stack or min(rate[p.index] for p in ev.stack) >= limit:
        return None
    silent = [b for b in ev.blocks if all(rate[p.index] < limit for p in ev.of_block(b))]
    whole = bool(rate[[p.index for p in ev.stack]].mean() < limit)
    if not silent or not (whole or _fed(ev, silent[0], rate)):
        return None
    places = ev.of_block(silent[0])
    seen = quiet.look_at(ev, quiet.root(ev, rate), ms)
    cause = quiet.why(ev, seen, ms)
    text = (
        f"{seen.place.name}: rate {seen.rate:.1%}{ev.per} over {ev.over(ms)}; "
        f"max u {seen.high:.2f}, theta {seen.theta:.2f} (v_thresh {seen.v_thresh:.2f}), drive"
        f" {seen.drive:.2f} of what fires by itself"
    )
    told = {**seen.numbers(), "blocks": silent, "limit": limit}
    groups = tuple(p.index for b in silent for p in ev.of_block(b))
    mends = quiet.remedies(ev, cause, seen, [ev.places[g] for g in groups])
    return Verdict(cause, text, told, mends, places[0], groups)


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
    " above three times that. Where extreme sparsity stands, it takes less than a third"
    " of it, over `health.slow_ms`: a weak image does not make one finding of another.",
    causes=quiet.CAUSES,
    look=look,
    wants=("fired", "u_high"),
    groups=("lif", "homeostasis", "gate"),
)
