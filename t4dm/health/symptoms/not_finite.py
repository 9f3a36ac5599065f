"""NaN or Inf: the run stands still, and only a reset goes on."""

from __future__ import annotations

from t4dm.health.evidence import Evidence
from t4dm.health.finding import Rule, Severity, Verdict
from t4dm.health.remedies import RESET, RUN, Remedy, changed, lif_paths

ORDER = 0
CAUSES = {
    "overflow": "Values grew beyond what a number can hold: too much drive, too little leak.",
    "unknown": "No parameter that makes values grow stands away from its default.",
}
SUSPECTS = (
    "input.gain",
    "recurrent.gain",
    "stimulus.amplitude",
    "stdp.w_max",
    "stdp.learning_rate",
)


def look(ev: Evidence, active: Severity | None) -> Verdict | None:
    if ev.bad is None:
        return None
    commands = changed(ev, [*lif_paths(("u_max", "alpha"), ev.stack), *SUSPECTS])
    text = f"{ev.bad} is not finite at step {ev.step - 1}"
    again = Remedy(
        "reset",
        "Reset, with what made it grow put back" if commands else "Reset and run",
        (*commands, RESET, RUN),
        "The run begins anew from its seed; every value is finite.",
    )
    cause = "overflow" if commands else "unknown"
    return Verdict(cause, text, {"tensor": ev.bad, "step": ev.step - 1}, (again,))


RULE = Rule(
    id="not_finite",
    title="NaN or Inf",
    severity="critical",
    text="A value of the state is NaN or Inf.",
    causes=CAUSES,
    look=look,
    wants=(),
)
