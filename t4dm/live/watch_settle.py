"""Which of the modules that were called are spiking layers, and why the others are not.

Known types are.  Any other is where it gave 0 and 1 only, and a 1 among them; one that has modules inside,
where besides none of those did.
"""

from __future__ import annotations

from t4dm.live.watch_layers import Axes, Layer, is_container
from t4dm.live.watch_outputs import is_binary

NAMED = 4  # modules named in one sentence
TRIES = 3  # calls in which a spiking layer must have shown itself
STEPS = 50  # zeros after which a module of an unknown type is taken for a silent layer


def observe(layers: list[Layer], axes: Axes) -> None:
    """Take in what a call of the module showed of ``layers``."""
    for layer in layers:
        if not layer.spikes:
            continue
        layer.steps += axes.of(layer).steps(layer.spikes)
        is_plain = layer.is_known or (not layer.other and all(map(is_binary, layer.spikes)))
        if is_plain and not _is_even(layer):
            layer.shapes = tuple(sorted({tuple(tensor.shape) for tensor in layer.spikes}))
        if not layer.other and not layer.is_known:
            layer.other = bool(layer.shapes) or not is_plain
            layer.fired = layer.fired or any(bool(tensor.any()) for tensor in layer.spikes)


def spiking_of(layers: list[Layer], calls: int) -> list[Layer]:
    """Those of ``layers`` that spike, in their order; empty: none, or it cannot be said yet.

    Modules of known types are shown at once.  Beside them any other counts where it fired.  Of a net
    without known types each module that gave zeros alone is waited for: until call ``TRIES`` where
    another fired, else until it gave ``STEPS`` zeros, when it is taken for a layer that is silent.
    """
    given = [layer for layer in layers if layer.spikes and _is_even(layer) and not layer.other]
    known = [layer for layer in given if layer.is_known]
    found = known + [layer for layer in given if layer.fired and not is_container(layer.module)]
    outer = sorted((layer for layer in given if is_container(layer.module)), key=_depth)
    for layer in reversed(outer):
        if layer.fired and not _holds_any(layer, found):
            found.append(layer)
    kinds = {type(layer.module) for layer in found}
    silent = [layer for layer in given if _is_silent(layer) and not _lies_in_any(layer, found)]
    found += [layer for layer in silent if type(layer.module) in kinds]
    waits = [layer for layer in silent if layer not in found]
    if known or not waits or (found and calls >= TRIES):
        pass
    elif found or calls < TRIES or max(layer.steps for layer in waits) < STEPS:
        return []
    else:
        found = waits
    if not found and calls >= TRIES:
        for layer in reversed(outer):
            if layer.steps >= STEPS and not _holds_any(layer, found):
                found.append(layer)
    return [layer for layer in layers if layer in found]


def is_undecided(layers: list[Layer]) -> bool:
    """Whether one of ``layers`` gave zeros alone, so that it may spike yet."""
    return any(layer.spikes and _is_even(layer) and not layer.other for layer in layers)


def why_not(layers: list[Layer]) -> str:
    """What each of ``layers`` lacked, in words."""
    if not layers:
        return "it has layers of torch.nn only"
    return listed([f"{title(layer)} {_lack(layer)}" for layer in layers])


def listed(said: list[str]) -> str:
    """The first four of ``said``, and how many more there are."""
    more = f", and {len(said) - NAMED} more" if len(said) > NAMED else ""
    return ", ".join(said[:NAMED]) + more


def silent_beside(found: list[Layer], layers: list[Layer]) -> list[Layer]:
    """Those of ``layers`` that may spike yet: they gave zeros alone, or are known and were not called."""
    silent = [
        layer for layer in layers
        if layer not in found and not layer.other and not layer.shapes
        and (layer.steps > 0 and not layer.fired or layer.is_known and not layer.called)
        and not _holds_any(layer, found) and not _lies_in_any(layer, found)
    ]  # fmt: skip
    return [
        layer for layer in silent if not _holds_any(layer, [o for o in silent if o is not layer])
    ]


def left_out(layers: list[Layer]) -> str:
    """``layers`` with what each of them lacked, as the object of a sentence."""
    return listed([f"{title(layer)}, which {_lack(layer)}" for layer in layers])


def _lack(layer: Layer) -> str:
    if not layer.called:
        return "was not called"
    if layer.shapes:
        return f"gave tensors of shapes {' and '.join(map(str, layer.shapes))} in one call"
    if layer.other:
        return "gave other values than 0 and 1"
    if layer.steps:
        return "gave zeros alone" if not layer.fired else "gave no tensor in the last of them"
    return "gave a single number" if layer.scalar else "gave no tensor"


def title(layer: Layer) -> str:
    """Name and class of a layer; of the watched module itself the class."""
    kind = type(layer.module).__name__
    return f"{layer.name} ({kind})" if layer.name else kind


def _is_even(layer: Layer) -> bool:
    """Whether its tensors are shaped alike; those of a neuron that tells of itself may not be."""
    return layer.tells or all(tensor.shape == layer.spikes[0].shape for tensor in layer.spikes)


def _is_silent(layer: Layer) -> bool:
    return not (layer.is_known or layer.fired or is_container(layer.module))


def _depth(layer: Layer) -> int:
    return layer.name.count(".") + bool(layer.name)


def _holds_any(layer: Layer, found: list[Layer]) -> bool:
    prefix = f"{layer.name}." if layer.name else ""
    return any(other.name.startswith(prefix) for other in found)


def _lies_in_any(layer: Layer, found: list[Layer]) -> bool:
    return any(_holds_any(other, [layer]) for other in found if other is not layer)
