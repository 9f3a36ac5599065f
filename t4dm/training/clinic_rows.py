"""The numbers of a clinic row, and the judgement of a faulty run beside its sound one.  No torch here.

steps to loss 5   the first step at which the mean of the last 25 wake losses is below 5
final             mean of the last 50 wake losses
gradient norm     median and largest after the first 20 steps, before clipping
curve_tells       the faulty run's final or held-out loss is further from the sound run's than
                  twice the spread of sound runs from other seeds; None where a run stopped
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

TARGET_LOSS = 5.0
TARGET_OVER, FINAL_OVER, UNSTEADY = 25, 50, 20
CURVE_POINTS = 60
SHOWN = ("steps_to_5", "final", "held_out", "norm_median", "norm_max", "curve")
Row = dict[str, Any]


def numbers(reports: Sequence[Any]) -> Row:
    """Of one run, from its steps; None where there is no such number."""
    awake = [(one.step + 1, one.loss) for one in reports if one.phase == "wake"]
    losses = [loss for _, loss in awake]
    norms = [one.grad_norm for one in reports[UNSTEADY:]]
    below = (
        awake[end - 1][0]
        for end in range(TARGET_OVER, len(awake) + 1)
        if np.mean(losses[end - TARGET_OVER : end]) < TARGET_LOSS
    )
    return {
        "steps_done": len(reports),
        "steps_to_5": next(below, None),
        "first": finite(losses[0]) if losses else None,
        "final": finite(float(np.mean(losses[-FINAL_OVER:]))) if losses else None,
        "norm_median": finite(float(np.median(norms))) if norms else None,
        "norm_max": finite(max(norms)) if norms else None,
        "curve": curve(awake),
    }


def curve(awake: Sequence[tuple[int, float]]) -> list[list[float]]:
    """[step, mean loss] of at most ``CURVE_POINTS`` pieces of the run."""
    if not awake:
        return []
    pieces = np.array_split(np.array(awake, float), min(CURVE_POINTS, len(awake)))
    means = [[int(piece[-1, 0]), float(piece[:, 1].mean())] for piece in pieces]
    return [[step, round(loss, 4)] for step, loss in means if math.isfinite(loss)]


def finite(value: float) -> float | None:
    """JSON knows no infinity and no NaN: both are null."""
    return value if math.isfinite(value) else None


def spread(sound: Sequence[Row], key: str) -> float:
    """Largest less smallest of ``key`` over sound runs of several seeds."""
    values = [row[key] for row in sound]
    return float(max(values) - min(values))


def beside(faulty: Row, sound: Sequence[Row]) -> Row:
    """What is said of a faulty row next to the sound runs of its trial, the first of the same seed."""
    return {"beside": {key: sound[0][key] for key in SHOWN}, "curve_tells": _tells(faulty, sound)}


def _tells(faulty: Row, sound: Sequence[Row]) -> bool | None:
    if faulty["error"]:
        return None
    for key in ("final", "held_out"):
        if faulty[key] is None:
            return True
        if len(sound) > 1 and abs(faulty[key] - sound[0][key]) > 2 * spread(sound, key):
            return True
    return False
