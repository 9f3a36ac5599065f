"""Basal ganglia: regions vote, and only what is released from inhibition acts.

    go_i   = (0.5 + DA) * vote_i            direct pathway (D1)
    nogo_i = (1.5 - DA) * vote_i            indirect pathway (D2)
    GPi_i  = max(0, tonic + mean_j vote_j + 0.5 nogo_i - 2 go_i)
    release_i = clip(1 - GPi_i / tonic, 0, 1)                      tonic = 0.5
    total  = sum_i release_i * out_i
Votes lie in 0..1.  The mean is the diffuse excitation by the subthalamic nucleus: regions compete.
At neutral dopamine (0.5) a region opens once 1.5 vote_i exceeds the mean; at DA = 0 none of up to four is
released, whatever the votes.  Gurney, Prescott & Redgrave 2001; go and no-go under dopamine: Frank 2005.
The total has the dtype of the outputs, the shares that of the votes.
B batch  T time  R regions  D channels
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablation, Ablations

TONIC = 0.5


def release(votes: Tensor, dopamine: Tensor | float = 0.5) -> Tensor:
    """Share 0 to 1 of each region (..., R) that is let through; dopamine one number or (...)."""
    da = dopamine.unsqueeze(-1) if isinstance(dopamine, Tensor) else dopamine
    go, nogo = (0.5 + da) * votes, (1.5 - da) * votes
    inhibition = (TONIC + votes.mean(-1, keepdim=True) + 0.5 * nogo - 2.0 * go).clamp(min=0.0)
    return (1.0 - inhibition / TONIC).clamp(0.0, 1.0)


class BasalGanglia(nn.Module):
    """No weights of its own: the votes are learnt by those who vote."""

    def __init__(self, ablations: Ablations = NONE) -> None:
        super().__init__()
        self.float_sum = Ablation.BASAL_GANGLIA_FLOAT_SUM in ablations

    def forward(
        self, votes: Tensor, outs: Sequence[Tensor], dopamine: Tensor | float = 0.5
    ) -> tuple[Tensor, Tensor]:
        """``(total, released)``: (B,T,D) and (B,T,R) for R outputs (B,T,D) and votes (B,T,R).

        With nothing released the total is 0.  Raises ValueError where votes and outputs differ in number.
        """
        if votes.shape[-1] != len(outs):
            raise ValueError(f"{votes.shape[-1]} votes for {len(outs)} regions")
        shares = release(votes, dopamine)
        total: Any = 0.0 if self.float_sum else torch.zeros_like(outs[0])
        for index, out in enumerate(outs):
            share = shares[..., index, None]
            if not self.float_sum or bool((share > 0).any()):
                total = total + share * out
        return total.to(outs[0].dtype), shares
