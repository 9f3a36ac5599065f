"""Learning rate of a step: linear warm-up, then half a cosine down to a floor.

    s < warmup:  lr = peak * (s + 1) / warmup
    else         lr = peak * (f + (1 - f) * (1 + cos(pi * r)) / 2),  r = (s - warmup) / (total - warmup)
r is held to 0..1, f = final_share.  Loshchilov & Hutter 2017.  torch's ``LambdaLR`` puts it into the
optimizer.  Its chained schedulers (LinearLR, then CosineAnnealingLR) give the same rates, but carry a
state in which peak, lengths and floor are fixed; here each may change between two steps.
"""

from __future__ import annotations

import math
from functools import partial

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from t4dm.training.params import TrainParams


def learning_rate_at(step: int, params: TrainParams) -> float:
    """The rate of optimizer step ``step``, counted from 0."""
    if step < params.warmup:
        return params.learning_rate * (step + 1) / params.warmup
    span = max(1, params.total_steps - params.warmup)
    done = min(1.0, (step - params.warmup) / span)
    share = params.final_share + (1 - params.final_share) * (1 + math.cos(math.pi * done)) / 2
    return params.learning_rate * share


def scheduled(optimizer: Optimizer, step: int, params: TrainParams) -> LambdaLR:
    """torch's scheduler standing at ``step``: every group of ``optimizer`` has that step's rate."""
    for group in optimizer.param_groups:
        group["initial_lr"] = 1.0
    return LambdaLR(optimizer, partial(learning_rate_at, params=params), last_epoch=step - 1)
