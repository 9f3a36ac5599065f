"""The spiking middle: hidden states -> encoder -> CorticalStack -> decoder -> mix with the skip path.

    x_0(t)  = c_in * ((h(t) / rms(h(t))) E + b)              one spiking step a token
    h'(t)   = (1 - m) h(t) + m rms(h(t)) (x_L(t) D + d)      m = sigmoid(mix_logit), learned
The encoder sees each position at unit RMS, and the decoded part comes back at the position's own RMS,
so that one m means the same at every depth of every model.  Padded positions pass through unchanged.
Unit RMS: Zhang & Sennrich 2019; a learned mix with the skip path: Srivastava, Greff, Schmidhuber 2015.
B batch  T time  C hidden size of the language model  D = N channels and neurons of the stack
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from t4dm.qwen.trace import BlockTrace, run_block
from t4dm.spiking.calibrate import Scales, apply_scales, calibrate_drive
from t4dm.spiking.cortical_block import BlockState
from t4dm.spiking.cortical_stack import CorticalStack
from t4dm.spiking.init import normal
from t4dm.spiking.settings import StepSettings

RMS_FLOOR = 1e-6

CoreState = tuple[BlockState, ...]


def _linear(wide: int, to: int, generator: torch.Generator, dtype: torch.dtype) -> nn.Linear:
    """N(0, 1/wide) weights and no bias at the start, drawn from ``generator`` alone."""
    layer = nn.utils.skip_init(nn.Linear, wide, to, dtype=dtype)
    with torch.no_grad():
        layer.weight.copy_(normal((to, wide), wide**-0.5, generator))
        layer.bias.zero_()
    return layer


def rms(h: Tensor) -> Tensor:
    """Root mean square over the last axis, (..., 1), measured in float32 or wider."""
    wide = h.float() if h.dtype in (torch.bfloat16, torch.float16) else h
    return wide.square().mean(-1, keepdim=True).add(RMS_FLOOR).sqrt().to(h.dtype)


class SpikingCore(nn.Module):
    """``n_blocks`` blocks of ``n`` neurons between two projections of width ``hidden``."""

    def __init__(
        self,
        hidden: int,
        n_blocks: int,
        n: int,
        n_heads: int,
        mix: float,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.stack = CorticalStack(n_blocks, n, n_heads, stim_width=0, seed=seed, dtype=dtype)
        self.encoder = _linear(hidden, n, generator, dtype)
        self.decoder = _linear(n, hidden, generator, dtype)
        self.mix_logit = nn.Parameter(torch.tensor(math.log(mix / (1 - mix)), dtype=dtype))

    @property
    def mix(self) -> float:
        """Share of the spiking path, 0 to 1."""
        return float(torch.sigmoid(self.mix_logit.detach().float()))

    @mix.setter
    def mix(self, share: float) -> None:
        if not 0 < share < 1:
            raise ValueError(f"mix: expected a share between 0 and 1, got {share}")
        with torch.no_grad():
            self.mix_logit.fill_(math.log(share / (1 - share)))

    def init_state(self, batch: int) -> CoreState:
        """Every membrane, trace and window at rest, for ``batch`` sequences."""
        return tuple(block.init_state((batch,)) for block in self.stack.blocks())

    def drive(self, h: Tensor) -> Tensor:
        """x_0 / c_in (..., D) of hidden states (..., C)."""
        return self.encoder(h / rms(h))

    def calibrate(self, h_TC: Tensor, target: float | None = None) -> Scales:
        """Centre the drive on ``h_TC``, then scale every stage to ``target`` spikes a token on it.

        The bias takes up the mean of every channel: what all tokens share would otherwise make the
        same neurons fire at each of them.
        """
        with torch.no_grad():
            self.encoder.bias.sub_(self.drive(h_TC).mean(0))
            scales = calibrate_drive(self.stack, self.drive(h_TC).cpu(), target)
        apply_scales(self.stack, scales)
        return scales

    def forward(
        self,
        h_BTC: Tensor,
        state: CoreState | None,
        settings: StepSettings,
        mask_BT: Tensor | None = None,
        traced: bool = False,
    ) -> tuple[Tensor, CoreState, list[BlockTrace]]:
        """Mixed hidden states (B,T,C), the state after the last token, and one trace a block if asked."""
        known = self.init_state(h_BTC.shape[0]) if state is None else state
        x = (settings.input_gain * self.stack.c_in) * self.drive(h_BTC)
        states, traces = [], []
        for block, held in zip(self.stack.blocks(), known, strict=True):
            x, new, trace = run_block(block, x, held, settings, mask_BT, traced, state is not None)
            states.append(new)
            if trace is not None:
                traces.append(trace)
        m = torch.sigmoid(self.mix_logit)
        mixed = (1 - m) * h_BTC + m * rms(h_BTC) * self.decoder(x)
        if mask_BT is not None:
            mixed = torch.where(mask_BT[..., None], mixed, h_BTC)
        return mixed, tuple(states), traces
