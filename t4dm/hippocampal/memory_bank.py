"""A bank of events (key, value), recalled exactly, evicting the least recently used.

    score_n = q . key_n                     keys and queries have length 1: the cosine
    recall  = the k events of largest score, best first; every occupied slot is looked at

Writing takes free slots first, then the slot that was written or recalled longest ago.  A bank is a
value: ``write`` and ``touch`` return a new one, so a run can be saved, replayed and compared.
Scores are float32 whatever the model computes in, inside ``torch.autocast`` too.  Episodic memory as
stored key/value events: Pritzel et al. 2017; Wu et al. 2022.
N slots  K key size  n events  k recalled
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from t4dm.kernels import recall as kernel

EMPTY_SCORE = -1e4  # below any cosine; finite, so that no gradient becomes NaN
CHUNK = 1024  # queries at a time: N * CHUNK scores are held
SPARSE = (
    0.125  # share of place cells that win: above it a matrix product is quicker than sums of rows
)
SHORT = 8  # tokens: fewer are not worth turning the keys round


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


def unmixed(like: Tensor) -> AbstractContextManager[Any]:
    """Inside it products on the device of ``like`` keep the dtype of their factors."""
    device = like.device.type
    if not torch.amp.is_autocast_available(device):
        return nullcontext()
    return torch.autocast(device, enabled=False)


@torch.no_grad()
def recall(bank: MemoryBank, query: Tensor, k: int) -> Recall:
    """The ``k`` (at most N) nearest events of every query (..., K); exact, nothing is approximated."""
    k = min(k, bank.size)
    flat = F.normalize(query.detach().reshape(-1, query.shape[-1]).to(bank.keys), dim=-1)
    free = torch.where(bank.stamp < 0, EMPTY_SCORE, 0.0)  # a free slot's key is 0
    with unmixed(flat):
        scores = ((part @ bank.keys.T).add_(free) for part in flat.split(CHUNK))
        best = [score.topk(k, dim=-1) for score in scores]
    shape = (*query.shape[:-1], k)
    return Recall(
        torch.cat([score for score, _ in best]).reshape(shape),
        torch.cat([slot for _, slot in best]).reshape(shape),
    )


@torch.no_grad()
def recall_along(
    bank: MemoryBank,
    place_BTP: Tensor,
    cue_BTP: Tensor,
    decay: float,
    k: int,
    before_BP: Tensor | None = None,
) -> Recall:
    """``recall(bank, cue, k)`` of the cues that :func:`temporal_context` makes of ``place``.

    Where few place cells win, on the CPU, the products are carried from token to token
    (``t4dm.kernels.recall``): the same numbers up to rounding, at a fifth of the time.
    """
    used = _worth_carrying(bank, place_BTP, k)
    if used is None:
        return recall(bank, cue_BTP, k)
    batch, time, n_place = place_BTP.shape
    full = len(used) == bank.size
    keys_PN = (bank.keys if full else bank.keys[used]).T.contiguous()
    before = keys_PN.new_zeros(batch, n_place) if before_BP is None else before_BP.to(keys_PN)
    best, slot = keys_PN.new_empty(batch, time, k), used.new_empty(batch, time, k)
    with unmixed(keys_PN):
        carried = before @ keys_PN
    kernel.recall_along(
        place_BTP.detach().to(keys_PN).contiguous().numpy(), keys_PN.numpy(),
        keys_PN.numpy().dtype.type(decay), carried.numpy(), best.numpy(), slot.numpy(),
        np.empty(n_place, np.int64), keys_PN.new_empty(kernel.LANES).numpy(),
    )  # fmt: skip
    score = best / cue_BTP.to(keys_PN).norm(dim=-1, keepdim=True).clamp(min=1e-12)
    return Recall(score, slot if full else used[slot])


def _worth_carrying(bank: MemoryBank, place_BTP: Tensor, k: int) -> Tensor | None:
    """The occupied slots (n,), or None where a matrix product is the better way."""
    if place_BTP.device.type != "cpu" or place_BTP.shape[1] < SHORT:
        return None
    used = torch.nonzero(bank.stamp >= 0)[:, 0]
    sparse = int(place_BTP.count_nonzero()) <= SPARSE * place_BTP.numel()
    return used if sparse and len(used) >= k else None


def touch(bank: MemoryBank, found: Recall) -> MemoryBank:
    """The bank after these events were recalled: each counts as used now; free slots stay free."""
    real = found.slot[found.score > EMPTY_SCORE].unique()
    stamp = bank.stamp.index_fill(0, real, int(bank.clock))
    return bank._replace(stamp=stamp, clock=bank.clock + 1)


def temporal_context(place_BTP: Tensor, decay: float, before_BP: Tensor | None = None) -> Tensor:
    """Cues c_t = decay * c_{t-1} + place_t, (B, T, P): what the last few tokens were, newest most.

    ``before_BP`` is the context that stood before the first token.  Howard & Kahana 2002.
    """
    steps = torch.arange(place_BTP.shape[1] + 1, device=place_BTP.device)
    fade = decay ** steps.to(torch.float32)
    age = steps[:-1, None] - steps[None, :-1]
    weights = torch.where(age >= 0, fade[age.clamp(min=0)], 0.0)
    with unmixed(place_BTP):
        cues = torch.einsum("ts,bsp->btp", weights, place_BTP.to(torch.float32))
    if before_BP is not None:
        cues = cues + fade[None, 1:, None] * before_BP[:, None].to(torch.float32)
    return cues
