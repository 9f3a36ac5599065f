"""Grid cells: hexagonal maps of several scales, each peaking at the declared rate.

    rate(x) = peak * (3/2 + sum_i cos( (k / lambda_m) u_i . (x - phi) )) / (9/2)
    k = 4 pi / sqrt(3),  u_i = (cos, sin)(theta_m + i * 60 deg),  i = 0, 1, 2
The sum lies in -3/2..3, so rates lie in 0..peak and reach the peak at every vertex x = phi + lattice.
lambda_m is the distance of neighbouring vertices.  Hafting et al. 2005; cosine form: Solstad, Moser &
Einevoll 2006; scale steps of about sqrt(2): Stensola et al. 2012.  In the dtype of the position.
B batch  M modules  G cells a module
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablation, Ablations
from t4dm.spiking.init import uniform

SCALE_STEP = math.sqrt(2.0)


class GridCells(nn.Module):
    """``k`` (1,), ``spacing`` (M,) m, ``waves`` (M,3,2) unit vectors, ``phase`` (M,G,2) m: buffers."""

    k: Tensor
    spacing: Tensor
    waves: Tensor
    phase: Tensor

    def __init__(
        self,
        n_scales: int,
        n_phases: int,
        smallest: float,
        peak: float = 25.0,
        *,
        generator: torch.Generator,
        ablations: Ablations = NONE,
    ) -> None:
        super().__init__()
        self.peak = peak
        k = torch.tensor([4.0 * math.pi / math.sqrt(3.0)])
        if Ablation.GRID_CONSTANT_UNREGISTERED in ablations:
            self.k = k
        else:
            self.register_buffer("k", k)
        spacing = smallest * SCALE_STEP ** torch.arange(n_scales, dtype=torch.float64)
        turn = uniform((n_scales, 1), 0.0, math.pi / 3, generator)
        angle = turn + torch.arange(3) * (math.pi / 3)
        phase = uniform((n_scales, n_phases, 2), 0.0, 1.0, generator) * spacing[:, None, None]
        self.register_buffer("spacing", spacing.float())
        self.register_buffer("waves", torch.stack([angle.cos(), angle.sin()], -1).float())
        self.register_buffer("phase", phase.float())

    def forward(self, position: Tensor) -> Tensor:
        """Rates (B,M,G) in Hz at positions (B,2) in m, in their dtype."""
        offset = position[:, None, None] - self.phase
        along = torch.einsum("bmgx,mwx->bmgw", offset, self.waves)
        waves = torch.cos(along * (self.k / self.spacing)[:, None, None])
        return self.peak * (1.5 + waves.sum(-1)).clamp(min=0.0) / 4.5
