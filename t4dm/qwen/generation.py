"""Text from a UnifiedModel, token by token, with or without the cache.

B batch  T time  V vocabulary
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from t4dm.qwen.unified_model import UnifiedModel


def next_token(
    logits_BV: Tensor, temperature: float = 0.0, generator: torch.Generator | None = None
) -> Tensor:
    """Ids (B,): the likeliest at temperature 0, else drawn from ``generator``.

    Raises ValueError for a negative temperature, or a positive one without a generator.
    """
    if temperature < 0:
        raise ValueError(f"temperature: expected 0 or more, got {temperature}")
    if temperature == 0:
        return logits_BV.argmax(-1)
    if generator is None:
        raise ValueError("temperature: a value above 0 needs a seeded generator")
    chances = torch.softmax(logits_BV.float() / temperature, dim=-1)
    return torch.multinomial(chances, 1, generator=generator)[:, 0]


def last_real(mask_BT: Tensor) -> Tensor:
    """Index (B,) of the last real token of each row; raises ValueError for a row without one."""
    if not bool(mask_BT.any(-1).all()):
        raise ValueError("attention_mask: a sequence without a single real token")
    return mask_BT.shape[1] - 1 - mask_BT.flip(-1).long().argmax(-1)


def end_tokens(model: UnifiedModel) -> list[int]:
    """Ids that end a text, from the generation settings, else the model's."""
    for config in (model.base.generation_config, model.base.config):
        ends = getattr(config, "eos_token_id", None)
        if ends is not None:
            return list(ends) if isinstance(ends, (list, tuple)) else [int(ends)]
    return []


@torch.no_grad()
def generate(
    model: UnifiedModel,
    input_ids: Tensor,
    attention_mask: Tensor | None = None,
    max_new_tokens: int = 20,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    use_cache: bool = True,
) -> Tensor:
    """Ids (B, T + new), greedy or sampled; a finished row goes on as padding, which moves no state.

    ``use_cache=False`` reads the whole text again for every token: the same tokens, slower.
    Padding of the prompt may stand on either side.
    """
    ids = input_ids
    mask = torch.ones_like(ids) if attention_mask is None else attention_mask
    mask = mask.bool()
    ends = torch.tensor(end_tokens(model), device=ids.device, dtype=ids.dtype)
    pad = int(ends[0]) if len(ends) else 0
    at, going = last_real(mask), torch.ones_like(mask[:, 0])
    fresh, past = ids, None
    for _ in range(max_new_tokens):
        out = model(fresh, mask, past=past, use_cache=use_cache)
        logits = out.logits[torch.arange(len(at), device=ids.device), at]
        new = torch.where(going, next_token(logits, temperature, generator), pad)
        ids = torch.cat([ids, new[:, None]], dim=-1)
        mask = torch.cat([mask, going[:, None]], dim=-1)
        going = going & ~torch.isin(new, ends)
        if not bool(going.any()):
            break
        fresh, past = (new[:, None], out.past) if use_cache else (ids, None)
        at = torch.zeros_like(at) if use_cache else last_real(mask)
    return ids
