"""A bank of events (key, value), recalled exactly, evicting the least recently used.

    score_n = q . key_n                     keys and queries have length 1: the cosine
    recall  = the k events of largest score, best first; every occupied slot is looked at

Writing takes free slots first, then the slot that was written or recalled longest ago.  A bank is a
value: ``write`` and ``touch`` return a new one, so a run can be saved, replayed and compared.
Scores are float32 whatever the model computes in.  Episodic memory as stored key/value events:
Pritzel et al. 2017; Wu et al. 2022.
N slots  K key size  n events  k recalled
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

EMPTY_SCORE = -1e4  # below any cosine; finite, so that no gradient becomes NaN
CHUNK = 1024  # queries at a time: N * CHUNK scores are held


class MemoryBank(NamedTuple):
    """``keys`` (N, K) float32, ``values`` (N, ...), ``stamp`` (N,) int64: -1 free, else last use."""

    keys: Tensor
    values: Tensor
    stamp: Tensor
    clock: Tensor  # () int64, rises with every write and every recall

    @property
    def size(self) -> int:
        return self.keys.shape[0]

    @property
    def used(self) -> int:
        """Occupied slots."""
        return int((self.stamp >= 0).sum())

    def to(self, device: torch.device | str) -> MemoryBank:
        return MemoryBank(*(part.to(device) for part in self))


class Recall(NamedTuple):
    """``score`` (..., k) float32, best first; ``slot`` (..., k) int64.  Free slots score -1e4."""

    score: Tensor
    slot: Tensor


def empty_bank(
    size: int,
    key_size: int,
    value_shape: tuple[int, ...] = (),
    value_dtype: torch.dtype = torch.int64,
    device: torch.device | str = "cpu",
) -> MemoryBank:
    """``size`` free slots."""
    return MemoryBank(
        torch.zeros(size, key_size, device=device),
        torch.zeros(size, *value_shape, dtype=value_dtype, device=device),
        torch.full((size,), -1, dtype=torch.int64, device=device),
        torch.zeros((), dtype=torch.int64, device=device),
    )


def write(bank: MemoryBank, keys_nK: Tensor, values_n: Tensor) -> MemoryBank:
    """Store n events, the last being the newest; of more than N only the last N are kept."""
    keys_nK, values_n = keys_nK.detach()[-bank.size :], values_n.detach()[-bank.size :]
    n = keys_nK.shape[0]
    slots = bank.stamp.argsort(stable=True)[:n]
    stamps = bank.clock + torch.arange(n, device=bank.stamp.device)
    return MemoryBank(
        bank.keys.index_copy(0, slots, F.normalize(keys_nK.to(bank.keys), dim=-1)),
        bank.values.index_copy(0, slots, values_n.to(bank.values)),
        bank.stamp.index_copy(0, slots, stamps),
        bank.clock + n,
    )


@torch.no_grad()
def recall(bank: MemoryBank, query: Tensor, k: int) -> Recall:
    """The ``k`` (at most N) nearest events of every query (..., K); exact, nothing is approximated."""
    k = min(k, bank.size)
    flat = F.normalize(query.detach().reshape(-1, query.shape[-1]).to(bank.keys), dim=-1)
    free = torch.where(bank.stamp < 0, EMPTY_SCORE, 0.0)  # a free slot's key is 0
    scores = ((part @ bank.keys.T).add_(free) for part in flat.split(CHUNK))
    best = [score.topk(k, dim=-1) for score in scores]
    shape = (*query.shape[:-1], k)
    return Recall(
        torch.cat([score for score, _ in best]).reshape(shape),
        torch.cat([slot for _, slot in best]).reshape(shape),
    )


def touch(bank: MemoryBank, found: Recall) -> MemoryBank:
    """The bank after these events were recalled: each counts as used now; free slots stay free."""
    real = found.slot[found.score > EMPTY_SCORE].unique()
    stamp = bank.stamp.index_fill(0, real, int(bank.clock))
    return bank._replace(stamp=stamp, clock=bank.clock + 1)


def temporal_context(place_BTP: Tensor, decay: float, before_BP: Tensor | None = None) -> Tensor:
    """Cues c_t = decay * c_{t-1} + place_t, (B, T, P): what the last few tokens were, newest most.

    ``before_BP`` is the context that stood before the first token.  Howard & Kahana 2002.
    """
    steps = torch.arange(place_BTP.shape[1], device=place_BTP.device)
    age = steps[:, None] - steps[None, :]
    kernel = torch.where(age >= 0, decay ** age.clamp(min=0).to(torch.float32), 0.0)
    cues = torch.einsum("ts,bsp->btp", kernel, place_BTP.to(torch.float32))
    if before_BP is not None:
        fade = decay ** (steps + 1).to(torch.float32)
        cues = cues + fade[None, :, None] * before_BP[:, None].to(torch.float32)
    return cues
