"""A Qwen2 language model with a spiking stack in its middle.

    embedding -> lower layers -> [encoder -> CorticalStack -> decoder, mixed with the skip path]
              -> upper layers -> norm -> head
The language model is Hugging Face's own; the middle is ``t4dm.qwen.core``.  One token is one spiking
step.  State is handed in and out (:class:`Past`), never kept on the model.
B batch  T time, tokens of this call  C hidden size  V vocabulary
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from t4dm.qwen.core import CoreState, SpikingCore
from t4dm.qwen.generation import generate
from t4dm.qwen.loading import find_folder, load_base, load_tokenizer, no_bars
from t4dm.qwen.saved import UnifiedConfig, load_core, save_core, saved_config
from t4dm.qwen.trace import BlockTrace
from t4dm.spiking.calibrate import Scales
from t4dm.spiking.settings import StepSettings

if TYPE_CHECKING:
    from transformers import Cache, PreTrainedTokenizerBase

DEFAULT_MODEL = "Qwen/Qwen2.5-3B-Instruct"
CALIBRATION_TOKENS = 256
IGNORED = -100
"""A label with this value counts in no loss."""


class Past(NamedTuple):
    """Everything a sequence carries on: keys and values, spiking state, and which tokens were real.

    ``keys`` grow in place, as Hugging Face has it: go on from a Past once, and then from the next.
    """

    keys: Cache
    core: CoreState
    mask_BT: Tensor


@dataclass(frozen=True)
class UnifiedOutput:
    """``loss`` (nats a token) with labels, ``logits`` (B,T,V), ``past`` and ``spike_trace`` if asked."""

    logits: Tensor
    loss: Tensor | None = None
    past: Past | None = None
    spike_trace: dict[str, BlockTrace] | None = None


class UnifiedModel(nn.Module):
    """``model_name``: a folder, or a name on the Hugging Face hub (``T4DM_QWEN`` takes its place).

    A folder written by :meth:`save_pretrained` brings its spiking middle along; otherwise one is drawn
    from ``seed`` and calibrated on ``CALIBRATION_TOKENS`` seeded random tokens.  ``split`` defaults to
    mid-depth, ``dtype`` to the one the weights were saved in.
    Raises ``ModelMissing`` with one sentence when the model cannot be had, ValueError for a bad shape.
    """

    def __init__(
        self,
        model_name: str = DEFAULT_MODEL,
        *,
        split: int | None = None,
        n_blocks: int | None = None,
        n: int | None = None,
        n_heads: int | None = None,
        seed: int | None = None,
        mix: float | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.folder = find_folder(model_name)
        asked = {
            name: value
            for name, value in (
                ("split", split), ("n_blocks", n_blocks), ("n", n), ("n_heads", n_heads),
                ("seed", seed), ("mix", mix),
            )
            if value is not None
        }  # fmt: skip
        held = saved_config(self.folder)
        self.base = load_base(self.folder, dtype, device)
        layers = self.base.config.num_hidden_layers
        self.config = _settle(asked, held[0] if held else None, layers).check(layers)
        c = self.config
        self.core = SpikingCore(
            self.base.config.hidden_size, c.n_blocks, c.n, c.n_heads, c.mix, c.seed, self.base.dtype
        )
        if held is not None:
            load_core(self.folder, self.core, held[1])
        self.core.to(self.base.device)
        self.settings = StepSettings.default(c.n_blocks)
        if held is None:
            self.calibrate()

    @classmethod
    def from_pretrained(cls, folder: str | Path, **options: Any) -> UnifiedModel:
        """The model saved in ``folder``; ``options`` as for the class."""
        return cls(str(folder), **options)

    def save_pretrained(self, folder: str | Path) -> None:
        """Language model, tokenizer (if it has one) and spiking middle, as safetensors and JSON."""
        to = Path(folder)
        to.mkdir(parents=True, exist_ok=True)
        with no_bars():
            self.base.save_pretrained(to)
        if (self.folder / "tokenizer_config.json").exists():
            self.tokenizer.save_pretrained(to)
        save_core(to, self.config, self.core)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer beside the weights, loaded when first asked for."""
        return load_tokenizer(self.folder)

    @property
    def spiking_blocks(self) -> nn.ModuleList:
        """The cortical blocks; ``spiking_blocks[i].recurrent.weight`` is (N, N), pre-major."""
        return self.core.stack.spiking_blocks

    @property
    def mix(self) -> float:
        """Share of the spiking path in the hidden states, 0 to 1; can be set."""
        return self.core.mix

    @mix.setter
    def mix(self, share: float) -> None:
        self.core.mix = share

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.core.mix_logit.device

    @torch.no_grad()
    def calibrate(self, input_ids: Tensor | None = None, target: float | None = None) -> Scales:
        """Bring every stage to ``target`` spikes a token (default 0.1) on ``input_ids`` (T,).

        Without ids: seeded random tokens.  On text of the kind the model will see it is more exact.
        """
        if input_ids is None:
            generator = torch.Generator().manual_seed(self.config.seed)
            size = self.base.config.vocab_size
            input_ids = torch.randint(size, (CALIBRATION_TOKENS,), generator=generator)
        ids = input_ids.reshape(1, -1).to(self.device)
        around = self._around(ids, torch.ones_like(ids, dtype=torch.bool), None)
        return self.core.calibrate(self._layers(slice(0, self.config.split), around)[0], target)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        past: Past | None = None,
        use_cache: bool = False,
        return_spike_trace: bool = False,
        settings: StepSettings | None = None,
    ) -> UnifiedOutput:
        """Logits of ``input_ids`` (B,T), going on from ``past`` if given.

        ``attention_mask`` is 1 at real tokens, over this call's (B,T) or over past and call.  Padding,
        on either side, moves no state and shifts no position.  ``labels`` (B,T) are the ids themselves
        (shifted inside), -100 where they do not count.  ``settings`` stand in for ``self.settings``.
        """
        mask = _whole_mask(input_ids, attention_mask, past)
        here = mask[:, -input_ids.shape[1] :]
        around = self._around(input_ids, mask, past, use_cache)
        split = self.config.split
        h = self._layers(slice(0, split), around)
        h, state, traces = self.core(
            h, None if past is None else past.core, settings or self.settings,
            None if bool(here.all()) else here, return_spike_trace,
        )  # fmt: skip
        h = self._layers(slice(split, None), around._replace(h=h))
        logits = self.base.lm_head(self.base.model.norm(h))
        return UnifiedOutput(
            logits,
            None if labels is None else _loss(logits, labels, here),
            None if around.keys is None else Past(around.keys, state, mask),
            {f"block {i}": t for i, t in enumerate(traces)} if return_spike_trace else None,
        )

    def generate(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, **options: Any
    ) -> Tensor:
        """Ids (B, T + new): see :func:`t4dm.qwen.generation.generate`."""
        return generate(self, input_ids, attention_mask, **options)

    # -- the language model's own layers ---------------------------------------------------------

    def _around(
        self, ids: Tensor, mask: Tensor, past: Past | None, use_cache: bool = False
    ) -> _Around:
        """Embedding, positions and masks as Qwen2Model makes them, positions counted in real tokens."""
        from transformers import DynamicCache
        from transformers.masking_utils import (
            create_causal_mask,
            create_sliding_window_causal_mask,
        )

        model, config = self.base.model, self.base.config
        keys = past.keys if past is not None else DynamicCache(config=config) if use_cache else None
        h = model.embed_tokens(ids)
        positions = (mask.long().cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        make = {
            "full_attention": create_causal_mask,
            "sliding_attention": create_sliding_window_causal_mask,
        }
        masks = {
            kind: make[kind](
                config=config, inputs_embeds=h, attention_mask=mask, past_key_values=keys
            )
            for kind in dict.fromkeys(self._kinds)
        }
        return _Around(h, positions, model.rotary_emb(h, positions), masks, keys)

    @property
    def _kinds(self) -> list[str]:
        """Kind of attention of each layer: which of the masks it takes."""
        return list(self.base.config.layer_types or [])

    def _layers(self, which: slice, around: _Around) -> Tensor:
        h, model = around.h, self.base.model
        for layer, kind in zip(model.layers[which], self._kinds[which], strict=True):
            h = layer(
                h, attention_mask=around.masks[kind], position_ids=around.positions,
                position_embeddings=around.rotary, past_key_values=around.keys,
                use_cache=around.keys is not None,
            )  # fmt: skip
        return h


class _Around(NamedTuple):
    """What the language model's layers share in one call."""

    h: Tensor
    positions: Tensor
    rotary: tuple[Tensor, Tensor]
    masks: dict[str, Any]
    keys: Cache | None


def _settle(asked: dict[str, Any], held: UnifiedConfig | None, layers: int) -> UnifiedConfig:
    """The shape to build; raises ValueError where a saved model is asked to be another."""
    if held is None:
        return UnifiedConfig(**{"split": layers // 2, **asked})
    for name, value in asked.items():
        if value != getattr(held, name):
            raise ValueError(
                f"{name}: this model was saved with {getattr(held, name)}, got {value}"
            )
    return held


def _whole_mask(ids: Tensor, given: Tensor | None, past: Past | None) -> Tensor:
    """Real tokens (B, past + T) bool; raises ValueError where the shapes disagree."""
    before = ids.new_zeros(ids.shape[0], 0, dtype=torch.bool) if past is None else past.mask_BT
    if before.shape[0] != ids.shape[0]:
        raise ValueError(f"past: expected {ids.shape[0]} sequences, got {before.shape[0]}")
    if given is None:
        given = torch.ones_like(ids)
    if given.shape == ids.shape:
        return torch.cat([before, given.bool()], dim=-1)
    if given.shape != (ids.shape[0], before.shape[1] + ids.shape[1]):
        raise ValueError(
            f"attention_mask: expected {tuple(ids.shape)} as input_ids, got {tuple(given.shape)}"
        )
    return given.bool()


def _loss(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Mean cross-entropy of the next token, in nats; padding counts nowhere."""
    wanted = labels.masked_fill(~mask, IGNORED)[:, 1:]
    return nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1).float(), wanted.flatten(), ignore_index=IGNORED
    )
