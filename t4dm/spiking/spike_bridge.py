"""Bridges between continuous values and spike trains, through which gradient passes.

    p        = sigmoid(x W + b)                        chance of a spike a step
    poisson  s_k ~ Bernoulli(p)                        from the generator handed in
    regular  s_k = floor(k p + 1/2) - floor((k-1) p + 1/2)     k = 1..K; the count is K p rounded
    back     y   = rate W' + b',   rate = mean over k of s_k
Backward, ds_k/dp = 1 (straight through): Bengio et al. 2013.  Rate codes: Gerstner et al. 2014, ch. 7.
D channels  N neurons  K timesteps
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablation, Ablations
from t4dm.params import did_you_mean
from t4dm.spiking.init import generator_of, normal

Code = Literal["regular", "poisson"]
CODES = ("regular", "poisson")


def regular_spikes(p: Tensor, steps: int) -> Tensor:
    """(..., K, N) evenly spread spikes, K p of them rounded; counted in float32 whatever p's dtype."""
    k = torch.arange(steps + 1, device=p.device, dtype=torch.float32)[:, None]
    return (k * p.float()[..., None, :] + 0.5).floor().diff(dim=-2)


class ContinuousToSpikeBridge(nn.Module):
    """``weight`` (D, N), ``bias`` (N,).  ``timesteps`` may be changed, or given with a call.

    Raises ValueError for an unknown ``code``.
    """

    def __init__(
        self,
        dim: int,
        size: int,
        timesteps: int = 8,
        code: Code = "regular",
        *,
        generator: torch.Generator | None = None,
        ablations: Ablations = NONE,
    ) -> None:
        super().__init__()
        if code not in CODES:
            raise ValueError(f"unknown code '{code}'{did_you_mean(code, list(CODES))}")
        draws = generator_of(generator)
        self.timesteps, self.code = timesteps, code
        self.weight = nn.Parameter(normal((dim, size), dim**-0.5, draws).float())
        self.bias = nn.Parameter(torch.zeros(size))
        self.default_dtype = Ablation.BRIDGE_DTYPE in ablations

    def forward(
        self, x: Tensor, timesteps: int | None = None, generator: torch.Generator | None = None
    ) -> Tensor:
        """Spikes (..., K, N) of 0 and 1 for ``x`` (..., D), in its dtype.

        Raises ValueError for less than one timestep, or a Poisson code without generator.
        """
        steps = self.timesteps if timesteps is None else timesteps
        if steps < 1:
            raise ValueError(f"timesteps must be 1 or more, got {steps}")
        p = torch.sigmoid(x @ self.weight + self.bias)
        hard = self._hard(p.detach(), steps, generator)
        if not self.default_dtype:
            hard = hard.to(p.dtype)
        smooth = p.unsqueeze(-2).expand(*p.shape[:-1], steps, p.shape[-1])
        return hard + (smooth - smooth.detach())

    def _hard(self, p: Tensor, steps: int, generator: torch.Generator | None) -> Tensor:
        if self.code == "regular":
            return regular_spikes(p, steps)
        if generator is None:
            raise ValueError(
                "a Poisson code draws random numbers: pass generator=torch.Generator()"
            )
        shape = (*p.shape[:-1], steps, p.shape[-1])
        draws = torch.rand(shape, generator=generator, device=p.device)
        return (draws < p.float()[..., None, :]).float()


class SpikeToContinuousBridge(nn.Module):
    """``weight`` (N, D), ``bias`` (D,)."""

    def __init__(self, size: int, dim: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        draws = generator_of(generator)
        self.weight = nn.Parameter(normal((size, dim), size**-0.5, draws).float())
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, spikes: Tensor) -> Tensor:
        """Values (..., D) for spikes (..., K, N), any number of timesteps K, in their dtype."""
        return spikes.mean(dim=-2) @ self.weight + self.bias
