"""Hippocampal attention: causal, its queries stressed by prosody, with a memory bank that is read.

    q = (x W_q) * (1 + tanh(prosody W_p))             one gain a head
    a = softmax over t' <= t of q . k(t') / sqrt(C),  local = sum a v
    m = sigmoid(x w_m + b_m)                          memory gate, (B,T,1), shaped (B,1,T,1) for heads
    out = ((1 + 0.5 m) * local) W_o + m * g * read    the first factor only while memory is in use
    read = sum_j r_j E[id_j],  r = softmax over (nothing: 0, event j: beta * (score_j - tau))
The bank holds events "in this temporal context came this token"; ``score`` is the cosine of the
present context with event j's.  "Nothing" wins when no score exceeds tau.  g is a gain a channel,
beta and tau are learned.  Vaswani et al. 2017; reading stored events: Wu et al. 2022; Graves et al. 2014.
All in the dtype of the weights, which ``x`` has; prosody and scores are brought to it.
B batch  T time  S keys  D channels  H heads  C channels of a head  k recalled events
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablation, Ablations
from t4dm.hippocampal.draws import linear
from t4dm.hippocampal.params import PROSODY

WEIGHT_STD = 0.02
SHARPNESS, THRESHOLD, GAIN = 16.0, 0.7, 2.0  # where beta, tau and g start


class Recalled(NamedTuple):
    """What the bank gave for every token: ``score`` (B,T,k) and the events' ``content`` (B,T,k,D)."""

    score: Tensor
    content: Tensor


class KeysValues(NamedTuple):
    """Keys and values (B,H,S,C) of the tokens so far."""

    keys: Tensor
    values: Tensor


class AttentionOut(NamedTuple):
    """``out`` (B,T,D), the ``past`` for the next call, ``gate`` (B,T) or None, ``weights`` (B,H,T,S) or None."""

    out: Tensor
    past: KeysValues
    gate: Tensor | None
    weights: Tensor | None


def causal_mask(n_queries: int, n_keys: int, device: torch.device) -> Tensor:
    """(T, S) bool: the last query stands at the last key."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool, device=device).tril(n_keys - n_queries)


class HippocampalAttention(nn.Module):
    """``qkv`` (D to 3D), ``out`` (D to D), ``prosody`` (4 to H), ``memory_gate`` (D to 1)."""

    def __init__(
        self,
        dim: int,
        n_heads: int,
        *,
        out_std: float = WEIGHT_STD,
        generator: torch.Generator,
        ablations: Ablations = NONE,
    ) -> None:
        super().__init__()
        self.n_heads, self.head = n_heads, dim // n_heads
        self.qkv = linear(dim, 3 * dim, generator, std=WEIGHT_STD)
        self.out = linear(dim, dim, generator, std=out_std)
        self.prosody = linear(len(PROSODY), n_heads, generator, std=0.1, bias=False)
        self.memory_gate = linear(dim, 1, generator, std=WEIGHT_STD)
        self.memory_gain = nn.Parameter(torch.full((dim,), GAIN))
        self.sharpness = nn.Parameter(torch.tensor([SHARPNESS]))
        self.threshold = nn.Parameter(torch.tensor([THRESHOLD]))
        self.gate_transposed = Ablation.MEMORY_GATE_TRANSPOSED in ablations

    def forward(
        self,
        x: Tensor,
        prosody: Tensor | None = None,
        recalled: Recalled | None = None,
        past: KeysValues | None = None,
        need_weights: bool = False,
    ) -> AttentionOut:
        """One pass over ``x`` (B,T,D), ``prosody`` (B,T,4), after the tokens in ``past``."""
        q, k, v = (self._heads(part) for part in self.qkv(x).chunk(3, dim=-1))
        if prosody is not None:
            gain = 1.0 + torch.tanh(self.prosody(prosody.to(x.dtype)))
            q = q * gain.transpose(1, 2).unsqueeze(-1)
        if past is not None:
            k, v = torch.cat([past.keys, k], dim=2), torch.cat([past.values, v], dim=2)
        heads, weights = self._attend(q, k, v, need_weights)
        if recalled is None:
            return AttentionOut(self.out(self._joined(heads)), KeysValues(k, v), None, weights)
        gate = torch.sigmoid(self.memory_gate(x))
        out = self.out(self._joined(heads * self._scale(gate)))
        out = torch.addcmul(out, self.memory_gain, self.read(recalled, gate))
        return AttentionOut(out, KeysValues(k, v), gate[..., 0], weights)

    def read(self, recalled: Recalled, gate_BT1: Tensor | None = None) -> Tensor:
        """(B,T,D): the recalled contents, weighted, times the gate; 0 where nothing is similar enough."""
        dtype = recalled.content.dtype
        logits = self.sharpness * (recalled.score.to(dtype) - self.threshold)
        share = torch.softmax(F.pad(logits, (1, 0)), dim=-1)[..., 1:]
        share = share if gate_BT1 is None else gate_BT1 * share
        return torch.einsum("btk,btkd->btd", share, recalled.content)

    def _scale(self, gate_BT1: Tensor) -> Tensor:
        turned = gate_BT1.transpose(1, 2)
        if self.gate_transposed:
            return 1.0 + 0.5 * turned.unsqueeze(1)  # (B,1,1,T)
        return 1.0 + 0.5 * turned.unsqueeze(-1)  # (B,1,T,1)

    def _attend(
        self, q: Tensor, k: Tensor, v: Tensor, need_weights: bool
    ) -> tuple[Tensor, Tensor | None]:
        n_queries, n_keys = q.shape[2], k.shape[2]
        if need_weights:
            mask = causal_mask(n_queries, n_keys, q.device)
            scores = (q @ k.transpose(-1, -2)) * self.head**-0.5
            weights = scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)
            return weights @ v, weights
        if n_queries == n_keys:
            return F.scaled_dot_product_attention(q, k, v, is_causal=True), None
        mask = causal_mask(n_queries, n_keys, q.device)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask), None

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.n_heads, self.head)).transpose(1, 2)

    def _joined(self, heads: Tensor) -> Tensor:
        return heads.transpose(1, 2).flatten(-2)
