"""What a LIF neuron of ours tells of its own steps, in ``step``, ``run`` and ``run_lif`` alike.

Membranes are those before the reset, ``u_pre``, which the threshold is compared with.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import torch
from torch import Tensor

from t4dm.live.watch_hooks import Gate, say_compiled
from t4dm.live.watch_layers import Axes, Layer
from t4dm.spiking.lif import LIFStep, Tap

log = logging.getLogger("t4dm.watch")


class LayerTap:
    """Keeps in ``layer`` what its neuron tells while ``gate`` is open; several on a neuron are a chain.

    ``spend`` hears the seconds that many steps at once took; ``failed`` of anything that went wrong,
    and the script does not.
    """

    def __init__(
        self, layer: Layer, gate: Gate, axes: Axes, spend: Callable[[float], None],
        failed: Callable[[Exception], None],
    ) -> None:  # fmt: skip
        self._layer, self._gate, self._axes = layer, gate, axes
        self._spend, self._failed = spend, failed
        self.next: Tap | None = None
        layer.tells = layer.is_shown = True

    def put(self) -> LayerTap:
        """Be told from now on; returns itself."""
        held = self._layer.module.__dict__
        self.next = held.get("tap")
        held["tap"] = self
        return self

    def remove(self) -> None:
        """Be told no longer; others that are told stay."""
        held = self._layer.module.__dict__
        before, tap = None, held.get("tap")
        while isinstance(tap, LayerTap) and tap is not self:
            before, tap = tap, tap.next
        if tap is not self:
            return
        if isinstance(before, LayerTap):
            before.next = self.next
        elif self.next is not None:
            held["tap"] = self.next
        else:
            del held["tap"]

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(None), ()

    @property
    def _is_open(self) -> bool:
        return self._gate.is_open and threading.get_ident() == self._gate.thread

    def step(self, done: LIFStep, theta: float | Tensor | None) -> None:
        """One step of (..., N)."""
        if torch.compiler.is_compiling():
            say_compiled()
            return
        if self.next is not None:
            self.next.step(done, theta)
        if not self._is_open:
            return
        layer = self._layer
        try:
            layer.called, layer.theta = True, theta
            if layer.is_shown:
                layer.add_both(done.spikes, done.u_pre)
            else:
                layer.add(layer.spikes, done.spikes)
        except Exception as error:
            log.debug("watching failed", exc_info=True)
            self._failed(error)

    def run(self, spikes: Tensor, u_pre: Tensor, axis: int) -> None:
        """Many steps at once, both shaped alike with the steps on ``axis``; kept of the one sample."""
        if self.next is not None:
            self.next.run(spikes, u_pre, axis)
        if not self._is_open:
            return
        began, layer = time.perf_counter(), self._layer
        try:
            layer.called, layer.theta = True, None
            if not spikes.numel():
                layer.add(layer.spikes, spikes)
                return
            axes = Axes(axis, self._axes.batch_index)
            layer.samples, rows = axes.samples(spikes), axes.rows([spikes])
            kept = [(layer.spikes, rows)]
            if layer.is_shown:
                kept.append((layer.membranes, axes.rows([u_pre])))
            for where, steps in kept:
                for step in steps.unbind():
                    layer.add(where, step)
        except Exception as error:
            log.debug("watching failed", exc_info=True)
            self._failed(error)
        finally:
            self._spend(time.perf_counter() - began)
