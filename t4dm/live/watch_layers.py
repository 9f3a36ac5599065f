"""Finding the spiking layers of a module, and reading spikes, membranes and thresholds off them.

A layer is known by its type (ours, snnTorch's, SpikingJelly's) or by what it gives: a leaf module that
is none of ``torch.nn``'s own and whose output is 0 or 1 everywhere (norse's cells, your own).
B batch  T time  N neurons of a layer
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from t4dm.live.groups import Layout

MAX_NEURONS = 16_384  # shown of all layers together; evenly spread over those there are
MAX_WEIGHTS = 8
MAX_WEIGHT_SAMPLES = 65_536
SPIKING_TYPES = (
    ("t4dm", "LIFNeuron"), ("snntorch", "SpikingNeuron"), ("spikingjelly", "BaseNode"),
)  # fmt: skip
MEMBRANES = ("mem", "v", "u", "membrane")
THRESHOLDS = ("v_thresh", "threshold", "v_threshold", "v_th")


@dataclass(slots=True, eq=False)
class Layer:
    """One spiking layer: ``index`` picks the shown ones of its ``n_all`` neurons, None: all.

    ``spikes`` and ``membranes`` are the tensors of the call so far, not copied, so that a step costs
    next to nothing; ``seen`` adds up their versions, which tells when the script wrote into one.
    ``place`` is where the membrane lies in an output tuple, None: elsewhere.
    """

    name: str
    module: nn.Module
    n_all: int = 0
    index: Tensor | None = None
    has_membrane: bool = False
    is_shown: bool = False  # whether membranes of it are recorded
    device: torch.device | None = None
    place: int | None = None
    copies: bool = False
    seen: int = 0
    spikes: list[Tensor] = field(default_factory=list)
    membranes: list[Tensor] = field(default_factory=list)

    def add(self, kept: list[Tensor], tensor: Tensor) -> None:
        """Keep ``tensor`` in ``kept``."""
        if self.copies:
            tensor = tensor.detach().clone()
        kept.append(tensor)
        self.seen += version_of(tensor)

    def add_both(self, spikes: Tensor, membrane: Tensor) -> None:
        """Keep one call's spikes and membrane: on the way of every step of a script."""
        if self.copies or spikes.is_inference() or membrane.is_inference():
            self.add(self.spikes, spikes)
            self.add(self.membranes, membrane)
            return
        self.spikes.append(spikes)
        self.membranes.append(membrane)
        self.seen += spikes._version + membrane._version

    @property
    def is_intact(self) -> bool:
        """Whether nothing was written into the tensors since they were kept."""
        return self.seen == sum(map(version_of, (*self.spikes, *self.membranes)))

    @property
    def n(self) -> int:
        """Neurons shown."""
        return self.n_all if self.index is None else len(self.index)

    def clear(self) -> None:
        self.spikes.clear()
        self.membranes.clear()
        self.seen = 0


def version_of(tensor: Tensor) -> int:
    """How often it was written into; 0 for a tensor of inference mode, which does not count."""
    try:
        return tensor._version
    except RuntimeError:
        return 0


def is_spiking_type(module: nn.Module) -> bool:
    """Whether the class, or one it is made from, is a known spiking neuron."""
    return any(
        cls.__module__.split(".")[0] == package and cls.__name__ == name
        for cls in type(module).__mro__
        for package, name in SPIKING_TYPES
    )


def candidates(root: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """``(name, module)`` of what may spike: known types, else leaves that are not of ``torch.nn``."""
    inside: list[str] = []
    for name, module in root.named_modules():
        if any(not outer or name.startswith(f"{outer}.") for outer in inside):
            continue
        if is_spiking_type(module):
            inside.append(name)
            yield name, module
        elif not any(module.children()) and not type(module).__module__.startswith("torch.nn"):
            yield name, module


def spikes_of(output: Any) -> Tensor | None:
    """The spike tensor of a layer's output: itself, or the first of a tuple."""
    first = output[0] if isinstance(output, tuple) and output else output
    return first if isinstance(first, Tensor) and first.ndim > 0 else None


def membrane_of(
    output: Any, module: nn.Module, like: Tensor, place: int | None = None
) -> Tensor | None:
    """The membrane that belongs to spikes ``like``: in the output, in its state, or on the module.

    Of several tensors in an output it is the last (snnTorch gives currents before the membrane).
    ``place`` is a known place in the output tuple.
    """
    if place is not None:
        return output[place]
    parts = list(output[1:]) if isinstance(output, tuple) else []
    found: list[Any] = [part for part in reversed(parts) if isinstance(part, Tensor)]
    for owner in (*parts, module):
        found += [getattr(owner, name, None) for name in MEMBRANES if not isinstance(owner, Tensor)]
    for tensor in found:
        if isinstance(tensor, Tensor) and tensor.shape == like.shape and tensor is not like:
            return tensor
    return None


def place_of(output: Any, membrane: Tensor) -> int | None:
    """Where ``membrane`` lies in an output tuple; None where it lies elsewhere."""
    parts = output if isinstance(output, tuple) else ()
    return next((k for k, part in enumerate(parts) if part is membrane), None)


def threshold_of(module: nn.Module) -> float:
    """The layer's one threshold, NaN where it has none or one a neuron."""
    for owner in (module, getattr(module, "p", None)):
        for name in THRESHOLDS:
            value = getattr(owner, name, None)
            if isinstance(value, Tensor) and value.numel() == 1:
                return float(value.detach())
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return float(value)
    return float("nan")


def is_binary(tensor: Tensor) -> bool:
    """Whether every value is 0 or 1."""
    if tensor.dtype == torch.bool:
        return True
    return bool(((tensor == 0) | (tensor == 1)).all())


@dataclass(frozen=True, slots=True)
class Axes:
    """How a layer's tensors are laid out: ``time`` is the time axis, None where a call is a step."""

    time: int | None
    batch_index: int

    def rows(self, tensors: list[Tensor], index: Tensor | None = None) -> Tensor:
        """(T, N) of one sample in all ``tensors``, a copy without gradient.

        ``index`` picks neurons.  The sample is the last one of a batch that is too small.
        """
        with torch.inference_mode():
            parts = [self._sample(tensor) for tensor in tensors]
            whole = torch.stack(parts) if self.time is None else torch.cat(parts)
            whole = whole.reshape(len(whole), -1)
            return whole if index is None else whole[:, index]

    def values(self, tensors: list[Tensor], index: Tensor | None = None) -> np.ndarray:
        """:meth:`rows` as float32 in the memory of NumPy."""
        return self.rows(tensors, index).float().cpu().numpy()

    def _sample(self, tensor: Tensor) -> Tensor:
        if self.time is None:
            return tensor[min(self.batch_index, len(tensor) - 1)] if tensor.ndim > 1 else tensor
        moved = tensor.movedim(self.time, 0)
        return moved[:, min(self.batch_index, moved.shape[1] - 1)] if moved.ndim > 2 else moved


def layout_of(layers: list[Layer]) -> Layout:
    """Groups of ``layers``; thins them out, evenly, where they are more than 16,384 in all."""
    total = sum(layer.n_all for layer in layers)
    for layer in layers:
        shown = max(1, layer.n_all * MAX_NEURONS // total) if total > MAX_NEURONS else layer.n_all
        if shown < layer.n_all:
            layer.index = torch.linspace(0, layer.n_all - 1, shown).round().long()
    return Layout.from_json({"name": group_name(layer), "n": layer.n} for layer in layers)


def group_name(layer: Layer) -> str:
    """The module's path; with the share that is shown where not all of it is."""
    name = "".join(c if c.isalnum() or c in "._-" else "_" for c in layer.name)[:40]
    name = name or type(layer.module).__name__
    return name if layer.index is None else f"{name} ({layer.n} of {layer.n_all})"


@dataclass(frozen=True, slots=True)
class Weight:
    """Weights of one Linear layer, of which every ``every``-th is looked at."""

    name: str
    module: nn.Linear
    every: int

    def sample(self) -> Tensor:
        """A flat copy."""
        return self.module.weight.detach().reshape(-1)[:: self.every].float().cpu().clone()


def weights_of(root: nn.Module) -> list[Weight]:
    """The first eight Linear layers, thinned out to 65,536 weights each."""
    found: list[Weight] = []
    for name, module in root.named_modules():
        if isinstance(module, nn.Linear) and len(found) < MAX_WEIGHTS:
            every = -(-module.weight.numel() // MAX_WEIGHT_SAMPLES)
            title = f"{name}.weight" if name else "weight"
            title += f" (1 of {every})" if every > 1 else ""
            found.append(Weight(title, module, every))
    return found
