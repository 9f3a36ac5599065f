"""One layer: attention, then a feed-forward part, each behind its own LayerNorm (pre-norm).

    x = x + dropout(attention(LN(x)));   x = x + dropout(W_2 gelu(W_1 LN(x)))
Radford et al. 2019; pre-norm: Xiong et al. 2020.  Output projections start at N(0, (0.02/sqrt(2L))^2).
In and out in the dtype of the weights.
B batch  T time  D channels  L layers
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablations
from t4dm.hippocampal.attention import (
    WEIGHT_STD,
    AttentionOut,
    HippocampalAttention,
    KeysValues,
    Recalled,
)
from t4dm.hippocampal.draws import dropout, linear


class HippocampalLayer(nn.Module):
    """``attention`` and ``widen``, ``narrow`` (D to R*D and back)."""

    def __init__(
        self,
        dim: int,
        n_heads: int,
        mlp_ratio: int,
        n_layers: int,
        *,
        generator: torch.Generator,
        ablations: Ablations = NONE,
    ) -> None:
        super().__init__()
        out_std = WEIGHT_STD * (2 * n_layers) ** -0.5
        self.norm_attention, self.norm_mlp = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = HippocampalAttention(
            dim, n_heads, out_std=out_std, generator=generator, ablations=ablations
        )
        self.widen = linear(dim, mlp_ratio * dim, generator, std=WEIGHT_STD)
        self.narrow = linear(mlp_ratio * dim, dim, generator, std=out_std)

    def forward(
        self,
        x: Tensor,
        prosody: Tensor | None = None,
        recalled: Recalled | None = None,
        past: KeysValues | None = None,
        *,
        p_drop: float = 0.0,
        generator: torch.Generator | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, AttentionOut]:
        """``x`` (B,T,D) after the layer, and what its attention made."""
        attended = self.attention(self.norm_attention(x), prosody, recalled, past, need_weights)
        x = x + dropout(attended.out, p_drop, self.training, generator)
        fed = self.narrow(F.gelu(self.widen(self.norm_mlp(x))))
        return x + dropout(fed, p_drop, self.training, generator), attended
