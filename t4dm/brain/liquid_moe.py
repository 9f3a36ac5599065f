"""Mixture of experts routed by a liquid cell, its load balanced by a loss.

    h_t = cell(x_t, h_{t-1});   p = softmax(h_t W + b)
    the k = min(top_k, E) largest p act, weighted by p over their sum (1 where k = 1: then nothing but
    the balance loss teaches the router)
    balance = E * sum_e share_e * mean p_e       share_e: part of all choices that fell on e
The balance loss is 1 when all experts are used alike and E when one takes all (Fedus, Zoph & Shazeer
2022; Shazeer et al. 2017).  Every expert is computed and the unchosen are weighted 0: few and small.
In the dtype of ``x``, inside ``torch.autocast`` in that of its products; ``chosen`` int64.
B batch  T time  D channels  N units  E experts  k chosen
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablation, Ablations
from t4dm.brain.liquid import LiquidCell
from t4dm.hippocampal.draws import linear


class Routing(NamedTuple):
    """``weights`` and ``chosen`` (B,T,k), ``load`` (E,) summing to 1, ``balance`` loss, last state."""

    weights: Tensor
    chosen: Tensor
    load: Tensor
    balance: Tensor
    state: Tensor


class LiquidMoERouter(nn.Module):
    """``cell`` and ``score`` (N to E)."""

    def __init__(
        self,
        dim: int,
        n_experts: int,
        top_k: int = 2,
        size: int = 32,
        *,
        generator: torch.Generator,
        ablations: Ablations = NONE,
    ) -> None:
        super().__init__()
        self.n_experts, self.top_k = n_experts, top_k
        self.cell = LiquidCell(dim, size, generator=generator, ablations=ablations)
        self.score = linear(size, n_experts, generator, std=size**-0.5)
        self.unclamped = Ablation.ROUTER_TOP_K_UNCLAMPED in ablations

    def forward(self, x: Tensor, state: Tensor | None = None) -> Routing:
        """Who works on each token of ``x`` (B,T,D), going on from ``state`` (B,N)."""
        h, last = self.cell.run(x, state)
        p = torch.softmax(self.score(h), dim=-1)
        k = self.top_k if self.unclamped else min(self.top_k, self.n_experts)
        top, chosen = p.topk(k, dim=-1)
        load = F.one_hot(chosen, self.n_experts).to(p.dtype).mean(dim=(0, 1, 2))
        balance = self.n_experts * (load * p.mean(dim=(0, 1))).sum()
        return Routing(top / top.sum(-1, keepdim=True), chosen, load, balance, last)


class LiquidMoE(nn.Module):
    """``router`` and E experts, each D to 2D to D."""

    def __init__(
        self,
        dim: int,
        n_experts: int,
        top_k: int = 2,
        *,
        generator: torch.Generator,
        ablations: Ablations = NONE,
    ) -> None:
        super().__init__()
        self.router = LiquidMoERouter(
            dim, n_experts, top_k, generator=generator, ablations=ablations
        )
        self.experts = nn.ModuleList(
            nn.Sequential(
                linear(dim, 2 * dim, generator), nn.GELU(), linear(2 * dim, dim, generator)
            )
            for _ in range(n_experts)
        )

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Routing]:
        """The experts' answer (B,T,D) and who gave it."""
        routing = self.router(x, state)
        spread = routing.weights.new_zeros(*x.shape[:-1], len(self.experts))
        spread = spread.scatter(-1, routing.chosen, routing.weights)
        outs = torch.stack([expert(x) for expert in self.experts], dim=-1)
        return (outs * spread.unsqueeze(-2)).sum(-1), routing
