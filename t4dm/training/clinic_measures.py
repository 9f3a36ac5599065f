"""The one number in which each curve fault shows, measured on a model as it is before its first step.

A measure is made of a sound and of a faulty model alike.  Each holds what ``docs/language.md`` says of the fault.
B batch  T time  D channels
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from t4dm.ablations import Ablation
from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.training.brain_transformer import BrainTransformer
from t4dm.training.sleep import fisher_of
from t4dm.training.wake import Tensors, wake

FISHER_SAMPLES = 4


@dataclass(frozen=True, slots=True)
class Measure:
    """``of(model, batch, seed)``; ``goal`` says what a sound model gives."""

    name: str
    goal: str
    of: Callable[[HippocampalTransformer, Tensors, int], float]


def signal_share(model: HippocampalTransformer, batch: Tensors, seed: int) -> float:
    """Share of what the head reads that is signal, not dropout: 1 - p once, (1 - p)^2 twice."""
    entered: list[Tensor] = []
    hook = model.norm.register_forward_pre_hook(lambda _, given: entered.append(given[0]))
    model.train()
    try:
        draws = torch.Generator().manual_seed(seed)
        read = model(batch.ids, batch.prosody, generator=draws, need_logits=False).hidden
    finally:
        hook.remove()
    signal = F.layer_norm(entered[0], entered[0].shape[-1:])
    both = torch.stack([read.flatten(), signal.flatten()]).detach()
    return float(torch.corrcoef(both)[0, 1]) ** 2


def parameters(model: HippocampalTransformer, batch: Tensors, seed: int) -> float:
    """How many numbers are learnt."""
    return float(sum(p.numel() for p in model.parameters()))


def first_loss(model: HippocampalTransformer, batch: Tensors, seed: int) -> float:
    """Loss before the first step, without dropout."""
    return float(wake(model.eval(), batch).loss.detach())


def place_share(model: HippocampalTransformer, batch: Tensors, seed: int) -> float:
    """Norm of what the place cells add over the norm of the embedding."""
    out, _ = model.encoder(batch.ids)
    e = model.encoder.token_embedding(batch.ids)
    return float(((out - e).norm(dim=-1) / e.norm(dim=-1)).detach().mean())


def code_moved(model: HippocampalTransformer, batch: Tensors, seed: int) -> float:
    """How far the code of a position moves as the text grows from 10 to 20 tokens."""
    codes = model.positions.codes
    return float((codes(0, 10) - codes(0, 20)[:10]).norm(dim=-1).max())


def prosody_gradient(model: HippocampalTransformer, batch: Tensors, seed: int) -> float:
    """Gradient norm of the weights that read prosody in the first layer, after a wake step."""
    wake(model.eval(), batch, model.empty_memory()).loss.backward()
    found = model.get_parameter("layers.0.attention.prosody.weight").grad
    model.zero_grad(set_to_none=True)
    return 0.0 if found is None else float(found.norm())


def prosody_fisher(model: HippocampalTransformer, batch: Tensors, seed: int) -> float:
    """Largest Fisher information of the weights that read prosody in the first layer."""
    few = Tensors(*(part[:FISHER_SAMPLES] for part in batch))
    return float(fisher_of(model, few)["layers.0.attention.prosody.weight"].max())


def brain_share(model: HippocampalTransformer, batch: Tensors, seed: int) -> float:
    """Norm of what the brain's regions add over the norm of what the last layer gave the brain."""
    assert isinstance(model, BrainTransformer)
    passed: list[Tensor] = []
    hook = model.brain.register_forward_hook(
        lambda _, given, thought: passed.extend((given[0], thought.out))
    )
    try:
        model.eval()(batch.ids, batch.prosody, need_logits=False)
    finally:
        hook.remove()
    x, out = (part.detach().float() for part in passed)
    return float((out - x).norm() / x.norm())


MEASURES = {
    Ablation.DUPLICATE_NORM_DROPOUT: Measure(
        "signal in what the head reads", "1 - dropout", signal_share
    ),
    Ablation.UNTIED_HEAD: Measure("parameters", "those of the sound model", parameters),
    Ablation.EMBEDDING_N01: Measure("first loss", "ln of the vocabulary", first_loss),
    Ablation.PLACE_RESIDUAL_FULL: Measure(
        "place cells' part over embedding", "about 0.3", place_share
    ),
    Ablation.POSITION_BY_CURRENT_LENGTH: Measure("code of a position moves by", "0", code_moved),
    Ablation.NO_PROSODY_IN_WAKE: Measure(
        "gradient norm of prosody weights", "above 0", prosody_gradient
    ),
    Ablation.EWC_WITHOUT_PROSODY: Measure(
        "Fisher information of prosody weights", "above 0", prosody_fisher
    ),
    Ablation.BRAIN_RESIDUAL_FULL: Measure("regions' part over input", "below 1", brain_share),
}
