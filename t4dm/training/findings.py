"""What is wrong with a training run, read off its course: pure functions, no clock, no torch.

    nan         a step that was not finite (and so was not applied) among the last ``RECENT``
    exploding   median gradient norm of the last ``RECENT`` steps above 10
    vanishing   the same below 0.1
    plateau     mean loss of the last ``LONG`` wake steps no lower than that of the ``LONG`` before,
                by 1 % or two standard errors, whichever is less, and still above ``FLOOR``
    over_fit    held-out loss in its last two scorings 0.1 nat above its lowest or more, while the
                training loss is lower than it was then
Band of the norm: Pascanu, Mikolov, Bengio 2013 on clipping; over-fit by rising held-out loss: Prechelt
1998.  Each finding has its numbers, its cause and remedies as commands on the parameters in use.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from t4dm.training.params import TrainParams
from t4dm.training.remedies import (
    LONG,
    SHORT,
    Remedy,
    again,
    against_learning_by_heart,
    hasten,
    lower,
    setting,
    settle,
)

RECENT = 20
LOW, HIGH = 0.1, 10.0
FLOOR = 0.5  # nat: below it a flat loss is a job done
RISE = 0.1  # nat above the lowest held-out loss
Severity = Literal["note", "warning", "critical"]


@dataclass(frozen=True, slots=True)
class Step:
    """One optimizer step as the run's files tell it; ``rate`` and EWC ``penalty`` where they are known."""

    step: int
    loss: float
    grad_norm: float
    asleep: bool = False
    applied: bool = True
    rate: float = math.nan
    penalty: float = 0.0


@dataclass(frozen=True, slots=True)
class Scored:
    """Held-out loss after ``step`` optimizer steps."""

    step: int
    loss: float


@dataclass(frozen=True, slots=True)
class Finding:
    """``rule``: measured value beside its limit; ``since_step``: where what is seen began."""

    id: str
    severity: Severity
    rule: str
    cause: dict[str, str]
    numbers: dict[str, float | None]
    remedies: list[Remedy]
    since_step: int
    state: Literal["active", "cleared"] = "active"
    where: dict[str, Any] = field(
        default_factory=lambda: {"block": None, "stage": "training", "group": ""}
    )
    since_ms: float | None = None  # training has no simulated time

    def as_json(self) -> dict[str, Any]:
        """The finding as status and REST carry it."""
        return asdict(self)


def findings(
    steps: Sequence[Step], scored: Sequence[Scored], params: TrainParams,
    usual: TrainParams | None = None,
) -> list[Finding]:  # fmt: skip
    """What is wrong now, the worst first; nothing while too few steps are known.

    ``usual`` are the parameters that the run begins with, where others are in use.
    """
    usual = params if usual is None else usual
    rules: list[Callable[[], Finding | None]] = [
        lambda: not_finite(steps, params, usual),
        lambda: exploding(steps, params, usual),
        lambda: vanishing(steps, params, usual),
        lambda: over_fit(steps, scored, params),
        lambda: plateau(steps, params, usual),
    ]
    found = [rule() for rule in rules]
    return [one for one in found if one is not None]


def not_finite(steps: Sequence[Step], params: TrainParams, usual: TrainParams) -> Finding | None:
    """Steps whose loss or gradient was not finite."""
    bad = [one for one in steps[-RECENT:] if not one.applied]
    if not bad:
        return None
    return Finding(
        "training_nan", "critical",
        f"{len(bad)} of the last {min(RECENT, len(steps))} steps not finite; limit 0",
        {"code": "not_finite", "text": "Loss or gradient was infinite or no number; the step was "
         "not applied, the weights are those of the step before."},
        {"steps": len(bad), "loss": _plain(bad[-1].loss), "grad_norm": _plain(bad[-1].grad_norm)},
        [lower(params, usual, 4, "every step is applied again"), again(params, usual, 4)],
        bad[0].step,
    )  # fmt: skip


def exploding(steps: Sequence[Step], params: TrainParams, usual: TrainParams) -> Finding | None:
    """Gradient norms above the band: by the pull of EWC, or by steps that are too large."""
    median = _median_norm(steps)
    if median is None or median <= HIGH:
        return None
    last = steps[-RECENT:]
    pulled = sum(one.penalty > one.loss for one in last) > RECENT // 2
    remedies = [lower(params, usual, 2, f"the norm comes below {HIGH:g}")]
    cause, text = (
        "steps_too_large",
        (
            "Each step changes the loss more than its gradient can tell: the rate is too high for "
            "this place."
        ),
    )
    if pulled:
        cause, text = (
            "pull_too_strong",
            "EWC pulls the weights back harder than the loss moves them, by steps that overshoot.",
        )
        weaker = 0.0 if params.ewc_strength <= usual.ewc_strength else usual.ewc_strength
        pull = {"train.ewc_strength": weaker}
        label = f"Set the strength of EWC to {weaker:g}"
        remedies.insert(0, setting("weaker_pull", label, pull, f"the norm comes below {HIGH:g}"))
    remedies.append(again(params, usual, 2))
    if params.clip == 0 or params.clip > 1:
        expect = "updates stay small; the norm is told before clipping, and may stay large"
        remedies.append(setting("clip", "Clip at 1", {"train.clip": 1.0}, expect))
    return Finding(
        "training_exploding", "warning",
        f"median gradient norm {median:.3g} over {RECENT} steps; band {LOW:g} to {HIGH:g}",
        {"code": cause, "text": text},
        {"median_norm": median, "learning_rate": params.learning_rate, "clip": params.clip,
         "penalty": _plain(last[-1].penalty)},
        remedies, _since(steps, lambda one: one.grad_norm > HIGH),
    )  # fmt: skip


def vanishing(steps: Sequence[Step], params: TrainParams, usual: TrainParams) -> Finding | None:
    """Gradient norms below the band: nothing is left to learn, or nothing gets through."""
    median = _median_norm(steps)
    if median is None or median >= LOW:
        return None
    loss = sum(one.loss for one in steps[-RECENT:]) / RECENT
    learnt = loss < FLOOR
    cause, text = (
        ("nothing_left", f"The loss is down to {loss:.2g}: hardly an error is left to learn from.")
        if learnt
        else (
            "nothing_flows",
            ("Little of the error reaches the weights: a part of the model is saturated, as after "
            "steps that were far too large."),
        )
    )  # fmt: skip
    stop = {"type": "pause", "reason": "nothing is left to learn"}
    return Finding(
        "training_vanishing", "note" if learnt else "warning",
        f"median gradient norm {median:.3g} over {RECENT} steps; band {LOW:g} to {HIGH:g}",
        {"code": cause, "text": text},
        {"median_norm": median, "loss": _plain(loss), "learning_rate": params.learning_rate},
        [Remedy("stop", "Stop here", [stop], "the run stands; run goes on")]
        if learnt else [again(params, usual, 2)],
        _since(steps, lambda one: one.grad_norm < LOW),
    )  # fmt: skip


def plateau(steps: Sequence[Step], params: TrainParams, usual: TrainParams) -> Finding | None:
    """A loss that no longer falls though it is not low."""
    awake = [one for one in steps if not one.asleep and one.applied]
    if len(awake) < 2 * LONG:
        return None
    before = [one.loss for one in awake[-2 * LONG : -LONG]]
    now = [one.loss for one in awake[-LONG:]]
    mean_before, mean_now = sum(before) / LONG, sum(now) / LONG
    error = math.sqrt((_variance(before) + _variance(now)) / LONG)
    if mean_now < FLOOR or mean_before - mean_now > min(0.01 * mean_before, 2 * error):
        return None
    rate = params.learning_rate if math.isnan(steps[-1].rate) else steps[-1].rate
    short = rate < SHORT * usual.learning_rate
    cause, text = (
        ("rate_too_low", "The steps are too short: at this rate the weights stay what they are.")
        if short
        else (
            "no_progress",
            (
                "Steps to and fro cancel each other: a smaller rate settles lower, and if it does "
                "not the model or the text is at its end."
            ),
        )
    )
    return Finding(
        "training_plateau", "note",
        f"loss {mean_now:.3f} over {LONG} wake steps, {mean_before:.3f} over the {LONG} before",
        {"code": cause, "text": text},
        {"loss_before": mean_before, "loss_now": mean_now, "standard_error": error,
         "learning_rate": rate},
        hasten(steps[-1].step, params, usual) if short else settle(params, usual),
        awake[-LONG].step,
    )  # fmt: skip


def over_fit(
    steps: Sequence[Step], scored: Sequence[Scored], params: TrainParams
) -> Finding | None:
    """Held-out loss that has left its lowest while the training loss went on falling."""
    if len(scored) < 3:
        return None
    lowest, last = min(scored, key=lambda one: one.loss), scored[-1]
    risen = all(one.loss >= lowest.loss + RISE for one in scored[-2:])
    was, now = (_training_loss(steps, one.step) for one in (lowest, last))
    was = steps[0].loss if was is None else was
    if not risen or now is None or now >= was:
        return None
    return Finding(
        "training_over_fit", "warning",
        f"held-out loss {last.loss:.3f}, lowest {lowest.loss:.3f} at step {lowest.step}; "
        f"limit {RISE:g} above",
        {"code": "learnt_by_heart", "text": "The trained text still gets easier, text never seen "
         "gets harder: it is being learnt by heart."},
        {"held_out": last.loss, "lowest": lowest.loss, "trained": now},
        against_learning_by_heart(params, lowest.step),
        lowest.step,
    )  # fmt: skip


def _median_norm(steps: Sequence[Step]) -> float | None:
    known = sorted(one.grad_norm for one in steps[-RECENT:] if math.isfinite(one.grad_norm))
    return known[len(known) // 2] if len(known) >= RECENT // 2 and len(steps) >= RECENT else None


def _since(steps: Sequence[Step], holds: Callable[[Step], bool]) -> int:
    """First step of the unbroken end of ``steps`` for which ``holds``; else the last step."""
    since = steps[-1].step
    for one in reversed(steps):
        if not holds(one):
            break
        since = one.step
    return since


def _training_loss(steps: Sequence[Step], at: int) -> float | None:
    known = [one.loss for one in steps if one.step < at and not one.asleep and one.applied]
    return sum(known[-RECENT:]) / RECENT if len(known) >= RECENT else None


def _variance(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / len(values)


def _plain(value: float) -> float | None:
    """JSON knows no infinity and no NaN: both are null."""
    return value if math.isfinite(value) else None
