"""Place-cell encoder: a sparse, competitive code beside the embedding.

    e     = E[id]                                 E ~ N(0, 0.02^2)
    a     = e W_p                                 no bias: which cells win depends on the token alone
    p_i   = sigmoid(a_i) if a_i is among the ceil(share * P) largest, else 0
    out   = e + c * (p W_r + b_r)                 c = 0.1

Competition by k winners: Makhzani & Frey 2014 (k-sparse autoencoders); sparse codes and pattern
separation in the hippocampus: Rolls 2013.  Start of E: Radford et al. 2019.
ids int64, everything else in the dtype of the weights.
B batch  T time  D channels  P place cells
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablation, Ablations
from t4dm.hippocampal.draws import embedding, linear

EMBEDDING_STD = 0.02


def winners(drive: Tensor, k: int) -> Tensor:
    """sigmoid(drive) on the ``k`` largest of the last dimension, 0 elsewhere; same dtype."""
    top, index = drive.topk(k, dim=-1)
    return torch.zeros_like(drive).scatter(-1, index, torch.sigmoid(top))


class PlaceCellEncoder(nn.Module):
    """``token_embedding`` (V, D), ``to_place`` (D to P), ``from_place`` (P to D)."""

    def __init__(
        self,
        vocab_size: int,
        dim: int,
        n_place: int,
        share: float = 0.03,
        residual: float = 0.1,
        *,
        generator: torch.Generator,
        ablations: Ablations = NONE,
    ) -> None:
        super().__init__()
        std = 1.0 if Ablation.EMBEDDING_N01 in ablations else EMBEDDING_STD
        self.token_embedding = embedding(vocab_size, dim, std, generator)
        self.to_place = linear(dim, n_place, generator, bias=False)
        self.from_place = linear(n_place, dim, generator)
        self.n_winners = max(1, math.ceil(share * n_place))
        self.residual = 1.0 if Ablation.PLACE_RESIDUAL_FULL in ablations else residual

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """``(out, place)``: (..., D) and (..., P) for ids (...)."""
        e = self.token_embedding(ids)
        place = winners(self.to_place(e), self.n_winners)
        return e + self.residual * self.from_place(place), place
