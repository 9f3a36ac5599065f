"""Sleep: stored sequences are replayed without the bank, and what they need is consolidated.

    stored   an even sample of every sequence ever seen awake (reservoir: Vitter 1985)
    replay   a stored sequence is drawn with probability proportional to its last known loss
    Fisher   of replayed sequences, one by one, with the prosody they were seen with (t4dm.learning.ewc)
Replay by surprise: Mattar & Daw 2018; Schaul et al. 2016.  Consolidation in sleep: McClelland,
McNaughton & O'Reilly 1995.
B batch  T time  R stored sequences
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from t4dm.ablations import Ablation
from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.learning.ewc import compute_fisher
from t4dm.training.data import Batch
from t4dm.training.head_loss import head_loss
from t4dm.training.wake import Tensors, losses


@dataclass(frozen=True, slots=True)
class Replay:
    """R stored sequences, the last known loss (R,) float32 of each, and how many were ever seen."""

    batch: Batch
    loss: np.ndarray
    seen: int = 0

    def __len__(self) -> int:
        return len(self.loss)


def no_replay(context: int) -> Replay:
    """Nothing stored, sequences of ``context`` tokens."""
    ids = np.zeros((0, context), np.int64)
    return Replay(Batch(ids, ids, np.zeros((0, context, 4), np.float32)), np.zeros(0, np.float32))


def store(
    replay: Replay, batch: Batch, loss_B: np.ndarray, size: int, draws: np.random.Generator
) -> Replay:
    """With ``batch`` seen: afterwards every sequence ever seen is stored with equal probability.

    Sequences of another length than those stored begin a new store.
    """
    if replay.batch.ids.shape[1:] != batch.ids.shape[1:]:
        replay = no_replay(batch.ids.shape[1])
    held = min(len(replay), size)
    place = list(range(held))  # where each stored sequence stands among old and new together
    for row in range(len(loss_B)):
        if len(place) < size:
            place.append(len(replay) + row)
        elif (slot := int(draws.integers(0, replay.seen + row + 1))) < size:
            place[slot] = len(replay) + row
    parts = (np.concatenate(pair)[place] for pair in zip(replay.batch, batch, strict=True))
    loss = np.concatenate([replay.loss, loss_B.astype(np.float32)])[place]
    return Replay(Batch(*parts), loss, replay.seen + len(loss_B))


def draw(replay: Replay, n: int, draws: np.random.Generator) -> np.ndarray:
    """``n`` places in the store, the surprising ones more often.  Raises ValueError when it is empty."""
    if len(replay) == 0:
        raise ValueError("nothing is stored for replay")
    weight = np.maximum(replay.loss.astype(np.float64), 1e-6)
    return draws.choice(len(replay), n, p=weight / weight.sum())


def taken(replay: Replay, chosen: np.ndarray) -> Batch:
    """The stored sequences at these places."""
    return Batch(*(part[chosen] for part in replay.batch))


def revalued(replay: Replay, chosen: np.ndarray, loss: np.ndarray) -> Replay:
    """With the losses that these sequences had when they were replayed."""
    known = replay.loss.copy()
    known[chosen] = loss
    return Replay(replay.batch, known, replay.seen)


class Dreamt(NamedTuple):
    """``loss`` (a scalar with gradient), ``each`` (B,) without, and a router's ``balance`` loss."""

    loss: Tensor
    each: Tensor
    balance: Tensor | None


def dream(
    model: HippocampalTransformer, batch: Tensors, generator: torch.Generator | None = None
) -> Dreamt:
    """What the replayed sequences give.  Prosody is as it was, the bank is not asked."""
    output = model(batch.ids, prosody=batch.prosody, generator=generator, need_logits=False)
    loss, each = head_loss(output.hidden, model.output_head.weight, batch.targets)
    return Dreamt(loss, each.mean(-1), output.balance)


def fisher_of(model: HippocampalTransformer, batch: Tensors) -> dict[str, Tensor]:
    """Fisher information of the sequences of ``batch``, each seen with its prosody."""
    deaf = Ablation.EWC_WITHOUT_PROSODY in model.ablations

    def loss_of(row: int) -> Tensor:
        one = slice(row, row + 1)
        heard = None if deaf else batch.prosody[one]
        return losses(model(batch.ids[one], prosody=heard), batch.targets[one]).mean()

    return compute_fisher(model, range(len(batch.ids)), loss_of)
