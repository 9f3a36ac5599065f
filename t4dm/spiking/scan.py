"""Run a step function over time, and keep state still where a position is padding.

B batch  T time  D channels
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def keep_where(mask_B: Tensor, new: Any, old: Any) -> Any:
    """``new`` where ``mask_B`` is true, else ``old``; works on nested tuples of (B, ...) tensors."""
    if isinstance(new, Tensor):
        mask = mask_B.reshape(mask_B.shape + (1,) * (new.ndim - mask_B.ndim))
        return torch.where(mask, new, old)
    if isinstance(new, tuple):
        parts = [keep_where(mask_B, n, o) for n, o in zip(new, old, strict=True)]
        return type(new)(*parts) if hasattr(new, "_fields") else tuple(parts)
    return new


def scan(
    step: Callable[[Tensor, Any], tuple[Tensor, Any]],
    x_BTD: Tensor,
    state: Any,
    mask_BT: Tensor | None = None,
) -> tuple[Tensor, Any]:
    """``out_t, state = step(x_t, state)`` for every t; (B,T,D) out and the last state.

    Where ``mask_BT`` is false the state does not move and the output is 0.
    """
    outs = []
    for t in range(x_BTD.shape[-2]):
        out, new = step(x_BTD[..., t, :], state)
        if mask_BT is None:
            state = new
        else:
            real = mask_BT[..., t].bool()
            state = keep_where(real, new, state)
            out = torch.where(real[..., None], out, torch.zeros_like(out))
        outs.append(out)
    return torch.stack(outs, dim=-2), state
