"""Reward and what dopamine makes of it; no torch here.

    r = value(outcome) * (1 - 0.5 * min(1, |prediction_error|)),  in [-1, 1]
    m = clip((DA - 0.5) / 0.5, -1, 1);   A+ * (1 + 0.5 m),   A- * (1 - 0.3 m)
r is *not* a prediction error: NeuromodBus makes delta = r - r_hat of it (Schultz, Dayan, Montague 1997).
"""

from __future__ import annotations

import math

from t4dm.params import did_you_mean

OUTCOMES = {"success": 1.0, "partial": 0.5, "neutral": 0.0, "failure": -1.0}


def compute_reward(outcome: str | float, prediction_error: float = 0.0) -> float:
    """r in [-1, 1] for a named outcome or a value in [-1, 1]; surprise takes away up to half.

    Raises ValueError for an unknown outcome, a value out of range or a non-finite error.
    """
    if isinstance(outcome, str):
        if outcome not in OUTCOMES:
            raise ValueError(f"unknown outcome '{outcome}'{did_you_mean(outcome, list(OUTCOMES))}")
        value = OUTCOMES[outcome]
    else:
        value = check_reward(outcome)
    if not math.isfinite(prediction_error):
        raise ValueError(f"prediction_error must be finite, got {prediction_error}")
    return value * (1.0 - 0.5 * min(1.0, abs(prediction_error)))


def check_reward(value: float) -> float:
    """``value`` as a float if it lies in [-1, 1]; raises ValueError if not."""
    if not -1.0 <= value <= 1.0:
        raise ValueError(f"a reward must be from -1 to 1, got {value}")
    return float(value)


def dopamine_factors(da: float) -> tuple[float, float]:
    """Factors of A+ and A- at dopamine level ``da``; (1, 1) at the neutral 0.5."""
    m = min(1.0, max(-1.0, (da - 0.5) / 0.5))
    return 1.0 + 0.5 * m, 1.0 - 0.3 * m
