"""Recurrent weights of a stage: Dale's law, no self-connection (docs/equations.md, section 3).

W is pre-major, ``current = spikes @ W``.  The first 80 % of rows are excitatory, in [0, w_max], plastic;
the last 20 % inhibitory, fixed in [-1, 0].   N neurons
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from t4dm.spiking.init import generator_of, uniform

EXCITATORY = 0.8
EXC_MAX, INH_MIN, INH_MAX = 0.5, -1.0, -0.5


class Recurrent(nn.Module):
    """``weight`` (N, N) and ``n_exc``; a copy of what may move is in ``plastic`` (N, N) bool."""

    plastic: Tensor

    def __init__(
        self,
        size: int,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        generator = generator_of(generator)
        self.n_exc = round(EXCITATORY * size)
        w = torch.cat(
            [
                uniform((self.n_exc, size), 0.0, EXC_MAX, generator),
                uniform((size - self.n_exc, size), INH_MIN, INH_MAX, generator),
            ]
        ).fill_diagonal_(0.0)
        self.weight = nn.Parameter(w.to(dtype))
        plastic = ~torch.eye(size, dtype=torch.bool)
        plastic[self.n_exc :] = False
        self.register_buffer("plastic", plastic, persistent=False)

    def forward(self, spikes: Tensor) -> Tensor:
        """Current (..., N) of the spikes (..., N) of the step before."""
        return spikes @ self.weight

    @torch.no_grad()
    def clip(self, w_max: float) -> None:
        """Bring the excitatory rows into [0, w_max], after w_max or the weights were moved by hand."""
        self.weight[: self.n_exc].clamp_(0.0, w_max)
