"""Modules that are left out of a session because they had not spiked when it was opened.

They are named.  The first of them to fire is shown: the session begins anew with it, which happens once.
"""

from __future__ import annotations

from t4dm.live.watch_hooks import say
from t4dm.live.watch_layers import Axes, Layer
from t4dm.live.watch_outputs import is_binary
from t4dm.live.watch_settle import left_out, listed, silent_beside, title


class Silent:
    """``layers`` are listened to in recorded calls; ``woken`` are those that fired and are to be shown."""

    def __init__(self, name: str) -> None:
        self._name, self._is_anew = name, False
        self.layers: list[Layer] = []
        self.woken: list[Layer] = []

    def leave_out(self, found: list[Layer], layers: list[Layer]) -> None:
        """Of ``layers`` only ``found`` are shown; says which may be yet, and which cannot be."""
        self.layers = silent_beside(found, layers)
        for layer in self.layers:
            layer.is_shown = False
        if self.layers:
            say(
                f"'{self._name}' leaves out {left_out(self.layers)}; once one of them fires, the "
                "session begins anew with it"
            )
        uneven = [layer for layer in layers if layer.shapes]
        if uneven:
            say(f"'{self._name}' leaves out {left_out(uneven)}")

    def listen(self, axes: Axes) -> None:
        """Take in what a call showed of the layers: one that gave other values is listened to no longer."""
        woken = []
        for layer in [layer for layer in self.layers if layer.spikes and not layer.is_shown]:
            if not layer.is_intact:
                layer.copies = True
            elif _fires(layer, axes):
                layer.fired = True
                woken.append(layer)
            elif layer.other:
                self.layers.remove(layer)
        if woken and not self._is_anew:
            self._is_anew, self.woken = True, woken
            for layer in woken:
                layer.is_shown = True  # so that the next call has its membranes
            names = listed([title(layer) for layer in woken])
            say(f"'{self._name}': {names} fired, the session begins anew with it")
        elif woken:
            names = listed([title(layer) for layer in woken])
            say(f"'{self._name}': {names} fired too; watch the module again to see it")
            self.layers = [layer for layer in self.layers if layer not in woken]

    @property
    def is_due(self) -> bool:
        """Whether this call shows what the session is to begin anew with."""
        return bool(self.woken) and all(layer.spikes for layer in self.woken)

    def show(self) -> list[Layer]:
        """Those to be shown from now on, which are silent no longer."""
        woken, self.woken = self.woken, []
        self.layers = [layer for layer in self.layers if layer not in woken]
        return woken


def _fires(layer: Layer, axes: Axes) -> bool:
    """Whether the sample shown has a spike, known types where they were called; sets ``layer.other``."""
    if layer.is_known:
        return True
    axes = axes.of(layer)
    is_even = all(tensor.shape == layer.spikes[0].shape for tensor in layer.spikes)
    if not is_even or axes.misfit(layer.spikes[0]):
        layer.other = True
        return False
    if not axes.rows(layer.spikes).any():
        return False
    layer.other = not all(map(is_binary, layer.spikes))
    return not layer.other
