"""What a module's call gave: where spikes, membrane and threshold lie in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

SPIKES = ("spikes", "spike", "spk", "s", "z")
MEMBRANES = ("mem", "v", "u", "membrane")
THRESHOLDS = ("v_thresh", "threshold", "v_threshold", "v_th")
DEPTH = 3  # so deep may a membrane lie in tuples of tuples


def spikes_of(output: Any) -> Tensor | None:
    """The spike tensor of a call: itself, the first of a tuple or list, or the named one of a dict.

    Of a dict whose keys are none of ``SPIKES`` it is the first value.
    """
    first = output
    if isinstance(output, Mapping):
        first = output.get(_spike_key(output))
    elif isinstance(output, (tuple, list)) and output:
        first = output[0]
    return first if isinstance(first, Tensor) and first.ndim > 0 else None


def is_scalar(output: Any) -> bool:
    """Whether a call gave a tensor without axes, such as a loss."""
    return isinstance(output, Tensor) and output.ndim == 0


def _spike_key(output: Mapping[Any, Any]) -> Any:
    return next((name for name in SPIKES if name in output), next(iter(output), None))


def _beside(output: Any) -> list[Any]:
    """What an output has beside its spikes; of a dict what is named as a membrane comes last."""
    if isinstance(output, Mapping):
        key = _spike_key(output)
        rest = [name for name in output if name != key]
        return [output[name] for name in sorted(rest, key=lambda name: name in MEMBRANES)]
    return list(output[1:]) if isinstance(output, (tuple, list)) else []


def membrane_of(
    output: Any, module: nn.Module, like: Tensor, place: int | None = None
) -> Tensor | None:
    """The membrane that belongs to spikes ``like``: in the output, in its state, or on the module.

    Of several tensors in an output it is the last (snnTorch gives currents before the membrane).
    ``place`` is a known place in the output tuple.
    """
    if place is not None:
        return output[place]
    parts = _beside(output)
    for tensor in _by_nearness(parts, module):
        if isinstance(tensor, Tensor) and tensor.shape == like.shape and tensor is not like:
            return tensor
    return None


def _by_nearness(parts: list[Any], module: nn.Module) -> Iterator[Any]:
    yield from (part for part in reversed(parts) if isinstance(part, Tensor))
    for owner in (*parts, module):
        if not isinstance(owner, Tensor):
            yield from (getattr(owner, name, None) for name in MEMBRANES)
    yield from _inside(parts, DEPTH)


def _inside(parts: Iterable[Any], depth: int) -> Iterator[Any]:
    """Membranes in tuples, lists and dicts: by name where parts have names, else the last first."""
    for part in parts if depth else ():
        fields = _fields(part)
        if fields is not None:
            yield from (fields.get(name) for name in MEMBRANES)
            yield from _inside(fields.values(), depth - 1)
        elif isinstance(part, (tuple, list)):
            yield from (inner for inner in reversed(part) if isinstance(inner, Tensor))
            yield from _inside(part, depth - 1)


def _fields(part: Any) -> Mapping[str, Any] | None:
    """What a dict or named tuple holds by name, None for anything else."""
    if isinstance(part, Mapping):
        return part
    return part._asdict() if isinstance(part, tuple) and hasattr(part, "_asdict") else None


def place_of(output: Any, membrane: Tensor) -> int | None:
    """Where ``membrane`` lies in an output tuple or list; None where it lies elsewhere."""
    parts = output if isinstance(output, (tuple, list)) else ()
    return next((k for k, part in enumerate(parts) if part is membrane), None)


def threshold_of(module: nn.Module) -> float:
    """The layer's one threshold, NaN where it has none or one a neuron."""
    parameters = getattr(module, "p", None)
    nested = (_fields(parameters) or {}).values()
    for owner in (module, parameters, *nested):
        for name in THRESHOLDS:
            value = one_value(getattr(owner, name, None))
            if value is not None:
                return value
    return float("nan")


def one_value(value: Any) -> float | None:
    """A number or a tensor of one number as a float, None for anything else."""
    if isinstance(value, Tensor):
        return float(value.detach()) if value.numel() == 1 else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return None


def is_binary(tensor: Tensor) -> bool:
    """Whether every value is 0 or 1."""
    if tensor.dtype == torch.bool:
        return True
    return bool(((tensor == 0) | (tensor == 1)).all())
