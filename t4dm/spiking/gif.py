"""Generalised integrate-and-fire neurons that may fire several spikes a step and tire.

    v     <- decay * v + x W
    s     = clamp(floor(v / theta), 0, L)             L = 16
    v     <- v - s * theta                            what was fired is taken off
    theta <- theta + rise * s - (theta - theta_0) / tau
Backward, floor is passed straight through: ds/dv = 1/theta while 0 <= v/theta < L + 1, else 0.
Adaptive thresholds: Mihalas & Niebur 2009; Bellec et al. 2018.  Straight-through: Bengio et al. 2013.
B batch  T time  M inputs  N neurons
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablation, Ablations
from t4dm.spiking.init import generator_of, normal
from t4dm.spiking.scan import scan

MAX_SPIKES = 16
FLOOR = 0.01  # the lowest threshold, in shares of theta_0


class GIFState(NamedTuple):
    """Membrane ``v`` and threshold ``theta``, both (..., N), in the input's dtype."""

    v: Tensor
    theta: Tensor


def count_spikes(v: Tensor, theta: Tensor, most: int = MAX_SPIKES) -> Tensor:
    """clamp(floor(v/theta), 0, most) of (..., N), with the gradient of v/theta in 0..most+1."""
    ratio = v / theta
    whole = ratio.floor().clamp(0, most)
    smooth = ratio.clamp(0, most + 1)
    return whole.detach() + (smooth - smooth.detach())


def gif_step(
    current: Tensor,
    state: GIFState,
    *,
    decay: float,
    threshold: float,
    rise: float,
    tau: float,
    most: int = MAX_SPIKES,
) -> tuple[Tensor, GIFState]:
    """One step of (..., N) neurons: spike counts, and the state after it."""
    v = decay * state.v + current
    spikes = count_spikes(v, state.theta, most)
    theta = state.theta + rise * spikes - (state.theta - threshold) / tau
    return spikes, GIFState(v - spikes * state.theta, theta.clamp(min=FLOOR * threshold))


class GIFNeuron(nn.Module):
    """``weight`` (M, N).  ``spikes, state = gif(x, state)`` for one step; ``run`` for many."""

    def __init__(
        self,
        n_in: int,
        size: int,
        *,
        decay: float = 0.9,
        threshold: float = 1.0,
        rise: float = 0.05,
        tau: float = 20.0,
        max_spikes: int = MAX_SPIKES,
        generator: torch.Generator | None = None,
        ablations: Ablations = NONE,
    ) -> None:
        super().__init__()
        self.size, self.decay, self.threshold = size, decay, threshold
        self.rise, self.tau, self.max_spikes = rise, tau, max_spikes
        draws = generator_of(generator)
        self.weight = nn.Parameter(normal((n_in, size), n_in**-0.5, draws).float())
        self.default_dtype = Ablation.GIF_STATE_DTYPE in ablations

    def init_state(self, like: Tensor) -> GIFState:
        """At rest, (..., N) for inputs (..., M): dtype and device are those of ``like``."""
        shape = (*like.shape[:-1], self.size)
        dtype = torch.float32 if self.default_dtype else like.dtype
        v = torch.zeros(shape, dtype=dtype, device=like.device)
        return GIFState(v, torch.full_like(v, self.threshold))

    def forward(self, x: Tensor, state: GIFState | None = None) -> tuple[Tensor, GIFState]:
        """Spike counts (..., N), 0 to ``max_spikes``, for inputs (..., M), and the state after."""
        return gif_step(
            x @ self.weight,
            self.init_state(x) if state is None else state,
            decay=self.decay, threshold=self.threshold, rise=self.rise, tau=self.tau,
            most=self.max_spikes,
        )  # fmt: skip

    def run(self, x_BTM: Tensor, state: GIFState | None = None) -> tuple[Tensor, GIFState]:
        """Spike counts (B,T,N) of inputs (B,T,M) and the last state."""
        return scan(self, x_BTM, self.init_state(x_BTM[..., 0, :]) if state is None else state)
