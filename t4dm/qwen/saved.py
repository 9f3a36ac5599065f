"""What a folder holds beside the language model: ``unified.json`` and ``spiking.safetensors``.

The rest of the folder is an ordinary Hugging Face Qwen2 (config, safetensors, tokenizer), which any
other program can open.  No pickle.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch

from t4dm.qwen.core import SpikingCore
from t4dm.qwen.loading import ModelMissing
from t4dm.spiking.calibrate import Scales, apply_scales
from t4dm.store.files import write_durable

CONFIG, WEIGHTS = "unified.json", "spiking.safetensors"
FORMAT = 1


@dataclass(frozen=True)
class UnifiedConfig:
    """Shape of the spiking middle; ``split`` counts the language model's layers below it."""

    split: int
    n_blocks: int = 6
    n: int = 256
    n_heads: int = 8
    seed: int = 0
    mix: float = 0.1

    def check(self, layers: int) -> UnifiedConfig:
        """Itself, if it suits a language model of ``layers``; raises ValueError naming the field."""
        if not 1 <= self.split < layers:
            raise ValueError(f"split: expected 1 to {layers - 1}, got {self.split}")
        if self.n_blocks < 1:
            raise ValueError(f"n_blocks: expected 1 or more, got {self.n_blocks}")
        if self.n < 5 or self.n % self.n_heads:
            raise ValueError(
                f"n: expected at least 5 and a multiple of n_heads = {self.n_heads}, got {self.n}"
            )
        if not 0 < self.mix < 1:
            raise ValueError(f"mix: expected a share between 0 and 1, got {self.mix}")
        return self


def scales_of(core: SpikingCore) -> Scales:
    """The scales in force."""
    blocks = core.stack.blocks()
    return Scales(
        core.stack.c_in, tuple(b.c_out for b in blocks), tuple(b.c_l for b in blocks)
    )  # fmt: skip


def save_core(folder: Path, config: UnifiedConfig, core: SpikingCore) -> None:
    """Write both files, the weights first: a folder with a config has its weights."""
    from safetensors.torch import save

    tensors = {name: value.contiguous().cpu() for name, value in core.state_dict().items()}
    write_durable(folder / WEIGHTS, save(tensors, {"format": "pt"}), 0o644)
    known = {"format": FORMAT, "config": asdict(config), "scales": scales_of(core)._asdict()}
    write_durable(folder / CONFIG, json.dumps(known, indent=1).encode() + b"\n", 0o644)


def saved_config(folder: Path) -> tuple[UnifiedConfig, Scales] | None:
    """What ``folder`` says about its spiking middle, None if it has none; raises ModelMissing."""
    path = folder / CONFIG
    if not path.exists():
        return None
    try:
        known = json.loads(path.read_text())
        if known["format"] != FORMAT:
            raise ValueError(f"format {known['format']}, and {FORMAT} is known")
        config = UnifiedConfig(**{f.name: known["config"][f.name] for f in fields(UnifiedConfig)})
        scales = Scales(
            float(known["scales"]["c_in"]),
            tuple(map(float, known["scales"]["c_out"])),
            tuple(map(float, known["scales"]["c_l"])),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelMissing(
            f"{path} cannot be read ({error!s:.120}): save the model again"
        ) from None
    return config, scales


def load_core(folder: Path, core: SpikingCore, scales: Scales) -> None:
    """Take up the saved weights and scales; raises ModelMissing."""
    from safetensors.torch import load

    try:
        tensors: dict[str, torch.Tensor] = load((folder / WEIGHTS).read_bytes())
        core.load_state_dict(tensors)
        apply_scales(core.stack, scales)
    except Exception as error:  # noqa: BLE001  a cut or foreign file fails in many ways
        first = (str(error).splitlines() or [""])[0]
        raise ModelMissing(
            f"{folder / WEIGHTS} cannot be read ({first:.120}): save the model again"
        ) from None
