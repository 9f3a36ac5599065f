"""Saturated weights: nearly all plastic weights of a block stand at 0 or at w_max."""

from __future__ import annotations

from t4dm.health.beyond import beyond
from t4dm.health.evidence import Evidence
from t4dm.health.finding import Remedy, Rule, Severity, Verdict
from t4dm.health.remedies import RESET, changed

ORDER = 41
LEAVE = 0.8  # of the threshold
CAUSES = {
    "rate": "Steps are so large that a few pairs carry a weight from bound to bound.",
    "bound": "w_max is so low that weights have no room below it.",
    "balance": "Potentiation and depression are out of balance: all weights go one way.",
    "time": "Additive STDP has driven the weights apart, as it does in time without mu.",
}
PATHS = (
    "stdp.learning_rate", "stdp.a_plus", "stdp.a_minus", "stdp.w_max", "stdp.tau_plus",
    "stdp.tau_minus", "stdp.window_pre_to_post", "stdp.window_post_to_pre", "neuromod.DA",
)  # fmt: skip
ONE_SIDED = 0.85  # share at the one bound


def look(ev: Evidence, active: Severity | None) -> Verdict | None:
    enter = ev.p("bound_share")
    limit = enter * (LEAVE if active else 1.0)
    shares = ev.weights.at_bounds.sum(axis=1)
    full = [b for b in range(len(shares)) if shares[b] > limit]
    if not full:
        return None
    places = [place for place in ev.stack if place.block in full and place.stage == "lif_in"]
    first = ev.worst(RULE.id, places, lambda place: float(shares[place.block])) if places else None
    block = full[0] if first is None else first.block
    low, high = (float(value) for value in ev.weights.at_bounds[block])
    text = (
        f"block {block}: {low:.1%} of plastic weights at 0, {high:.1%} at w_max,"
        f" together {beyond(low + high, enter, LEAVE * enter, '.0%')}"
    )
    told = {"at_0": round(low, 4), "at_w_max": round(high, 4), "blocks": full}
    cause = _why(ev, low, high)
    again = Remedy(
        "again", "Put learning back and begin anew",
        (*changed(ev, PATHS), RESET), "Weights begin between their bounds again, from the seed.",
    )  # fmt: skip
    groups = tuple(place.index for place in places)
    return Verdict(cause, text, told, (again,), first, groups)


def _why(ev: Evidence, low: float, high: float) -> str:
    if ev.get("stdp.w_max") < 0.2:
        return "bound"
    steps = ev.get("stdp.learning_rate") * max(ev.get("stdp.a_plus"), ev.get("stdp.a_minus"))
    if steps > 0.1:
        return "rate"
    return "balance" if max(low, high) > ONE_SIDED else "time"


RULE = Rule(
    id="saturated_weights",
    title="Saturated weights",
    severity="warning",
    text="More than `health.bound_share` of a block's plastic weights stand at 0 or at w_max; over"
    " below 0.8 times that.",
    causes=CAUSES,
    look=look,
    wants=("weights",),
    window="slow_ms",
    groups=("stdp", "neuromod"),
)
