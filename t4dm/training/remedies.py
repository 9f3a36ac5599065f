"""Remedies of what is found in a training run: parameters to set between two steps, or beginning again.

Rates are moved relative to the one that the run begins with: from far above it back to it, and from
far below it up to it.  Beginning again is offered where weights may be beyond repair.  No torch here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from t4dm.training.params import LiveTrainParams, TrainParams

LONG = 100  # steps within which a remedy should show
SHORT = 1 / 20  # of the usual rate: steps below it are too short to get anywhere
MOST_STEPS = 10_000_000
RESET: dict[str, Any] = {"type": "reset"}


@dataclass(frozen=True, slots=True)
class Remedy:
    """``commands`` set parameters between two steps; ``expect`` says what should be seen then."""

    id: str
    label: str
    commands: list[dict[str, Any]]
    expect: str


def hasten(step: int, params: TrainParams, usual: TrainParams) -> list[Remedy]:
    """Against steps that are too short: a higher peak, or a schedule that is not over."""
    expect = f"the loss falls within {LONG} steps"
    if params.learning_rate < SHORT * usual.learning_rate:
        return [_rate("raise_rate", "Raise", usual.learning_rate, expect)]
    total = min(MOST_STEPS, 2 * (step + 1))
    label = f"Let the schedule go on to step {total:,}"
    return [setting("longer_schedule", label, {"train.total_steps": total}, expect)]


def settle(params: TrainParams, usual: TrainParams) -> list[Remedy]:
    """Against steps that cancel each other; far above the usual rate the weights may be lost too."""
    calmer = lower(params, usual, 3, f"the loss falls within {LONG} steps")
    wild = params.learning_rate > 3 * usual.learning_rate
    return [calmer, again(params, usual, 3)] if wild else [calmer]


def against_learning_by_heart(params: TrainParams, step: int) -> list[Remedy]:
    """Back to where it was best; or held back from now on, or from the first step on."""
    values = {"train.weight_decay": min(1.0, max(0.1, 2 * params.weight_decay))}
    if isinstance(params, LiveTrainParams):
        values["train.dropout"] = min(0.5, max(0.2, 2 * params.dropout))
    words = " and ".join(
        f"{path.partition('.')[2].replace('_', ' ')} {value:.2g}" for path, value in values.items()
    )
    hold = setting("hold_back", f"Go on with {words}", values, "the held-out loss comes down again")
    anew = Remedy(
        "again", f"Begin again with {words}; the course so far is lost",
        [*hold.commands, RESET], "the held-out loss falls further before it rises",
    )  # fmt: skip
    back = f"Go back to the checkpoint near step {step}"
    return [Remedy("branch", back, [], "the held-out loss is at its lowest again"), hold, anew]


def lower(params: TrainParams, usual: TrainParams, by: float, expect: str) -> Remedy:
    """A smaller rate: the usual one from far above it, else ``by`` times less."""
    return _rate("lower_rate", "Lower", _calm(params, usual, by), expect)


def again(params: TrainParams, usual: TrainParams, by: float) -> Remedy:
    """From step 0 at a rate that is smaller, where weights may be beyond repair."""
    rate = _calm(params, usual, by)
    commands = [{"type": "set", "path": "train.learning_rate", "value": rate}, RESET]
    label = f"Begin again at the rate {rate:.2g}; the course so far is lost"
    return Remedy("again", label, commands, "the loss falls from the first step on")


def _calm(params: TrainParams, usual: TrainParams, by: float) -> float:
    less = params.learning_rate / by
    return usual.learning_rate if less > usual.learning_rate else less


def _rate(name: str, verb: str, value: float, expect: str) -> Remedy:
    return setting(name, f"{verb} the rate to {value:.2g}", {"train.learning_rate": value}, expect)


def setting(name: str, label: str, values: dict[str, float], expect: str) -> Remedy:
    """Set ``values`` by path."""
    commands = [{"type": "set", "path": path, "value": value} for path, value in values.items()]
    return Remedy(name, label, commands, expect)
