"""One block over a stretch of tokens, with everything it made along the way.

Token by token through :meth:`CorticalBlock.step`, so that a token's numbers do not depend on how many
came with it: a generation that goes on from held state gives what a whole pass gives.
B batch  T time  N neurons  H heads  W window
"""

from __future__ import annotations

from typing import TypedDict

import torch
from torch import Tensor

from t4dm.spiking.cortical_block import BlockState, BlockStep, CorticalBlock
from t4dm.spiking.scan import keep_where
from t4dm.spiking.settings import StepSettings


class BlockTrace(TypedDict):
    """What one block did; a padded position is 0 everywhere and counts in no rate.

    ``spikes`` and ``membrane`` hold LIF in, then LIF out, in the order of the raster's neuron ids.
    """

    spikes: Tensor  # (B, T, 2N) 0 or 1
    membrane: Tensor  # (B, T, 2N) u_pre, before the reset
    gate: Tensor  # (B, T, N) openness, 0 to 1.5
    attention: (
        Tensor  # (B, H, T, K) over the K = T tokens of this call, or K = W + T after held state
    )
    rate: Tensor  # () spikes a neuron a token, padding left out


class _Columns:
    """Where the W keys in sight of a token stand among the columns of an attention picture."""

    def __init__(self, batch: int, window: int, device: torch.device) -> None:
        self.at_BW = torch.arange(window, device=device).expand(batch, window)
        self.window = window

    def take_in(self, t: int, real_B: Tensor | None) -> Tensor:
        """Columns (B, W) for the token at ``t``, its own last."""
        own = torch.full_like(self.at_BW[:, :1], self.window + t)
        seen = torch.cat([self.at_BW[:, 1:], own], dim=-1)
        self.at_BW = seen if real_B is None else torch.where(real_B[:, None], seen, self.at_BW)
        return self.at_BW


def _row(made: BlockStep, columns_BW: Tensor, total: int) -> dict[str, Tensor]:
    weights = made.attention
    at = columns_BW[:, None, :].expand_as(weights)
    picture = weights.new_zeros(*weights.shape[:-1], total).scatter(-1, at, weights)
    return {
        "spikes": torch.cat([made.lif_in.spikes, made.lif_out.spikes], dim=-1),
        "membrane": torch.cat([made.lif_in.u_pre, made.lif_out.u_pre], dim=-1),
        "gate": made.gate,
        "attention": picture,
    }


def _blank(value: Tensor, real_B: Tensor | None) -> Tensor:
    if real_B is None:
        return value
    return torch.where(real_B.reshape(-1, *[1] * (value.ndim - 1)), value, torch.zeros_like(value))


def run_block(
    block: CorticalBlock,
    x_BTD: Tensor,
    state: BlockState,
    settings: StepSettings,
    mask_BT: Tensor | None = None,
    traced: bool = False,
    has_past: bool = False,
) -> tuple[Tensor, BlockState, BlockTrace | None]:
    """x_next (B,T,D), the last state, and the trace if asked; learns nothing, keeps the gradient.

    A padded position (mask false) advances no state and gives 0.
    """
    batch, steps, _ = x_BTD.shape
    window = block.attention.window
    columns = _Columns(batch, window, x_BTD.device)
    outs: list[Tensor] = []
    rows: list[dict[str, Tensor]] = []
    for t in range(steps):
        real = None if mask_BT is None else mask_BT[:, t]
        made = block.step(x_BTD[:, t], state, settings)
        state = made.state if real is None else keep_where(real, made.state, state)
        outs.append(_blank(made.x_next, real))
        if traced:
            row = _row(made, columns.take_in(t, real), window + steps)
            rows.append({name: _blank(value, real) for name, value in row.items()})
    trace = _stack(rows, mask_BT, 0 if has_past else window) if traced else None
    return torch.stack(outs, dim=1), state, trace


def _stack(rows: list[dict[str, Tensor]], mask_BT: Tensor | None, skip: int) -> BlockTrace:
    spikes, membrane, gate = (
        torch.stack([row[name] for row in rows], dim=1) for name in ("spikes", "membrane", "gate")
    )
    attention = torch.stack([row["attention"] for row in rows], dim=2)[..., skip:]
    real = spikes.shape[0] * spikes.shape[1] if mask_BT is None else mask_BT.sum()
    rate = spikes.sum() / (real * spikes.shape[-1])
    return BlockTrace(spikes=spikes, membrane=membrane, gate=gate, attention=attention, rate=rate)
