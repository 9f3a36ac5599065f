"""Threshold homeostasis (docs/equations.md, section 5); no torch here.

    adjustment = learning_rate * (target_rate - rate);   theta_h <- clip(theta_h - adjustment, +-theta_max)
    theta = max(v_thresh + theta_h, THETA_MIN)
Measured on spikes, each step outside stimulus rests; it acts on theta only.  ``HomeostasisControl``, which
has no bound, brings a population from 1, 30 or 60 % to 10 +- 1 % within 15 s at a learning rate of 0.005;
so does the live network's rule at its default rate of 0.005 where theta_max is 10.  Its default theta_max
of 0.5 is for a calibrated network and ends at 4, 18 and 38 %.
Turrigiano & Nelson 2004.
"""

from __future__ import annotations

from t4dm.learning.params import HomeostasisParams

THETA_MIN = 0.01
"""Lowest effective threshold: at or below 0 a silent membrane would fire and be pushed up."""


def effective_threshold(v_thresh: float, theta_h: float) -> float:
    """theta of a stage; a theta_h that is NaN stays one."""
    theta = v_thresh + theta_h
    return THETA_MIN if theta < THETA_MIN else theta


def homeostasis_step(
    theta_h: float, rate: float, params: HomeostasisParams, rest: bool = False
) -> float:
    """theta_h after a step in which the share ``rate`` of a stage's neurons fired."""
    if rest or not params.enabled:
        return theta_h
    moved = theta_h - params.learning_rate * (params.target_rate - rate)
    return min(params.theta_max, max(-params.theta_max, moved))


class HomeostasisControl:
    """One stage's controller without a bound, for scripts; the stack calls :func:`homeostasis_step`.

    At ``learning_rate`` 0.005 a population comes from 1, 30 or 60 % to 10 +- 1 % within 15 s; the
    default of 0.001 is five times slower.
    """

    def __init__(self, target_rate: float = 0.1, learning_rate: float = 0.001) -> None:
        self.target_rate, self.learning_rate = target_rate, learning_rate

    def compute_adjustment(self, current_rate: float) -> float:
        """What is taken off the threshold: positive when the rate is too low."""
        return self.learning_rate * (self.target_rate - current_rate)
