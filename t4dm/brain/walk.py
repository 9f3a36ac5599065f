"""A random walk like a foraging rat's, in a square with walls.

    speed     v = s * sqrt(2/pi) * |(a, b)|     a, b: Ornstein-Uhlenbeck, sd 1, tau_v = 0.7 s
    turning   w = c                             c:    Ornstein-Uhlenbeck, sd ``turning``, tau_w = 0.08 s
    heading  += w dt,   position += v dt (cos heading, sin heading)
|(a, b)| of two independent normals is Rayleigh distributed with mean sqrt(pi/2), so the mean speed is
``s``.  Rayleigh speeds, normal turning and both time constants as fitted to rats by George et al. 2024
(data of Sargolini et al. 2006).  At a wall place and heading are mirrored.  An OU process is stepped
exactly: x' = x e + sqrt(1 - e^2) n with e = exp(-dt/tau) and n normal (Gillespie 1996).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

SPEED_TAU_S = 0.7
TURN_TAU_S = 0.08


class Walk(NamedTuple):
    """Place ``x``, ``y`` in m, ``heading`` in rad, and the three processes, sd 1."""

    x: float
    y: float
    heading: float
    a: float
    b: float
    c: float


def begin(draws: np.random.Generator, side: float) -> Walk:
    """Somewhere in a square of ``side`` m, with the processes at rest in their spread."""
    x, y, turn = draws.random(3).tolist()
    a, b, c = draws.standard_normal(3).tolist()
    return Walk(x * side, y * side, turn * 2 * math.pi, a, b, c)


def advance(
    walk: Walk, draws: np.random.Generator, dt: float, side: float, speed: float, turning: float
) -> Walk:
    """The walk ``dt`` s on: ``speed`` in m/s, ``turning`` in rad/s, three normal draws."""
    n = draws.standard_normal(3)
    a = _process(walk.a, float(n[0]), dt / SPEED_TAU_S)
    b = _process(walk.b, float(n[1]), dt / SPEED_TAU_S)
    c = _process(walk.c, float(n[2]), dt / TURN_TAU_S)
    heading = walk.heading + turning * c * dt
    way = speed * math.sqrt(2 / math.pi) * math.hypot(a, b) * dt
    x, flipped_x = mirrored(walk.x + way * math.cos(heading), side)
    y, flipped_y = mirrored(walk.y + way * math.sin(heading), side)
    heading = math.pi - heading if flipped_x else heading
    heading = -heading if flipped_y else heading
    return Walk(x, y, heading % (2 * math.pi), a, b, c)


def _process(x: float, n: float, share: float) -> float:
    kept = math.exp(-share)
    return kept * x + math.sqrt(1.0 - kept * kept) * n


def mirrored(x: float, side: float) -> tuple[float, bool]:
    """``x`` folded back into 0..side, and whether its direction turned round."""
    folds, rest = divmod(x, side)
    odd = folds % 2 != 0
    return (side - rest if odd else rest), odd
