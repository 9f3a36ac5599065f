"""Training a UnifiedModel: loss, firing-rate regularisation, gradient clipping, weight bounds.

total = loss + rate_weight * mean over blocks of (rate - target)^2
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from t4dm.qwen.trace import BlockTrace
from t4dm.spiking.recurrent import Recurrent

if TYPE_CHECKING:
    from t4dm.qwen.unified_model import UnifiedModel

log = logging.getLogger(__name__)


class TrainStep(NamedTuple):
    """``loss`` in nats a token, ``rate`` in spikes a neuron a token, ``grad_norm`` before clipping."""

    loss: float
    rate: float
    grad_norm: float


def rate_loss(spike_trace: Mapping[str, BlockTrace], target: float = 0.1) -> Tensor:
    """Mean over the blocks of (rate - target)^2; its gradient runs through the surrogates."""
    rates = torch.stack([trace["rate"] for trace in spike_trace.values()])
    return (rates - target).square().mean()


@torch.no_grad()
def keep_bounds(recurrent: Recurrent, w_max: float = 1.0) -> None:
    """Dale's law after an optimiser step: [0, w_max] and [-w_max, 0] rows, no self-connection."""
    recurrent.clip(w_max)
    recurrent.weight[recurrent.n_exc :].clamp_(-w_max, 0.0)
    recurrent.weight.fill_diagonal_(0.0)


def train_step(
    model: UnifiedModel,
    optimizer: torch.optim.Optimizer,
    input_ids: Tensor,
    attention_mask: Tensor | None = None,
    rate_weight: float = 0.01,
    target_rate: float = 0.1,
    max_norm: float = 1.0,
) -> TrainStep:
    """One step on ``input_ids`` (B,T) as their own labels.

    A gradient that is not finite is not applied: FloatingPointError names it, and the weights stay.
    """
    optimizer.zero_grad(set_to_none=True)
    out = model(input_ids, attention_mask, labels=input_ids, return_spike_trace=True)
    assert out.loss is not None and out.spike_trace is not None
    (out.loss + rate_weight * rate_loss(out.spike_trace, target_rate)).backward()
    norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=max_norm))
    if not norm < float("inf"):
        raise FloatingPointError(f"the gradient norm is {norm}: the step was not taken")
    log.debug("gradient norm %.4g (clipped to %g)", norm, max_norm)
    optimizer.step()
    for block in model.core.stack.blocks():
        keep_bounds(block.recurrent)
    rates = [float(trace["rate"].detach()) for trace in out.spike_trace.values()]
    return TrainStep(float(out.loss.detach()), sum(rates) / len(rates), norm)
