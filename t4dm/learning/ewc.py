"""Elastic weight consolidation: weights that mattered before are held near where they were.

    F_i      = mean over samples of (d loss(sample) / d theta_i)^2     per sample, never of a batch
    penalty  = strength / 2 * sum_i F_i (theta_i - anchor_i)^2
    merged   = decay * F_old + F_new                                   one running estimate
Kirkpatrick et al. 2017; per-sample squares of the data's own labels are the empirical Fisher
information (Kunstner, Hennig, Balles 2019); running estimate: Schwarz et al. 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

Sample = TypeVar("Sample")


class Consolidated(NamedTuple):
    """``fisher`` and ``anchor`` of each trainable parameter, by name, shaped as it."""

    fisher: dict[str, Tensor]
    anchor: dict[str, Tensor]


def compute_fisher(
    model: nn.Module, samples: Iterable[Sample], loss_of: Callable[[Sample], Tensor]
) -> dict[str, Tensor]:
    """Diagonal Fisher information of the trainable parameters.

    ``loss_of(sample)`` is one sample's loss, taken in eval mode; the mode and every gradient that
    stood in ``.grad`` are as before afterwards.  Raises ValueError without samples.
    """
    was_training = model.training
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    sums = {name: torch.zeros_like(p) for name, p in parameters.items()}
    n = 0
    model.eval()
    try:
        for sample in samples:
            gradients = torch.autograd.grad(
                loss_of(sample), list(parameters.values()), allow_unused=True
            )
            for total, gradient in zip(sums.values(), gradients, strict=True):
                if gradient is not None:
                    total += gradient.square()
            n += 1
    finally:
        model.train(was_training)
    if n == 0:
        raise ValueError("Fisher information needs at least one sample")
    return {name: total / n for name, total in sums.items()}


def consolidate(
    model: nn.Module,
    fisher: Mapping[str, Tensor],
    before: Consolidated | None = None,
    decay: float = 1.0,
) -> Consolidated:
    """Anchor the weights where they are now, on top of what was consolidated ``before``.

    ``fisher`` has a tensor shaped (...) like each parameter it names.
    """
    anchor = {name: p.detach().clone() for name, p in model.named_parameters() if name in fisher}
    if before is None:
        return Consolidated(dict(fisher), anchor)
    merged = {name: decay * before.fisher[name] + value for name, value in fisher.items()}
    return Consolidated(merged, anchor)


def penalty(model: nn.Module, held: Consolidated, strength: float) -> Tensor:
    """The EWC penalty, a scalar; 0 where every weight stands at its anchor."""
    parts = [
        (held.fisher[name] * (p - held.anchor[name]).square()).sum()
        for name, p in model.named_parameters()
        if name in held.fisher
    ]
    return 0.5 * strength * torch.stack(parts).sum()
