"""Writing on from a prompt, one token at a time, with the keys and values of what stands already.

    p(next) = softmax(logits / temperature), over the top_k largest logits; temperature 0: the largest
When the context is full, the last half of it is read anew from position 0.  Between two tokens the
model is in the mode it was in: a step may be trained meanwhile.  Token ids int64.
B batch (1 here)  T time
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from t4dm.hippocampal.memory_bank import MemoryBank
from t4dm.hippocampal.prosody import ProsodyState, prosody_of
from t4dm.hippocampal.transformer import Context, HippocampalTransformer, Output


def pick(
    logits: Tensor, temperature: float, top_k: int | None, generator: torch.Generator | None
) -> int:
    """One token id from ``logits`` (V,), drawn where ``generator`` lives.

    Raises ValueError for a negative temperature.
    """
    if temperature < 0:
        raise ValueError(f"temperature must be 0 or more, got {temperature}")
    if temperature == 0:
        return int(logits.argmax())
    if top_k is not None:
        floor = logits.topk(min(top_k, logits.shape[-1])).values[-1]
        logits = logits.masked_fill(logits < floor, float("-inf"))
    shares = torch.softmax(logits.float() / temperature, dim=-1)
    if generator is not None:
        shares = shares.to(generator.device)
    return int(torch.multinomial(shares, 1, generator=generator))


@torch.no_grad()
def generate(
    model: HippocampalTransformer,
    prompt: list[int],
    n: int,
    text_of: Callable[[int], str],
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    generator: torch.Generator | None = None,
    memory: MemoryBank | None = None,
) -> Iterator[int]:
    """``n`` token ids that follow ``prompt``; ``text_of`` gives a token's text, for its prosody.

    ``generator`` draws, on whatever device it is.  Raises ValueError for an empty prompt.
    """
    if not prompt:
        raise ValueError("the prompt must have at least one token")
    device = model.output_head.weight.device
    limit = model.params.max_seq_len
    heard: ProsodyState | None = None
    rows: list[Tensor] = []
    ids: list[int] = []
    context: Context | None = None
    fresh = list(prompt)
    for _ in range(n):
        prosody, heard = prosody_of((text_of(i) for i in fresh), heard)
        ids, rows = [*ids, *fresh], [*rows, *torch.from_numpy(prosody)]
        if context is None or context.length + len(fresh) > limit:
            ids, rows = (
                (ids, rows) if len(ids) <= limit else (ids[-limit // 2 :], rows[-limit // 2 :])
            )
            context, fresh = None, ids
        ids_1T = torch.tensor([fresh], device=device)
        prosody_1T4 = torch.stack(rows[-len(fresh) :])[None].to(device)
        made = _read(model, ids_1T, prosody_1T4, memory, context)
        context = made.context
        chosen = pick(made.logits[0, -1], temperature, top_k, generator)
        fresh = [chosen]
        yield chosen


def _read(
    model: HippocampalTransformer,
    ids_1T: Tensor,
    prosody_1T4: Tensor,
    memory: MemoryBank | None,
    context: Context | None,
) -> Output:
    """The model's output without dropout; its mode is put back."""
    was_training = model.training
    model.eval()
    try:
        made: Output = model(
            ids_1T, prosody_1T4, memory is not None, memory=memory, context=context
        )
    finally:
        model.train(was_training)
    return made
