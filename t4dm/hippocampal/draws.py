"""Layers with weights from an explicit generator, and dropout that draws from one.

Weights are drawn in float64 and cast, so that every dtype of one seed holds the same numbers up to
rounding.  Nothing here touches torch's global generator.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from t4dm.spiking.init import normal, uniform


def linear(
    n_in: int,
    n_out: int,
    generator: torch.Generator,
    *,
    std: float | None = None,
    bias: bool = True,
) -> nn.Linear:
    """A linear layer N(0, std^2) with bias 0; without ``std`` both are U(-1/sqrt(in), 1/sqrt(in))."""
    layer = torch.nn.utils.skip_init(nn.Linear, n_in, n_out, bias=bias)
    bound = n_in**-0.5
    with torch.no_grad():
        if std is None:
            layer.weight.copy_(uniform((n_out, n_in), -bound, bound, generator))
        else:
            layer.weight.copy_(normal((n_out, n_in), std, generator))
        if bias:
            layer.bias.zero_() if std is not None else layer.bias.copy_(
                uniform((n_out,), -bound, bound, generator)
            )
    return layer


def embedding(n: int, dim: int, std: float, generator: torch.Generator) -> nn.Embedding:
    """(n, dim) rows N(0, std^2)."""
    table = torch.nn.utils.skip_init(nn.Embedding, n, dim)
    with torch.no_grad():
        table.weight.copy_(normal((n, dim), std, generator))
    return table


def dropout(x: Tensor, p: float, training: bool, generator: torch.Generator | None) -> Tensor:
    """``x`` with a share ``p`` of its units set to 0 and the others divided by 1 - p.

    Raises ValueError in training without a generator: a run must be repeatable.
    """
    if not training or p == 0.0:
        return x
    if generator is None:
        raise ValueError(
            "dropout while training draws random numbers: pass generator=torch.Generator(), "
            "set dropout to 0, or call model.eval()"
        )
    keep = torch.empty_like(x).bernoulli_(1.0 - p, generator=generator)
    return x * keep / (1.0 - p)
