"""Which of the modules that were called are spiking layers, and why the others are not.

Known types are.  Any other is where it gave 0 and 1 only; one that has modules inside, where besides none
of those did.
"""

from __future__ import annotations

from torch import Tensor

from t4dm.live.watch_layers import Layer, is_container, is_spiking_type
from t4dm.live.watch_outputs import is_binary

NAMED = 4  # modules named in one sentence


def spiking_of(layers: list[Layer], at_last: bool) -> list[Layer]:
    """Those of ``layers`` that spiked, in their order.

    A container of zeros alone may be anything: it is taken only where nothing else was found, and
    ``at_last``.
    """
    found = [layer for layer in layers if not is_container(layer.module) and _spikes(layer)]
    outer = sorted((layer for layer in layers if is_container(layer.module)), key=_depth)
    for layer in reversed(outer):
        if _spikes(layer) and any(map(_fired, layer.spikes)) and not _holds_any(layer, found):
            found.append(layer)
    if at_last and not found:
        for layer in reversed(outer):
            if _spikes(layer) and not _holds_any(layer, found):
                found.append(layer)
    return [layer for layer in layers if layer in found]


def why_not(layers: list[Layer]) -> str:
    """What each of ``layers`` lacked, in words."""
    if not layers:
        return "it has layers of torch.nn only"
    said = [f"{_title(layer)} {_lack(layer)}" for layer in layers]
    more = f", and {len(said) - NAMED} more" if len(said) > NAMED else ""
    return ", ".join(said[:NAMED]) + more


def _lack(layer: Layer) -> str:
    if not layer.called:
        return "was not called"
    return "gave other values than 0 and 1" if layer.spikes else "gave no tensor"


def _title(layer: Layer) -> str:
    kind = type(layer.module).__name__
    return f"{layer.name} ({kind})" if layer.name else kind


def _spikes(layer: Layer) -> bool:
    spikes = layer.spikes
    if not spikes or layer.tells:
        return bool(spikes)
    if any(tensor.shape != spikes[0].shape for tensor in spikes):
        return False
    return is_spiking_type(layer.module) or all(map(is_binary, spikes))


def _fired(spikes: Tensor) -> bool:
    return bool(spikes.any())


def _depth(layer: Layer) -> int:
    return layer.name.count(".") + bool(layer.name)


def _holds_any(layer: Layer, found: list[Layer]) -> bool:
    prefix = f"{layer.name}." if layer.name else ""
    return any(other.name.startswith(prefix) for other in found)
