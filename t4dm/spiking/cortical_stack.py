"""The stack: encoder, then the blocks in order (docs/equations.md, sections 1 and 3).

    x_0(t) = input_gain * c_in * stim(t) @ E,   x_{l+1} = block_l(x_l)
B batch  T time  P = 64 stimulus units  D = N channels  G stages  L blocks
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from t4dm.learning.homeostasis import effective_threshold
from t4dm.learning.stdp import HISTORY
from t4dm.spiking.cortical_block import BlockState, BlockStep, CorticalBlock, PlasticState
from t4dm.spiking.init import uniform
from t4dm.spiking.settings import StepSettings

SIDE = 8
PATCH = 3


class StackState(NamedTuple):
    """State of a stack between two steps; the recurrent weights live on the module."""

    blocks: tuple[BlockState, ...]
    plastic: tuple[PlasticState, ...]


def patch_encoder(width: int, dim: int, generator: torch.Generator) -> Tensor:
    """(P, D) float64: neuron i pools a 3x3 patch of the 8x8 stimulus, weights U(0.5, 1.5), sum 1.

    A width of 0 gives (0, D) and draws nothing.  Raises ValueError for any other than 0 and 64.
    """
    if width == 0:
        return torch.zeros(0, dim, dtype=torch.float64)
    if width != SIDE * SIDE:
        raise ValueError(f"the encoder pools an {SIDE}x{SIDE} stimulus, got width {width}")
    corners = torch.randint(SIDE - PATCH + 1, (dim, 2), generator=generator)
    weights = uniform((dim, PATCH, PATCH), 0.5, 1.5, generator)
    weights = weights / weights.sum((1, 2), keepdim=True)
    image = torch.zeros(dim, SIDE, SIDE, dtype=torch.float64)
    for i, (row, column) in enumerate(corners.tolist()):
        image[i, row : row + PATCH, column : column + PATCH] = weights[i]
    return image.flatten(1).T.contiguous()


class CorticalStack(nn.Module):
    """``n_blocks`` blocks of ``n`` neurons behind a fixed encoder, drawn from ``seed``.

    ``stim_width=0``: no encoder; the owner makes x_0 (..., D) itself and runs the blocks.
    """

    encoder: Tensor

    def __init__(
        self,
        n_blocks: int = 6,
        n: int = 256,
        n_heads: int = 8,
        stim_width: int = 64,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.n_blocks, self.n, self.seed, self.dtype = n_blocks, n, seed, dtype
        self.register_buffer("encoder", patch_encoder(stim_width, n, generator).to(dtype))
        self.spiking_blocks = nn.ModuleList(
            CorticalBlock(n, n_heads, index, generator, dtype) for index in range(n_blocks)
        )
        self.c_in = 1.0

    def blocks(self) -> list[CorticalBlock]:
        """The blocks, typed."""
        return [block for block in self.spiking_blocks if isinstance(block, CorticalBlock)]

    def init_state(self, history: int = HISTORY) -> StackState:
        """Everything at rest; call it on the weights the run starts from.

        ``history`` steps of spikes are kept for STDP, the largest window there will be.
        """
        blocks = self.blocks()
        return StackState(
            tuple(b.init_state() for b in blocks), tuple(b.init_plastic(history) for b in blocks)
        )

    def encode(self, stim: Tensor, input_gain: float = 1.0) -> Tensor:
        """x_0 (..., D) of a stimulus (..., P)."""
        return (input_gain * self.c_in) * (stim.to(self.encoder.dtype) @ self.encoder)

    @torch.no_grad()
    def step(
        self,
        stim: Tensor,
        state: StackState,
        settings: StepSettings,
        feed: Tensor | None = None,
    ) -> tuple[Tensor, StackState, dict[str, Any]]:
        """One step of the live network from a stimulus row (P,) and what is added to x_0 (D,).

        Returns x_L (D,), the state, and the probes ``spikes`` and ``u_pre`` (G, N), ``theta`` (G,),
        ``gate`` (L, D), ``attention`` (L, W) as the mean over the heads, ``clamped`` (G,).  STDP and
        homeostasis act, from the next step on.
        """
        x, done, learnt, thetas = self.encode(stim, settings.input_gain), [], [], []
        x = x if feed is None else x + feed
        for block, held, plastic in zip(self.blocks(), state.blocks, state.plastic, strict=True):
            block.recurrent.clip(settings.stdp.w_max)
            made = block.step(x, held, settings, plastic.theta_h)
            stages = settings.v_thresh[2 * block.index : 2 * block.index + 2]
            thetas += [
                effective_threshold(float(v), th)
                for v, th in zip(stages, plastic.theta_h, strict=True)
            ]
            learnt.append(block.learn(made, plastic, settings))
            done.append(made)
            x = made.x_next
        return x, StackState(tuple(d.state for d in done), tuple(learnt)), _probes(done, thetas)

    def forward(
        self,
        stim_BTP: Tensor,
        state: tuple[BlockState, ...] | None = None,
        settings: StepSettings | None = None,
        mask_BT: Tensor | None = None,
    ) -> tuple[Tensor, tuple[BlockState, ...]]:
        """x_L (B,T,D) and the block states; differentiable, learns nothing, thresholds as set."""
        settings = StepSettings.default(self.n_blocks) if settings is None else settings
        x, states = self.encode(stim_BTP, settings.input_gain), []
        for block in self.blocks():
            held = None if state is None else state[block.index]
            x, new = block(x, held, settings, mask_BT)
            states.append(new)
        return x, tuple(states)


def _probes(done: list[BlockStep], thetas: list[float]) -> dict[str, Any]:
    stages = [lif for d in done for lif in (d.lif_in, d.lif_out)]
    return {
        "spikes": torch.stack([lif.spikes for lif in stages]),
        "u_pre": torch.stack([lif.u_pre for lif in stages]),
        "theta": torch.tensor(thetas, dtype=torch.float64),
        "gate": torch.stack([d.gate for d in done]),
        "attention": torch.stack([d.attention.mean(dim=-2) for d in done]),
        "clamped": torch.stack([lif.clamped.sum() for lif in stages]),
    }
