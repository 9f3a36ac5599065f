"""Hippocampal transformer: place-cell encoder, theta-gamma positions, layers, a tied head.

    x = encoder(ids) + positions;  x = dropout(x);  layers;  h = dropout(LN(x));  logits = h E^T
One LayerNorm and one dropout stand before the head, and the head is the embedding (Press & Wolf 2017).
While memory is in use, each token's temporal context (decayed sum of place codes) asks the bank once;
every layer reads the answer.  ``remember`` stores "in this context came this token".
Activations are in the dtype of the weights; ids and slots int64; cues and scores float32.
B batch  T time  D channels  P place cells  L layers  V vocabulary  k recalled events
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablation, Ablations
from t4dm.hippocampal import memory_bank
from t4dm.hippocampal.attention import KeysValues, Recalled
from t4dm.hippocampal.draws import dropout, linear
from t4dm.hippocampal.layer import HippocampalLayer
from t4dm.hippocampal.memory_bank import MemoryBank, Recall, temporal_context
from t4dm.hippocampal.params import HippocampalParams
from t4dm.hippocampal.place_cells import EMBEDDING_STD, PlaceCellEncoder
from t4dm.hippocampal.theta_gamma import ThetaGammaEncoding


class Context(NamedTuple):
    """What a later call needs to go on from here: tokens seen, keys and values, temporal context.

    ``between`` is the state of what stands between the layers and the head, None where nothing does.
    """

    length: int
    layers: tuple[KeysValues, ...]
    cue: Tensor  # (B, P) float32
    between: Any = None


class Trace(NamedTuple):
    """What can be watched: attention (L,B,H,T,S) and, with memory in use, gates (L,B,T)."""

    attention: Tensor
    memory_gate: Tensor | None


class Output(NamedTuple):
    """``logits`` (B,T,V), ``hidden`` (B,T,D) that the head read, ``place`` and ``cue`` (B,T,P).

    ``balance`` is the loss of a router whose load is to be evened out; None without one.
    """

    logits: Tensor
    hidden: Tensor
    place: Tensor
    cue: Tensor
    context: Context
    recalled: Recall | None
    trace: Trace | None
    balance: Tensor | None = None


class HippocampalTransformer(nn.Module):
    """Built from :class:`HippocampalParams` and a seed.  ``dropout`` may change between two steps."""

    def __init__(
        self, params: HippocampalParams, seed: int = 0, ablations: Ablations = NONE
    ) -> None:
        super().__init__()
        self.params, self.ablations = params.checked(), ablations
        self.dropout = params.dropout
        draws = torch.Generator().manual_seed(seed)
        dim = params.dim
        self.encoder = PlaceCellEncoder(
            params.vocab_size, dim, params.n_place, params.place_share, params.place_residual,
            generator=draws, ablations=ablations,
        )  # fmt: skip
        self.positions = ThetaGammaEncoding(
            dim, params.max_seq_len, generator=draws, ablations=ablations
        )
        self.layers = nn.ModuleList(
            HippocampalLayer(
                dim, params.n_heads, params.mlp_ratio, params.n_layers,
                generator=draws, ablations=ablations,
            )
            for _ in range(params.n_layers)
        )  # fmt: skip
        self.norm = nn.LayerNorm(dim)
        self.output_head = linear(dim, params.vocab_size, draws, std=EMBEDDING_STD, bias=False)
        self._tie()

    def forward(
        self,
        ids: Tensor,
        prosody: Tensor | None = None,
        use_memory: bool = False,
        *,
        memory: MemoryBank | None = None,
        context: Context | None = None,
        generator: torch.Generator | None = None,
        need_trace: bool = False,
        need_logits: bool = True,
    ) -> Output:
        """Logits for ``ids`` (B,T) int64, after the tokens of ``context``.

        ``prosody`` (B,T,4); ``use_memory`` reads ``memory`` (none given: an empty bank).
        ``generator`` draws the dropout while training; without ``need_logits`` they are (B,T,0), for
        a loss taken from ``hidden``.  Raises ValueError for ids that are not (B,T) or without a token,
        an id outside the vocabulary on the CPU, a context longer than ``max_seq_len``, or dropout
        without generator.
        """
        start = context.length if context else 0
        x, place = self.encoder(self._checked(ids))
        before = context.cue if context else None
        cue = temporal_context(place.detach(), self.params.cue_decay, before)
        found, recalled = self._ask(memory, place, cue, before) if use_memory else (None, None)
        x = dropout(self.positions(x, start), self.dropout, self.training, generator)
        past, weights, gates = [], [], []
        for index, layer in enumerate(self.layers):
            x, made = layer(
                x, prosody, recalled, context.layers[index] if context else None,
                p_drop=self.dropout, generator=generator, need_weights=need_trace,
            )  # fmt: skip
            past.append(made.past)
            weights.append(made.weights)
            gates.append(made.gate)
        x, carried, balance = self._between(x, prosody, context.between if context else None)
        hidden = self._finish(x, generator)
        trace = None
        if need_trace:
            trace = Trace(torch.stack(weights), torch.stack(gates) if use_memory else None)
        after = Context(start + ids.shape[1], tuple(past), cue[:, -1], carried)
        logits = self.output_head(hidden) if need_logits else hidden[..., :0]
        return Output(logits, hidden, place, cue, after, found, trace, balance)

    def _tie(self) -> None:
        if Ablation.UNTIED_HEAD not in self.ablations:
            self.output_head.weight = self.encoder.token_embedding.weight

    def _apply(self, *args: Any, **more: Any) -> Any:
        """What ``to`` and its like do; the head stays tied also where they make every parameter anew."""
        made = super()._apply(*args, **more)
        self._tie()
        return made

    def empty_memory(self) -> MemoryBank:
        """A bank of ``memory_size`` free slots on the model's device; values are token ids."""
        device = self.encoder.token_embedding.weight.device
        return memory_bank.empty_bank(self.params.memory_size, self.params.n_place, device=device)

    def remember(self, memory: MemoryBank, cue_nP: Tensor, next_ids_n: Tensor) -> MemoryBank:
        """The bank with n events added: after temporal context ``cue`` came token ``next_ids``."""
        return memory_bank.write(memory, cue_nP, next_ids_n)

    def _between(
        self, x: Tensor, prosody: Tensor | None, state: Any
    ) -> tuple[Tensor, Any, Tensor | None]:
        """What the head gets for ``x`` (B,T,D) of the last layer, the state after it, a balance loss."""
        return x, None, None

    def _finish(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        hidden = dropout(self.norm(x), self.dropout, self.training, generator)
        if Ablation.DUPLICATE_NORM_DROPOUT in self.ablations:
            hidden = dropout(self.norm(hidden), self.dropout, self.training, generator)
        return hidden

    def _ask(
        self, memory: MemoryBank | None, place: Tensor, cue: Tensor, before: Tensor | None
    ) -> tuple[Recall, Recalled]:
        memory = self.empty_memory() if memory is None else memory
        found = memory_bank.recall_along(
            memory, place, cue, self.params.cue_decay, self.params.memory_top_k, before
        )
        content = self.encoder.token_embedding.weight.detach()[memory.values[found.slot]]
        return found, Recalled(found.score, content)

    def _checked(self, ids: Tensor) -> Tensor:
        if ids.ndim != 2 or ids.shape[1] == 0:
            raise ValueError(
                f"ids must be shaped (B, T) with at least one token, got {tuple(ids.shape)}"
            )
        if ids.device.type == "cpu" and ids.numel():
            low, high = int(ids.min()), int(ids.max())
            if low < 0 or high >= self.params.vocab_size:
                wrong = low if low < 0 else high
                raise ValueError(
                    f"token id {wrong} lies outside the vocabulary of {self.params.vocab_size}"
                )
        return ids
