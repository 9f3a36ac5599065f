"""A training run as a safetensors file (``tensor_file``, no pickle), and the run that goes on from it.

Weights (``model.<name>``, in their own dtype), both moments of AdamW, memory bank, replay store,
Fisher information and anchor are tensors; parameters, ablations, seed and counters are JSON.  Random
numbers need no saving: step s draws from (seed, s).  A session packs the same as numpy arrays, where
bfloat16 has no type and travels as its bits in int16.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from t4dm.ablations import ablations_of
from t4dm.brain.params import BrainParams
from t4dm.hippocampal.memory_bank import MemoryBank
from t4dm.hippocampal.params import HippocampalParams
from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.learning.ewc import Consolidated
from t4dm.training.brain_transformer import BrainTransformer
from t4dm.training.data import Batch, TokenText
from t4dm.training.params import TrainParams
from t4dm.training.sleep import Replay
from t4dm.training.tensor_file import read_tensors, write_tensors
from t4dm.training.trainer import Trainer

KIND = "t4dm-training"
COUNTERS = ("step_number", "tokens", "awake_for", "sleep_left")
MOMENTS = ("step", "exp_avg", "exp_avg_sq")


def save(path: Path, trainer: Trainer) -> None:
    """Write the run durably: the file is the old one or the new one, never half.  Raises OSError."""
    write_tensors(path, KIND, _meta(trainer), _tensors(trainer) | _replay_tensors(trainer.replay))


def pack(trainer: Trainer) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """JSON data and arrays that :func:`unpack` makes the run of; arrays may be views of its tensors."""
    tensors = _tensors(trainer) | _replay_tensors(trainer.replay)
    half = [name for name, tensor in tensors.items() if tensor.dtype == torch.bfloat16]
    arrays = {name: _array(tensor) for name, tensor in tensors.items()}
    return _meta(trainer) | {"bfloat16": half}, arrays


def _meta(trainer: Trainer) -> dict[str, Any]:
    known: dict[str, Any] = {
        "model": trainer.model.params.model_dump(),
        "brain": _brain(trainer.model),
        "ablations": sorted(trainer.model.ablations),
        "dropout": trainer.model.dropout,
        "train": trainer.params.model_dump(),
        "seed": trainer.seed,
        "replay_seen": trainer.replay.seen,
        "text": text_digest(trainer.text),
    }
    return known | {name: getattr(trainer, name) for name in COUNTERS}


def load(
    path: Path,
    text: TokenText,
    held_out: TokenText | None = None,
    other_text: bool = False,
    device: torch.device | str = "cpu",
) -> Trainer:
    """The run as it was saved, on ``device``, wherever it was before.

    ``other_text`` allows to go on with another text than it was saved with.  Raises SealError for a
    damaged file, ValueError for another text, OSError where it cannot be read.
    """
    meta, tensors = read_tensors(path, KIND)
    if meta["text"] != text_digest(text) and not other_text:
        raise ValueError(f"{path.name} was trained on another text than the one given")
    return _rebuilt(meta, tensors, text, held_out, torch.device(device))


def unpack(
    meta: dict[str, Any],
    arrays: dict[str, np.ndarray],
    text: TokenText,
    held_out: TokenText | None = None,
) -> Trainer:
    """The run that was packed, on the CPU; raises KeyError or ValueError for anything else."""
    half = set(meta["bfloat16"])
    tensors = {name: _tensor(array, name in half) for name, array in arrays.items()}
    return _rebuilt(meta, tensors, text, held_out, torch.device("cpu"))


def _rebuilt(
    meta: dict[str, Any],
    tensors: dict[str, Tensor],
    text: TokenText,
    held_out: TokenText | None,
    device: torch.device,
) -> Trainer:
    model = _model(meta)
    weights = {name: tensors[f"model.{name}"] for name, _ in model.named_parameters()}
    model.to(device, next(iter(weights.values())).dtype)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(weights[name])
    model.dropout = meta["dropout"]
    trainer = Trainer(model, text, TrainParams(**meta["train"]), meta["seed"], held_out)
    _restore(trainer, meta, tensors, device)
    return trainer


def _brain(model: HippocampalTransformer) -> dict[str, Any] | None:
    """What a brain between layers and head is made of; its fields in space come from a seed."""
    if not isinstance(model, BrainTransformer):
        return None
    return {"params": model.brain.params.model_dump(), "seed": model.brain_seed}


def _model(meta: dict[str, Any]) -> HippocampalTransformer:
    params, ablations = HippocampalParams(**meta["model"]), ablations_of(meta["ablations"])
    brain = meta.get("brain")
    if brain is None:
        return HippocampalTransformer(params, ablations=ablations)
    return BrainTransformer(params, BrainParams(**brain["params"]), brain["seed"], ablations)


def text_digest(text: TokenText) -> str:
    """SHA-256 of the token ids."""
    return hashlib.sha256(np.ascontiguousarray(text.ids).tobytes()).hexdigest()


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, parameter in trainer.model.named_parameters():
        found[f"model.{name}"] = parameter.detach()
        for moment, value in trainer.optimizer.state.get(parameter, {}).items():
            found[f"optimizer.{moment}.{name}"] = value
    found |= {f"memory.{name}": part for name, part in trainer.memory._asdict().items()}
    if trainer.held is not None:
        found |= {f"fisher.{name}": part for name, part in trainer.held.fisher.items()}
        found |= {f"anchor.{name}": part for name, part in trainer.held.anchor.items()}
    return found


def _restore(
    trainer: Trainer,
    meta: dict[str, Any],
    tensors: dict[str, Tensor],
    device: torch.device,
) -> None:
    for name in COUNTERS:
        setattr(trainer, name, meta[name])
    trainer.replay = _replay(tensors, meta["replay_seen"])
    tensors = {name: tensor.to(device) for name, tensor in tensors.items()}
    for name, parameter in trainer.model.named_parameters():
        moments = {
            moment: tensors[f"optimizer.{moment}.{name}"]
            for moment in MOMENTS
            if f"optimizer.{moment}.{name}" in tensors
        }
        if moments:
            trainer.optimizer.state[parameter] = moments
    trainer.memory = MemoryBank(*(tensors[f"memory.{name}"] for name in MemoryBank._fields))
    trainer.held = _held(tensors)


def _replay_tensors(replay: Replay) -> dict[str, Tensor]:
    parts = replay.batch._asdict() | {"loss": replay.loss}
    return {f"replay.{name}": torch.from_numpy(part) for name, part in parts.items()}


def _replay(tensors: dict[str, Tensor], seen: int) -> Replay:
    batch = Batch(*(tensors[f"replay.{name}"].numpy() for name in Batch._fields))
    return Replay(batch, tensors["replay.loss"].numpy(), seen)


def _held(tensors: dict[str, Tensor]) -> Consolidated | None:
    parts: dict[str, dict[str, Tensor]] = {"fisher": {}, "anchor": {}}
    for name, tensor in tensors.items():
        kind, _, parameter = name.partition(".")
        if kind in parts:
            parts[kind][parameter] = tensor
    return Consolidated(**parts) if parts["fisher"] else None


def _array(tensor: Tensor) -> np.ndarray:
    plain = tensor.detach().cpu()
    return (plain.view(torch.int16) if plain.dtype == torch.bfloat16 else plain).numpy()


def _tensor(array: np.ndarray, half: bool) -> Tensor:
    tensor = torch.from_numpy(np.array(array))
    return tensor.view(torch.bfloat16) if half else tensor
