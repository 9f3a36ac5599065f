"""Positions as phases of nested rhythms, with a slow phase that tells the cycles apart.

One second of rhythm spans ``max_seq_len`` positions, whatever the length of the text at hand:
    t = position / max_seq_len                       s
    slow  = pi t                                     half a cycle over the whole span
    theta = 2 pi 8 t,   gamma = 2 pi 40 t            gamma nested: (1 + cos theta)/2 * (cos, sin) gamma
    fast  = 2 pi f t,   f = M/16, M/8, M/4           M = max_seq_len: 16, 8 and 4 positions a cycle
    code  = (cos, sin) of slow, theta, gamma, nested gamma and each fast phase
    out   = x + code W                               W (14, D) learned
As 40 = 5 * 8, theta and gamma alone come back every M/8 positions; (cos, sin) of the slow phase never
does, so any two codes differ.  Lisman & Jensen 2013 (theta-gamma code); the fast phases give the
resolution of single tokens, as the short wavelengths of Vaswani et al. 2017 do.
Codes are computed in float64 and kept in the dtype of the weights, in which they are told apart too.
B batch  T time  D channels
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablation, Ablations
from t4dm.hippocampal.draws import linear

THETA_HZ = 8.0
GAMMA_HZ = 40.0
FAST_PERIODS = (16.0, 8.0, 4.0)  # positions a cycle
CODE_SIZE = 8 + 2 * len(FAST_PERIODS)
CODE_STD = 0.02  # of the code once projected: the spread of the embedding it is added to


def phases(position: Tensor, span: float) -> tuple[Tensor, Tensor]:
    """Theta and gamma phase (rad, in 0..2 pi) of float ``position``s on a scale of ``span``."""
    t = position / span
    turn = 2.0 * math.pi
    return (turn * THETA_HZ * t) % turn, (turn * GAMMA_HZ * t) % turn


def position_code(position: Tensor, span: float) -> Tensor:
    """(..., 14) code of float ``position``s (...); ``span`` positions are one second."""
    theta, gamma = phases(position, span)
    nested = 0.5 * (1.0 + torch.cos(theta))
    slow = math.pi * position / span
    parts = [torch.cos(slow), torch.sin(slow), torch.cos(theta), torch.sin(theta)]
    parts += [torch.cos(gamma), torch.sin(gamma)]
    parts += [nested * torch.cos(gamma), nested * torch.sin(gamma)]
    for period in FAST_PERIODS:
        fast = 2.0 * math.pi * position / period
        parts += [torch.cos(fast), torch.sin(fast)]
    return torch.stack(parts, dim=-1)


class ThetaGammaEncoding(nn.Module):
    """``code`` (max_seq_len, 14) is a buffer, ``weight`` its projection to D channels."""

    code: Tensor

    def __init__(
        self,
        dim: int,
        max_seq_len: int,
        *,
        generator: torch.Generator,
        ablations: Ablations = NONE,
    ) -> None:
        super().__init__()
        self.max_seq_len = max_seq_len
        self.by_current_length = Ablation.POSITION_BY_CURRENT_LENGTH in ablations
        self.register_buffer("code", self._codes(max_seq_len, max_seq_len), persistent=False)
        spread = float(self.code.square().sum(-1).mean().sqrt())
        self.project = linear(CODE_SIZE, dim, generator, std=CODE_STD / spread, bias=False)

    @staticmethod
    def _codes(n: int, span: float) -> Tensor:
        """(n, 14) float32, computed in float64."""
        return position_code(torch.arange(n, dtype=torch.float64), span).float()

    def codes(self, start: int, n: int) -> Tensor:
        """(n, 14): the codes of positions ``start`` to ``start + n - 1``.

        Raises ValueError beyond ``max_seq_len``.
        """
        if start + n > self.max_seq_len:
            raise ValueError(
                f"position {start + n - 1} lies outside the context of {self.max_seq_len} tokens"
            )
        if self.by_current_length:
            return self._codes(start + n, start + n).to(self.code)[start:]
        return self.code[start : start + n]

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """``x`` (..., T, D) with the codes of its positions added; its first stands at ``start``."""
        return x + self.project(self.codes(start, x.shape[-2]).to(x.dtype))
