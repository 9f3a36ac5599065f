"""Amygdala: how good or bad (valence), how stirring (arousal).

    V_t       = clip(w . x_t / |x_t|, -1, 1)                          valence
    n_t       = (1 - cos(x_t, m_{t-1})) / 2,  m_t = m_{t-1} + (x_t - m_{t-1}) / 8     novelty
    target_t  = 1 - (1 - |V_t|) (1 - n_t / 2) (1 - emphasis_t)
    a_t       = a_{t-1} + (1 - exp(-1/tau)) (target_t - a_{t-1})      tau = 4 tokens
    learning  w <- w + rate * (outcome - w . x/|x|) x/|x|             outcome in -1..1
Valence and arousal as two axes: Russell 1980; prediction-error learning: Rescorla & Wagner 1972;
conditioning in the amygdala: LeDoux 2000.  All in the dtype of ``x``, which the weights have.
B batch  T time  D channels
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MEAN_OVER = 8.0
REST = 0.2  # arousal before anything happened


class AmygdalaState(NamedTuple):
    """``arousal`` (B,) and the running mean ``usual`` (B,D) of what was seen."""

    arousal: Tensor
    usual: Tensor


class Feeling(NamedTuple):
    """``arousal`` (B,T) in 0..1, ``valence`` (B,T) in -1..1, and the state after the last token."""

    arousal: Tensor
    valence: Tensor
    state: AmygdalaState


class Amygdala(nn.Module):
    """``value`` (D,) is learnt by :meth:`condition`; it starts at 0: everything is neutral."""

    def __init__(self, dim: int, tau: float = 4.0) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros(dim))
        self.tau = tau

    def init_state(self, x: Tensor) -> AmygdalaState:
        """Before the first token of ``x`` (B,T,D): that token is taken for usual."""
        return AmygdalaState(x.new_full((len(x),), REST), x[:, 0].detach())

    def forward(
        self, x: Tensor, emphasis: Tensor | None = None, state: AmygdalaState | None = None
    ) -> Feeling:
        """What ``x`` (B,T,D) stirs; ``emphasis`` (B,T) of its prosody, 0 to 1."""
        arousal, usual = self.init_state(x) if state is None else state
        valence = (F.normalize(x, dim=-1) @ self.value).clamp(-1.0, 1.0)
        calm = 1.0 - valence.abs()
        if emphasis is not None:
            calm = calm * (1.0 - emphasis.to(x.dtype))
        step = 1.0 - math.exp(-1.0 / self.tau)
        levels = []
        for t in range(x.shape[1]):
            novelty = 0.5 * (1.0 - F.cosine_similarity(x[:, t], usual, dim=-1))
            target = 1.0 - calm[:, t] * (1.0 - 0.5 * novelty)
            arousal = arousal + step * (target - arousal)
            usual = usual + (x[:, t].detach() - usual) / MEAN_OVER
            levels.append(arousal)
        return Feeling(torch.stack(levels, dim=1), valence, AmygdalaState(arousal, usual))

    @torch.no_grad()
    def condition(self, x_nD: Tensor, outcome: float, rate: float = 0.3) -> float:
        """Learn that n inputs led to ``outcome`` (-1 to 1); returns the mean error before it.

        Raises ValueError for an outcome out of range.
        """
        if not -1.0 <= outcome <= 1.0:
            raise ValueError(f"an outcome must be from -1 to 1, got {outcome}")
        unit = F.normalize(x_nD.detach(), dim=-1)
        error = outcome - unit @ self.value
        self.value.add_(rate * (error[:, None] * unit).mean(0))
        return float(error.mean())
