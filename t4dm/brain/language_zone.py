"""Language zones: tokens become spikes, spikes are worked on, rates become values again.

    full     x -> bridge -> GIF neurons, K steps a token, state kept over the text -> mean rate -> bridge
    experts  x -> bridge -> mean rate -> mixture of experts under a liquid router -> bridge
K is whatever the bridge gives: spikes (B*T, K, N) are folded back to (B, T, K, N) by their own K.
Rates as the values that spikes stand for: Gerstner et al. 2014, ch. 7; experts: Shazeer et al. 2017.
In the dtype of ``x``, spikes and states too.
B batch  T time  D channels  N neurons  K spike steps a token
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablation, Ablations
from t4dm.brain.liquid_moe import LiquidMoE, Routing
from t4dm.spiking.gif import GIFNeuron, GIFState
from t4dm.spiking.spike_bridge import ContinuousToSpikeBridge, SpikeToContinuousBridge

FIXED_STEPS = 8  # what the faulty reshape takes for granted


def fold(flat: Tensor, batch: int, time: int, ablations: Ablations = NONE) -> Tensor:
    """(B*T, K, N), or (B*T, N) for a single step, as (B, T, K, N)."""
    if Ablation.BRIDGE_FIXED_TIMESTEPS in ablations:
        return flat.view(batch, time, FIXED_STEPS, flat.shape[-1])
    if flat.dim() == 2:
        flat = flat.unsqueeze(1)
    return flat.reshape(batch, time, flat.shape[1], flat.shape[2])


class SpikingZone(nn.Module):
    """What both zones share: into spikes (``enter``) and back (``leave``)."""

    def __init__(
        self,
        dim: int,
        n_neurons: int,
        timesteps: int,
        generator: torch.Generator,
        ablations: Ablations,
    ) -> None:
        super().__init__()
        self.ablations = ablations
        self.enter = ContinuousToSpikeBridge(
            dim, n_neurons, timesteps, generator=generator, ablations=ablations
        )
        self.leave = SpikeToContinuousBridge(n_neurons, dim, generator=generator)

    def spikes(self, x: Tensor, timesteps: int | None = None) -> Tensor:
        """Spikes (B,T,K,N) of ``x`` (B,T,D)."""
        batch, time, _ = x.shape
        flat = self.enter(x.reshape(batch * time, -1), timesteps)
        return fold(flat, batch, time, self.ablations)


class FullLanguageZone(SpikingZone):
    """``gif`` is driven by the bridge's spikes."""

    def __init__(
        self,
        dim: int,
        n_neurons: int = 128,
        timesteps: int = 8,
        *,
        generator: torch.Generator,
        ablations: Ablations = NONE,
    ) -> None:
        super().__init__(dim, n_neurons, timesteps, generator, ablations)
        self.gif = GIFNeuron(n_neurons, n_neurons, generator=generator, ablations=ablations)

    def forward(
        self, x: Tensor, state: GIFState | None = None, timesteps: int | None = None
    ) -> tuple[Tensor, Tensor, GIFState]:
        """``(out, rate, state)``: (B,T,D), spikes a step (B,T,N), and the neurons' last state."""
        spikes = self.spikes(x, timesteps)
        batch, time, steps, n = spikes.shape
        fired, state = self.gif.run(spikes.reshape(batch, time * steps, n), state)
        fired = fired.reshape(batch, time, steps, n)
        return self.leave(fired), fired.mean(2), state


class MoELanguageZone(SpikingZone):
    """``moe`` works on spike rates."""

    def __init__(
        self,
        dim: int,
        n_neurons: int = 128,
        timesteps: int = 8,
        n_experts: int = 4,
        top_k: int = 2,
        *,
        generator: torch.Generator,
        ablations: Ablations = NONE,
    ) -> None:
        super().__init__(dim, n_neurons, timesteps, generator, ablations)
        self.moe = LiquidMoE(n_neurons, n_experts, top_k, generator=generator, ablations=ablations)

    def forward(
        self, x: Tensor, state: Tensor | None = None, timesteps: int | None = None
    ) -> tuple[Tensor, Routing]:
        """``(out, routing)``: (B,T,D), and who worked on what; its ``state`` goes to the next call."""
        rate = self.spikes(x, timesteps).mean(dim=2)
        worked, routing = self.moe(rate, state)
        return self.leave(worked.unsqueeze(-2)), routing
