"""The layers of a module that may spike, what is kept of a call of one, and how it is read.

A layer is known by its type (ours, snnTorch's, SpikingJelly's) or by what it gives: a module that is none
of ``torch.nn``'s own and whose output is 0 or 1 everywhere (norse's cells, your own).
B batch  T time  N neurons of a layer
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from t4dm.live.groups import Layout
from t4dm.spiking.lif import LIFNeuron

MAX_NEURONS = 16_384  # shown of all layers together; evenly spread over those there are
MAX_WEIGHTS = 8
MAX_WEIGHT_SAMPLES = 65_536
SPIKING_TYPES = (
    ("t4dm", "LIFNeuron"), ("t4dm", "GIFNeuron"), ("snntorch", "SpikingNeuron"),
    ("spikingjelly", "BaseNode"),
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Layer:
    """One spiking layer: ``index`` picks the shown ones of its ``n_all`` neurons, None: all.

    ``spikes`` and ``membranes`` are the tensors of the call so far, not copied, so that a step costs
    next to nothing; ``seen`` adds up their versions, which tells when the script wrote into one.
    ``place`` is where the membrane lies in an output tuple, None: elsewhere.  ``tells``: a neuron of
    ours that tells of each step itself; ``theta`` is the threshold that such a step was given.
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
    tells: bool = False
    called: bool = False
    theta: float | Tensor | None = None
    samples: int | None = None  # of the batch, where only one of them is in ``spikes``
    fired: bool = False  # gave a 1
    other: bool = False  # not of a known type, and gave other values than 0 and 1
    scalar: bool = False  # gave a tensor without axes
    steps: int = 0  # before the session was opened
    shapes: tuple[tuple[int, ...], ...] = ()  # where one call gave tensors that differ in it
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
    def is_known(self) -> bool:
        """Whether its type says that it spikes, whatever it gives."""
        return self.tells or is_spiking_type(self.module)

    @property
    def is_empty(self) -> bool:
        """Whether this call had no sample."""
        return bool(self.spikes) and not self.spikes[0].numel()

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


def tells_itself(module: nn.Module) -> bool:
    """Whether it is a LIF neuron of ours whose steps are all made by the ``step`` of its class."""
    if not isinstance(module, LIFNeuron):
        return False
    cls, own = type(module), module.__dict__
    replaced = "forward" in own or "step" in own
    return not replaced and cls.forward is LIFNeuron.forward and cls.step is LIFNeuron.step


def is_container(module: nn.Module) -> bool:
    """Whether it has modules inside that may be the ones that spike."""
    return not is_spiking_type(module) and any(True for _ in module.children())


def candidates(root: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """``(name, module)`` of what may spike: known types, else all that is not of ``torch.nn``."""
    inside: list[str] = []
    for name, module in root.named_modules():
        if any(not outer or name.startswith(f"{outer}.") for outer in inside):
            continue
        if is_spiking_type(module):
            inside.append(name)
            yield name, module
        elif not type(module).__module__.startswith("torch.nn"):
            yield name, module


@dataclass(frozen=True, slots=True)
class Axes:
    """How a layer's tensors are laid out: ``time`` is the time axis, None where a call is a step.

    ``batch_index`` is the sample shown, None: the tensors have no batch axis.
    """

    time: int | None
    batch_index: int | None

    def of(self, layer: Layer) -> Axes:
        """Those of ``layer``: a neuron that tells of its steps gives one a tensor."""
        return replace(self, time=None) if layer.tells and self.time is not None else self

    def misfit(self, tensor: Tensor) -> str:
        """Why no time axis of ``tensor`` can be ``time``; empty where it can."""
        if self.time is None or -tensor.ndim <= self.time < tensor.ndim:
            return ""
        return (
            f"time_axis is {self.time} and the layer's tensors have {tensor.ndim} axes: "
            f"it goes from {-tensor.ndim} to {tensor.ndim - 1}"
        )

    def steps(self, tensors: list[Tensor]) -> int:
        """How many steps ``tensors`` are; one each where none can be the time axis."""
        if self.time is None or not tensors or self.misfit(tensors[0]):
            return len(tensors)
        return sum(tensor.shape[self.time] for tensor in tensors)

    def samples(self, tensor: Tensor) -> int | None:
        """How many samples ``tensor`` has, None where it has no batch axis."""
        if self.batch_index is None or tensor.ndim < (2 if self.time is None else 3):
            return None
        return len(tensor) if self.time is None else tensor.movedim(self.time, 0).shape[1]

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
        sample = self.batch_index
        if self.time is None:
            if sample is None or tensor.ndim < 2:
                return tensor
            return tensor[min(sample, len(tensor) - 1)]
        moved = tensor.movedim(self.time, 0)
        if sample is None or moved.ndim < 3:
            return moved
        return moved[:, min(sample, moved.shape[1] - 1)]


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
