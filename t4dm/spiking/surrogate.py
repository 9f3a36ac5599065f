"""Spike function: a step forward, a smooth bump backward.

With x = u_pre - theta and slope a:
    forward       s = 1[x >= 0]
    atan          ds/dx = a / (pi * (1 + (a x)^2))          slope of 1/2 + atan(a x)/pi
    fast_sigmoid  ds/dx = a / (2 * (1 + a |x|)^2)           slope of 1/2 + a x / (2 (1 + a|x|))
    super_spike   ds/dx = 1 / (1 + a |x|)^2                 Zenke & Ganguli 2018; peak 1, not area 1
Fang et al. 2021 (atan); Neftci, Mostafa, Zenke 2019 (survey).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from t4dm.params import did_you_mean

Surrogate = Literal["atan", "fast_sigmoid", "super_spike"]


def _atan(x: Tensor, a: float) -> Tensor:
    return a / (math.pi * (1 + (a * x) ** 2))


def _fast_sigmoid(x: Tensor, a: float) -> Tensor:
    return a / (2 * (1 + a * x.abs()) ** 2)


def _super_spike(x: Tensor, a: float) -> Tensor:
    return 1 / (1 + a * x.abs()) ** 2


SLOPES: dict[str, Callable[[Tensor, float], Tensor]] = {
    "atan": _atan,
    "fast_sigmoid": _fast_sigmoid,
    "super_spike": _super_spike,
}


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, kind: str, a: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.kind, ctx.a = kind, a
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        return grads[0] * SLOPES[ctx.kind](x, ctx.a), None, None


def check_surrogate(kind: str) -> str:
    """``kind`` if it is known; raises ValueError with the nearest name if not."""
    if kind not in SLOPES:
        raise ValueError(f"unknown surrogate '{kind}'{did_you_mean(kind, list(SLOPES))}")
    return kind


def spike(x: Tensor, kind: Surrogate = "atan", a: float = 2.0) -> Tensor:
    """1 where ``x`` (...) is 0 or more, else 0, in x's dtype; backward the surrogate slope ``kind``.

    Raises ValueError for an unknown kind.
    """
    return _Spike.apply(x, check_surrogate(kind), a)
