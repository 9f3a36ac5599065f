"""Place cells of the arena and time cells of an episode.

    place  rate_i(x) = peak * exp(-|x - c_i|^2 / (2 sigma^2))             O'Keefe & Dostrovsky 1971
    time   rate_i(t) = peak * exp(-(t - mu_i)^2 / (2 (0.3 mu_i)^2))       later cells are wider
mu_i is even in log t (Weber's law): MacDonald et al. 2011; Howard et al. 2014.
c_i stand in rows over the whole square, equally many in each to within one, moved by at most a quarter
of their distance.  Rates in the dtype of the input.
B batch  P place cells  C time cells
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from t4dm.spiking.init import uniform

WEBER = 0.3  # width of a time field over its peak time


def lattice(n: int) -> Tensor:
    """(n, 2) float64 points spread over the unit square, in ceil(n / ceil(sqrt n)) rows."""
    rows = math.ceil(n / math.ceil(math.sqrt(n)))
    points: list[tuple[float, float]] = []
    for row in range(rows):
        size = n // rows + (row < n % rows)
        points += [((row + 0.5) / rows, (at + 0.5) / size) for at in range(size)]
    return torch.tensor(points, dtype=torch.float64)


class PlaceCells(nn.Module):
    """``centre`` (P,2) m on a jittered lattice over a square of side ``arena``."""

    centre: Tensor

    def __init__(
        self, n: int, arena: float, width: float, peak: float, *, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.width, self.peak = width, peak
        side = math.ceil(math.sqrt(n))
        jitter = uniform((n, 2), -0.25 / side, 0.25 / side, generator)
        self.register_buffer("centre", ((lattice(n) + jitter) * arena).float())

    def forward(self, position: Tensor) -> Tensor:
        """Rates (B,P) in Hz at positions (B,2) in m."""
        distance2 = (position[:, None] - self.centre).square().sum(-1)
        return self.peak * torch.exp(-distance2 / (2 * self.width**2))


class TimeCells(nn.Module):
    """``preferred`` (C,) s, from ``first`` to ``last``."""

    preferred: Tensor

    def __init__(self, n: int, first: float, last: float, peak: float) -> None:
        super().__init__()
        self.peak = peak
        steps = torch.linspace(math.log(first), math.log(last), n, dtype=torch.float64)
        self.register_buffer("preferred", steps.exp().float())

    def forward(self, elapsed: Tensor) -> Tensor:
        """Rates (B,C) in Hz at times (B,) in s since the episode began."""
        away = (elapsed[:, None] - self.preferred) / (WEBER * self.preferred)
        return self.peak * torch.exp(-0.5 * away.square())
