"""Liquid cell: a recurrent unit whose time constant depends on its input.

    dh/dt = -(1/tau + f) h + f A,   f = sigmoid(x W_x + h W_h + b),   tau = 0.1 + softplus(raw)
    h'    = (h + dt f A) / (1 + dt (1/tau + f))                                dt = 1 step
The equation of liquid time-constant networks and its fused solver step (Hasani et al. 2021), of first
order in dt.  h stays between 0 and A of its channel.  The state is handed in and out and runs through a
whole text, so tau and W_h get gradient.  All in the dtype of the input, the state inside
``torch.autocast`` too.
B batch  T time  D inputs  N units
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablation, Ablations
from t4dm.hippocampal.draws import linear
from t4dm.spiking.init import normal, uniform
from t4dm.spiking.scan import scan

TAU_FLOOR = 0.1


def liquid_step(h: Tensor, f: Tensor, a: Tensor, tau: Tensor, dt: float = 1.0) -> Tensor:
    """State (..., N) ``dt`` steps on, ``f`` (..., N) held; ``a`` and ``tau`` (N,), tau in steps."""
    return (h + dt * f * a) / (1.0 + dt / tau + dt * f)


class LiquidCell(nn.Module):
    """``w_x`` (D to N), ``w_h`` (N to N), ``a`` (N,), ``raw_tau`` (N,): tau starts at 1 to 20 steps."""

    def __init__(
        self, dim: int, size: int, *, generator: torch.Generator, ablations: Ablations = NONE
    ) -> None:
        super().__init__()
        self.size = size
        self.w_x = linear(dim, size, generator, std=dim**-0.5)
        self.w_h = linear(size, size, generator, std=size**-0.5, bias=False)
        self.a = nn.Parameter(normal((size,), 1.0, generator).float())
        tau = uniform((size,), 0.0, math.log(20.0), generator).exp()
        self.raw_tau = nn.Parameter(torch.log(torch.expm1(tau - TAU_FLOOR)).float())
        self.default_dtype = Ablation.LIQUID_STATE_DTYPE in ablations

    @property
    def tau(self) -> Tensor:
        """Time constants (N,) in steps."""
        return TAU_FLOOR + F.softplus(self.raw_tau)

    def init_state(self, like: Tensor) -> Tensor:
        """At rest, (..., N) for inputs (..., D): dtype and device are those of ``like``."""
        dtype = torch.float32 if self.default_dtype else like.dtype
        return torch.zeros(*like.shape[:-1], self.size, device=like.device, dtype=dtype)

    def forward(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """``h', h'`` (B,N) after one input (B,D)."""
        h = self.init_state(x) if h is None else h
        f = torch.sigmoid(self.w_x(x) + self.w_h(h))
        h = liquid_step(h, f, self.a, self.tau).to(h.dtype)
        return h, h

    def run(self, x_BTD: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """States (B,T,N) over a text and the last one."""
        return scan(self.forward, x_BTD, self.init_state(x_BTD[..., 0, :]) if h is None else h)
