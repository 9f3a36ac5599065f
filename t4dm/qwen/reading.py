"""A UnifiedModel reading a text and going on with it, one token a step, with settings that may change.

    reading = Reading(model, seed=0);  reading.apply({"script.text": "What is a spike?"})
    token = reading.next()              # its name, whether the model wrote it, and its traces
A round is the text and ``new_tokens`` more; then the next round begins, with membranes at rest.
No clock, no thread, no page here: ``t4dm.qwen.live`` shows it.
T = 1 step  L blocks  N neurons a stage
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from pydantic.fields import FieldInfo
from torch import Tensor

from t4dm.params import ParamError, Params, param
from t4dm.qwen.generation import end_tokens, next_token
from t4dm.qwen.trace import BlockTrace
from t4dm.qwen.unified_model import Past, UnifiedModel
from t4dm.spiking.params import (
    ApicalParams,
    AttentionParams,
    GateParams,
    LIFParams,
    RecurrentParams,
    RWKVParams,
)

TEXT = "What is a spike? A short pulse by which a nerve cell tells the others that it was driven enough."
LONGEST_TEXT = 4000
_PER_STAGE: dict[str, tuple[type[Params], str]] = {
    "v_thresh": (LIFParams, "v_thresh"),
    "alpha": (LIFParams, "alpha"),
    "beta": (LIFParams, "beta"),
    "u_max": (LIFParams, "u_max"),
    "gate_bias": (GateParams, "bias"),
    "gate_slope": (GateParams, "slope"),
}
_WHOLE: dict[str, tuple[type[Params], str]] = {
    "recurrent_gain": (RecurrentParams, "gain"),
    "attention_tau": (AttentionParams, "tau"),
    "attention_kappa": (AttentionParams, "kappa"),
    "attention_sharpness": (AttentionParams, "sharpness"),
    "apical_gain": (ApicalParams, "gain"),
    "rwkv_decay": (RWKVParams, "decay"),
}
_LEVELS = {
    "ach": "Acetylcholine: opens the gate, g * (0.5 + ACh).",
    "ne": "Noradrenaline: gains the input of both LIF stages, I * (0.5 + NE).",
    "ht5": "Serotonin: slows the RWKV decay, divided by 0.5 + 5-HT.",
}


def controls(model: UnifiedModel) -> dict[str, Any]:
    """Every control of the page, declared with its default and bounds; ``model`` gives its own mix."""
    spiking = {
        name: group.model_fields[own] for name, (group, own) in (_PER_STAGE | _WHOLE).items()
    }
    return {
        "text": param(TEXT, help="The text to read; a changed text begins a new round."),
        "new_tokens": param(32, 0, 512, help="Tokens that the model adds to the text."),
        "temperature": param(
            0.8, 0.0, 5.0, help="Spread of the tokens drawn; 0 takes the likeliest."
        ),
        "tokens_per_s": param(20.0, 0.5, 1000.0, log=True, help="Pace, if the model can keep it."),
        "mix": param(
            model.mix, 0.001, 0.999, help="Share of the spiking path in the hidden states."
        ),
        **spiking,
        **{name: param(0.5, 0.0, 1.0, help=text) for name, text in _LEVELS.items()},
    }


@dataclass(frozen=True)
class Token:
    """One token read: ``index`` in its round, ``is_new`` where the model wrote it."""

    label: str
    index: int
    is_new: bool
    is_first_new: bool
    trace: dict[str, BlockTrace]

    def spikes(self) -> list[np.ndarray]:
        """(1, N) of every stage, in the order of the neuron ids."""
        halves = [half for t in self.trace.values() for half in t["spikes"][0].chunk(2, dim=-1)]
        return [half.float().cpu().numpy() for half in halves]

    def membranes(self) -> np.ndarray:
        """u_pre (1, L*2N) of every neuron, in the order of the ids."""
        rows = torch.cat([t["membrane"][0] for t in self.trace.values()], dim=-1)
        return rows.float().cpu().numpy()

    def gates(self) -> np.ndarray:
        """(1, L, N)."""
        rows = torch.stack([t["gate"][0] for t in self.trace.values()], dim=1)
        return rows.float().cpu().numpy()

    def attention(self, n_keys: int) -> np.ndarray:
        """(1, L, n_keys) mean over the heads, newest key last, 0 where none is in sight."""
        rows = torch.stack([t["attention"][0, :, 0].mean(dim=0) for t in self.trace.values()])
        shown = rows[:, -n_keys:].float().cpu().numpy()
        return np.pad(shown, ((0, 0), (n_keys - shown.shape[1], 0)))[None]

    def keys(self, n_keys: int) -> np.ndarray:
        """(1, L) tokens of this round in sight, this one among them, at most ``n_keys``."""
        return np.full((1, len(self.trace)), min(self.index + 1, n_keys))


class Reading:
    """Reads ``model.text`` round after round; random draws come from ``seed`` alone."""

    def __init__(self, model: UnifiedModel, seed: int = 0) -> None:
        self.model = model
        self.generator = torch.Generator(device=model.device).manual_seed(seed)
        self._ends = set(end_tokens(model))
        self._controls = controls(model)
        self.values: dict[str, Any] = {name: f.default for name, f in self._controls.items()}
        self._ids: list[int] = self._read_text(self.values["text"])
        self._begin()

    def apply(self, values: Mapping[str, Any]) -> None:
        """Take ``{"script.<name>": value}`` from the next token on; raises ParamError, changing nothing."""
        given = {path.partition(".")[2]: value for path, value in values.items()}
        if "text" in given and given["text"] != self.values["text"]:
            self._ids = self._read_text(given["text"])
            self._begin()
        self.values |= given
        settings = self.model.settings
        changed: dict[str, Any] = {
            name: np.full_like(getattr(settings, name), given[name])
            for name in _PER_STAGE
            if name in given
        }
        changed |= {name: float(given[name]) for name in (*_WHOLE, *_LEVELS) if name in given}
        self.model.settings = replace(settings, **changed)
        if "mix" in given:
            self.model.mix = given["mix"]

    def declared(self) -> dict[str, FieldInfo]:
        """The controls, each with the value that holds now as its default."""
        return {
            name: FieldInfo.merge_field_infos(field, default=self.values[name])
            for name, field in self._controls.items()
        }

    def _read_text(self, text: str) -> list[int]:
        if not text.strip() or len(text) > LONGEST_TEXT:
            raise ParamError("script.text", f"text: expected 1 to {LONGEST_TEXT} characters")
        return list(self.model.tokenizer(text)["input_ids"])

    def _begin(self) -> None:
        self._past: Past | None = None
        self._logits: Tensor | None = None
        self._at = 0
        self.written: list[int] = []

    @property
    def round_is_over(self) -> bool:
        """Whether the next token begins a new round."""
        if self._at < len(self._ids):
            return False
        ended = bool(self.written) and self.written[-1] in self._ends
        return ended or len(self.written) >= self.values["new_tokens"]

    @property
    def said(self) -> str:
        """What the model has added to the text in this round."""
        return str(self.model.tokenizer.decode(self.written))

    @torch.no_grad()
    def next(self) -> Token:
        """Read or write one token."""
        if self.round_is_over:
            self._begin()
        index, is_new = self._at, self._at >= len(self._ids)
        token = self._choose() if is_new else self._ids[index]
        if is_new:
            self.written.append(token)
        ids = torch.tensor([[token]], device=self.model.device)
        out = self.model(ids, past=self._past, use_cache=True, return_spike_trace=True)
        assert out.spike_trace is not None
        self._past, self._logits, self._at = out.past, out.logits[:, -1], index + 1
        label = str(self.model.tokenizer.decode([token]))
        return Token(label, index, is_new, is_new and len(self.written) == 1, out.spike_trace)

    def _choose(self) -> int:
        assert self._logits is not None
        return int(next_token(self._logits, self.values["temperature"], self.generator)[0])
