"""How long a step of a session lasts, ``dt`` in ms, and what follows from it.

What is written in ms or Hz means the same at every dt: it becomes steps where it is used.  What is a
share, or a number, a step is used as it stands; only its *default* follows dt, so that a session nobody
changed has the same time constants and aims at the same rates in Hz:

    a leak alpha = exp(-dt/tau_m)          alpha ** dt, as far as an alpha may go
    a rate or a decay a step               times dt
    a step of learning per such a rate     divided by dt

The lengths are powers of two, so that times over dt are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from t4dm.params import ParamError

STEP_MS = 1.0
STEPS_MS = (0.25, 0.5, 1.0, 2.0)
LEAKS, MOST_LEAK = ("lif.alpha", "sensory.alpha"), 0.999
RATES = ("homeostasis.target_rate", "rwkv.decay", "sensory.x_target")
PER_RATE = ("sensory.learning_rate",)
_DIGITS = 6


def check_step(dt: float) -> float:
    """``dt`` where it is one of :data:`STEPS_MS`; raises :class:`ParamError` naming them."""
    if dt not in STEPS_MS:
        known = [f"{step:g}" for step in STEPS_MS]
        message = f"dt: a step lasts {', '.join(known[:-1])} or {known[-1]} ms, got {dt:g}"
        raise ParamError("dt", message, unit="ms", choices=known)
    return float(dt)


def steps_of(ms: float, dt: float) -> int:
    """The nearest number of whole steps to ``ms``, 1 at least unless ``ms`` is 0."""
    return max(1, round(ms / dt)) if ms > 0 else 0


def at_step(path: str, value: Any, dt: float) -> Any:
    """What ``value`` of a 1 ms step comes to at ``dt``; ``path`` may be an override of a stage."""
    parts = path.split(".")
    owner = "lif" if parts[-2].startswith("lif_") else parts[-2]
    name = f"{owner}.{parts[-1]}"
    if dt == STEP_MS or value is None:
        return value
    if name in LEAKS:
        return min(round(value**dt, _DIGITS), max(value, MOST_LEAK))
    if name in RATES:
        return value * dt
    return value / dt if name in PER_RATE else value


def all_at_step(values: Mapping[str, Any], dt: float) -> dict[str, Any]:
    """:func:`at_step` of every path."""
    return {path: at_step(path, value, dt) for path, value in values.items()}
