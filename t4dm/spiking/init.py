"""Weight draws.  Always float64 from an explicit generator, then cast, so that the float32 and the
float64 model of one seed hold the same numbers up to rounding."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def generator_of(generator: torch.Generator | None) -> torch.Generator:
    """``generator``, or a fresh one seeded 0: a bare module is reproducible too."""
    return generator if generator is not None else torch.Generator().manual_seed(0)


def normal(shape: tuple[int, ...], std: float, generator: torch.Generator) -> Tensor:
    """N(0, std^2) of ``shape`` (...), float64."""
    return torch.randn(shape, generator=generator, dtype=torch.float64) * std


def uniform(shape: tuple[int, ...], lo: float, hi: float, generator: torch.Generator) -> Tensor:
    """U(lo, hi), float64."""
    return torch.rand(shape, generator=generator, dtype=torch.float64) * (hi - lo) + lo


def projection(
    dim: int, generator: torch.Generator, dtype: torch.dtype, gain: float = 1.0
) -> nn.Parameter:
    """A (D_in, D_out) matrix N(0, gain/sqrt(D)), used as ``x @ W``."""
    return nn.Parameter(normal((dim, dim), gain * dim**-0.5, generator).to(dtype))
