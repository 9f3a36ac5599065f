"""Thalamus: arousal sets the gain of what is relayed.

    g     = sigmoid(x W_g + b_g) * (0.5 + arousal)       in (0, 1.5)
    relay = (g * x) W_r + b_r
Relay under attention and arousal: McCormick & Bal 1997; Halassa & Kastner 2017.
In and out in the dtype of ``x``, which the weights have.
B batch  T time  D channels
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablation, Ablations
from t4dm.hippocampal.draws import linear


class Thalamus(nn.Module):
    """``gate`` and ``relay`` (D to D)."""

    def __init__(
        self, dim: int, *, generator: torch.Generator, ablations: Ablations = NONE
    ) -> None:
        super().__init__()
        self.gate = linear(dim, dim, generator, std=dim**-0.5)
        self.relay = linear(dim, dim, generator, std=dim**-0.5)
        self.default_dtype = Ablation.THALAMUS_GAIN_DTYPE in ablations

    def forward(self, x: Tensor, arousal: Tensor | float = 0.5) -> tuple[Tensor, Tensor]:
        """``(relay, g)``, both (B,T,D), for ``x`` (B,T,D); arousal one number or (B,T), 0 to 1."""
        g = torch.sigmoid(self.gate(x)) * self._gain(x, arousal)
        return self.relay(g * x), g

    def _gain(self, x: Tensor, arousal: Tensor | float) -> Tensor:
        dtype = torch.float32 if self.default_dtype else x.dtype
        if isinstance(arousal, Tensor):
            return 0.5 + arousal.to(x.device, dtype).unsqueeze(-1)
        return torch.full((len(x), 1, 1), 0.5 + arousal, device=x.device, dtype=dtype)
