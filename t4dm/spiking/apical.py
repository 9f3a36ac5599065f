"""Apical modulation: the block's own input, as context, gains the basal drive.

    m = basal * sigmoid(gain * (x W_ap + b_ap))                     docs/equations.md, section 3
Given the apical context, also   prediction error = mean (basal - tanh(apical))^2,
goodness = mean m^2 (Hinton 2022); without a context both are absent and m = basal.
Larkum 2013 (apical amplification).   B batch  T time  D channels
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from t4dm.spiking.init import generator_of, projection


class ApicalOut(NamedTuple):
    """``modulated`` (..., D); ``prediction_error`` and ``goodness`` (...) or None without context."""

    modulated: Tensor
    prediction_error: Tensor | None
    goodness: Tensor | None


def apical_drive(context: Tensor, weight: Tensor, b: Tensor) -> Tensor:
    """The apical drive (..., D) of a context (..., D)."""
    return context @ weight + b


class ApicalModulation(nn.Module):
    """``weight`` (D, D) and ``bias`` (D,)."""

    def __init__(
        self,
        dim: int,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.weight = projection(dim, generator_of(generator), dtype)
        self.bias = nn.Parameter(torch.zeros(dim, dtype=dtype))

    def modulate(self, basal: Tensor, context: Tensor, gain: float = 1.0) -> Tensor:
        """m alone, for the running block."""
        drive = apical_drive(context, self.weight, self.bias)
        return basal * torch.sigmoid(gain * drive)

    def forward(self, basal: Tensor, context: Tensor | None = None, gain: float = 1.0) -> ApicalOut:
        """m with its measures; a missing context leaves ``basal`` as it is."""
        if context is None:
            return ApicalOut(basal, None, None)
        drive = apical_drive(context, self.weight, self.bias)
        modulated = basal * torch.sigmoid(gain * drive)
        error = (basal - torch.tanh(drive)).square().mean(-1)
        return ApicalOut(modulated, error, modulated.square().mean(-1))
