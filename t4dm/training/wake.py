"""The wake step: one batch seen with its prosody and the memory in use, and what was new remembered.

    loss = mean over B, T of -log p(target)                 nat a token
    stored: the ``memory_writes`` tokens of largest loss    (novelty: Lisman & Grace 2005)
The bank is read before it is written, so a batch never finds itself.
ids and targets int64, prosody in the dtype of the weights, losses in float32 at least.
B batch  T time  P place cells
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from t4dm.ablations import Ablation
from t4dm.hippocampal import memory_bank
from t4dm.hippocampal.memory_bank import MemoryBank
from t4dm.hippocampal.transformer import HippocampalTransformer, Output
from t4dm.training.data import Batch
from t4dm.training.head_loss import head_loss


class Tensors(NamedTuple):
    """A :class:`Batch` on the model's device; ``prosody`` in the model's dtype."""

    ids: Tensor
    targets: Tensor
    prosody: Tensor


class Seen(NamedTuple):
    """``loss`` (a scalar with gradient), ``surprise`` (B,T) detached, and the model's output."""

    loss: Tensor
    surprise: Tensor
    output: Output


def on_device(batch: Batch, model: HippocampalTransformer) -> Tensors:
    """The batch where the model is."""
    weight = model.output_head.weight
    ids, targets, prosody = (torch.from_numpy(part) for part in batch)
    return Tensors(
        ids.to(weight.device), targets.to(weight.device), prosody.to(weight.device, weight.dtype)
    )


def losses(output: Output, targets: Tensor) -> Tensor:
    """-log p(target) of every token, (B, T), in float32 at least."""
    logits = output.logits.flatten(0, 1)
    if logits.dtype == torch.bfloat16:
        logits = logits.float()
    return F.cross_entropy(logits, targets.flatten(), reduction="none").view_as(targets)


def wake(
    model: HippocampalTransformer,
    batch: Tensors,
    memory: MemoryBank | None = None,
    generator: torch.Generator | None = None,
) -> Seen:
    """The forward pass of a wake step; ``memory`` None: memory not in use."""
    if Ablation.NO_PROSODY_IN_WAKE in model.ablations:
        output = model(batch.ids, generator=generator, need_logits=False)
    else:
        output = model(
            batch.ids,
            prosody=batch.prosody,
            use_memory=memory is not None,
            memory=memory,
            generator=generator,
            need_logits=False,
        )
    loss, each = head_loss(output.hidden, model.output_head.weight, batch.targets)
    return Seen(loss, each, output)


def remember(
    model: HippocampalTransformer, memory: MemoryBank, seen: Seen, targets: Tensor, n: int
) -> MemoryBank:
    """The bank after this step: what was recalled counts as used, the ``n`` surprises are stored."""
    if seen.output.recalled is not None:
        memory = memory_bank.touch(memory, seen.output.recalled)
    n = min(n, seen.surprise.numel())
    if n == 0:
        return memory
    newest = seen.surprise.flatten().topk(n).indices.sort().values
    cues = seen.output.cue.flatten(0, 1)[newest]
    return model.remember(memory, cues, targets.flatten()[newest])
