"""Cross-entropy straight from the hidden states, in pieces: the table of all logits never exists.

    z = h E^T,  p = softmax(z),  loss_n = -log p_n[target_n]
    d mean(loss) / d z = (p - onehot(target)) / N
    d mean(loss) / d h = that E,   d mean(loss) / d E = that^T h
A vocabulary of 32,000 makes 131 MB of logits of 1024 tokens, several times over in a backward pass;
here a piece of them is made, used for loss and gradient, and forgotten.  Same numbers as
``cross_entropy(h E^T)`` up to rounding.  Idea: Wijmans et al. 2024 (cut cross-entropy).
N tokens  D channels  V vocabulary
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

PIECE = 1 << 22  # logits at a time


class _HeadLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden_ND: Tensor, weight_VD: Tensor, targets_N: Tensor
    ) -> tuple[Tensor, Tensor]:
        learning = any(ctx.needs_input_grad[:2])
        rows = max(1, PIECE // weight_VD.shape[0])
        losses = []
        d_hidden, d_weight = torch.empty_like(hidden_ND), torch.empty_like(weight_VD)
        for first in range(0, len(hidden_ND), rows):
            part = slice(first, first + rows)
            loss, wrong = _piece(hidden_ND[part], weight_VD, targets_N[part, None])
            losses.append(loss)
            if learning:
                torch.mm(wrong, weight_VD, out=d_hidden[part])
                d_weight.addmm_(wrong.T, hidden_ND[part], beta=1.0 if first else 0.0)
        each = torch.cat(losses)
        ctx.save_for_backward(d_hidden, d_weight)
        ctx.mark_non_differentiable(each)
        return each.mean(), each

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, Tensor, None]:
        d_hidden, d_weight = ctx.saved_tensors
        share = upstream[0] / len(d_hidden)
        return d_hidden * share, d_weight * share, None


def _piece(hidden_nD: Tensor, weight_VD: Tensor, targets_n1: Tensor) -> tuple[Tensor, Tensor]:
    """Losses (n,) in float32 at least, and p - onehot(target) (n, V) in the weight's dtype."""
    logits = hidden_nD @ weight_VD.T
    if logits.dtype == torch.bfloat16:
        logits = logits.float()
    meant = logits.gather(1, targets_n1)
    top = logits.amax(1, keepdim=True)
    shares = logits.sub_(top).exp_()
    total = shares.sum(1, keepdim=True)
    loss = total.log() + top - meant
    wrong = shares.div_(total)
    wrong.scatter_add_(1, targets_n1, -torch.ones_like(meant))
    return loss[:, 0], wrong.to(weight_VD.dtype)


def head_loss(hidden: Tensor, weight_VD: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """(mean loss with gradient, loss of each token without) for ``hidden`` (..., D), targets (...)."""
    mean, each = _HeadLoss.apply(hidden.flatten(0, -2), weight_VD, targets.flatten())
    return mean, each.view_as(targets)
