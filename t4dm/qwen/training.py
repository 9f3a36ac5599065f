"""Training a UnifiedModel: loss, firing-rate regularisation, clipped gradients, weight bounds.

total = loss + rate_weight * mean over blocks of (rate - target)^2
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from t4dm.learning.gradient import GradientDescent
from t4dm.qwen.trace import BlockTrace
from t4dm.spiking.recurrent import Recurrent

if TYPE_CHECKING:
    from t4dm.qwen.unified_model import UnifiedModel


class TrainStep(NamedTuple):
    """``loss`` in nats a token, ``rate`` in spikes a neuron a token, ``grad_norm`` before clipping."""

    loss: float
    rate: float
    grad_norm: float


def rate_loss(spike_trace: Mapping[str, BlockTrace], target: float = 0.1) -> Tensor:
    """Mean over the blocks of (rate - target)^2, a scalar; its gradient runs through the surrogates."""
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
    train: GradientDescent,
    input_ids: Tensor,
    attention_mask: Tensor | None = None,
    rate_weight: float = 0.01,
    target_rate: float = 0.1,
) -> TrainStep:
    """One step of ``train`` on ``input_ids`` (B,T) as their own labels.

    A gradient that is not finite moves nothing; its norm in the answer says so.
    """
    out = model(input_ids, attention_mask, labels=input_ids, return_spike_trace=True)
    assert out.loss is not None and out.spike_trace is not None
    norm = train.step(out.loss + rate_weight * rate_loss(out.spike_trace, target_rate))
    for block in model.core.stack.blocks():
        keep_bounds(block.recurrent)
    rates = [float(trace["rate"].detach()) for trace in out.spike_trace.values()]
    return TrainStep(float(out.loss.detach()), sum(rates) / len(rates), norm)
