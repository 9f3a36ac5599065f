"""Thalamic gate: acetylcholine opens it (docs/equations.md, section 3).

    g = sigmoid(slope * (x W_g + b_g) + bias) * (0.5 + ACh),   y = g * x,   g in (0, 1.5)

"Gate activity" is g, per channel over time.  Sarter & Parikh 2005 (cholinergic gain).
B batch  T time  D channels
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from t4dm.spiking.init import generator_of, projection


def thalamic_gate(
    x: Tensor, weight: Tensor, b: Tensor, *, ach: float = 0.5, slope: float = 1.0, bias: float = 0.0
) -> tuple[Tensor, Tensor]:
    """``(g * x, g)`` for (..., D)."""
    g = torch.sigmoid(slope * (x @ weight + b) + bias) * (0.5 + ach)
    return g * x, g


class ThalamicGate(nn.Module):
    """``weight`` (D, D) and ``bias`` (D,); the level of ACh comes in with every call."""

    def __init__(
        self,
        dim: int,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.weight = projection(dim, generator_of(generator), dtype)
        self.bias = nn.Parameter(torch.zeros(dim, dtype=dtype))

    def forward(
        self, x: Tensor, ach: float = 0.5, slope: float = 1.0, bias: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """``(gated, g)``, both shaped as ``x`` (..., D)."""
        return thalamic_gate(x, self.weight, self.bias, ach=ach, slope=slope, bias=bias)
