"""Not firing: a block whose two stages are silent although there is something to fire at."""

from __future__ import annotations

from t4dm.health import quiet
from t4dm.health.evidence import Evidence
from t4dm.health.finding import Rule, Verdict

ORDER = 10
LEAVE = 3.0  # times the threshold


def look(ev: Evidence, active: bool) -> Verdict | None:
    ms = ev.p("window_ms")
    if ev.idle(ms):
        return None
    limit = ev.p("silent") * (LEAVE if active else 1.0)
    rate = ev.rate(ms)
    silent = [b for b in ev.blocks if all(rate[p.index] < limit for p in ev.of_block(b))]
    if not silent:
        return None
    places = ev.of_block(silent[0])
    seen = quiet.look_at(ev, places[0], ms)
    cause = quiet.why(ev, seen, ms)
    text = (
        f"rate {max(rate[p.index] for p in places):.1%} over {ms:g} ms; "
        f"max u {seen.high:.2f} {'<' if seen.high < seen.theta else '>='} theta {seen.theta:.2f}"
        f" (v_thresh {seen.v_thresh:.2f})"
    )
    told = {**seen.numbers(), "blocks": silent, "limit": limit}
    groups = tuple(p.index for b in silent for p in ev.of_block(b))
    mends = quiet.remedies(ev, cause, seen, [ev.places[g] for g in groups])
    return Verdict(cause, text, told, mends, places[0], groups)


RULE = Rule(
    id="not_firing",
    title="Not firing",
    severity="critical",
    text="Both stages of a block fire on less than `health.silent` of steps over"
    " `health.window_ms`, the stimulus not resting; over above three times that.",
    causes=quiet.CAUSES,
    look=look,
    wants=("fired", "u_high"),
    groups=("lif", "homeostasis", "gate"),
)
