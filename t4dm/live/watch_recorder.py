"""The recorder of a watched module: forward hooks that copy out what its spiking layers did.

A call of the module is one unit: before it, waiting changes are applied; after it, what its layers
gave is handed to the publisher as one block.  Whatever fails in here ends the watching with one
sentence and never reaches the script.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from t4dm.live.external import ExternalSession, ScriptEngine, default_watch
from t4dm.live.groups import Layout
from t4dm.live.manifest import code_version
from t4dm.live.publisher import Files, Publisher
from t4dm.live.publisher_blocks import Block, Publishes
from t4dm.live.segment import HIST_EVERY
from t4dm.live.watch_hooks import Fate, Hook, has_dashboard, say
from t4dm.live.watch_layers import (
    Axes,
    Layer,
    is_binary,
    is_spiking_type,
    layout_of,
    membrane_of,
    place_of,
    spikes_of,
    threshold_of,
    weights_of,
)
from t4dm.live.watch_params import ScriptParams

TRIES = 3  # calls in which a spiking layer must have shown itself
HOLD_TICK_S = 0.02
ALONE_S = 5.0  # a held script goes on when no dashboard has been there for so long
HEADROOM = 4.0  # the weight axis ends at this times the largest weight at the start


log = logging.getLogger("t4dm.watch")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a module is watched; ``lock`` is the descriptor that holds the session's name."""

    name: str
    run: Path
    lock: int
    axes: Axes
    every: int
    hold: bool
    no_grad: bool


class Recorder:
    """Watches ``module``; ``layers`` are ``(name, module)`` of what may spike."""

    def __init__(
        self, module: nn.Module, layers: list[tuple[str, nn.Module]], params: ScriptParams,
        settings: Settings,
    ) -> None:  # fmt: skip
        self.settings, self._params = settings, params
        self.fate = Fate()
        self._root = weakref.ref(module)
        self._layers = [Layer(name, layer) for name, layer in layers]
        self._weights = weights_of(module)
        self._publisher: Publisher | None = None
        self._pid, self._thread = os.getpid(), 0
        self._depth = self._calls = self._tries = 0
        self._recording = False
        self._watch: list[int] = []
        self._columns: dict[int, tuple[list[int], Tensor]] = {}
        self._theta = np.empty(0)
        self._layer_handles = [self._hooked(layer) for layer in self._layers]
        self._handles = [
            module.register_forward_pre_hook(Hook(self._guarded(self._before))),
            *self._layer_handles,
            module.register_forward_hook(Hook(self._guarded(self._after)), always_call=True),
        ]
        _RECORDERS.add(self)
        weakref.finalize(self, self.fate.end, "the script has let go of its module")
        self._final = weakref.finalize(self, os.close, settings.lock)

    def close(self, how: str) -> None:
        """Take the hooks off and end the session, saying ``how``."""
        if not self.fate.active:
            return
        self.fate.end(how)
        self._recording = False
        for handle in self._handles:
            handle.remove()
        for layer in self._layers:
            layer.clear()
        if self._publisher is not None:
            self._publisher.close(how)
        self._final()

    def forget(self) -> None:
        """In a forked child: the session is the parent's, and so are its lock and its socket."""
        self.fate.end("this is a child of the script")
        self._final.detach()
        os.close(self.settings.lock)
        if self._publisher is not None:
            self._publisher.forget()

    # -- hooks ---------------------------------------------------------------------------------

    def _hooked(self, layer: Layer) -> RemovableHandle:
        whose, mine = threading.get_ident, layer.module

        def saw(module: nn.Module, _: Any, output: Any) -> None:
            if not self._recording or module is not mine or whose() != self._thread:
                return
            try:
                if layer.is_shown and layer.place is not None:
                    layer.add_both(output[0], output[layer.place])
                else:
                    self._saw(layer, module, output)
            except Exception as error:
                log.debug("watching failed", exc_info=True)
                self._fail(f"{type(error).__name__}: {error}")

        return layer.module.register_forward_hook(Hook(saw))

    def _guarded(self, act: Callable[..., None]) -> Callable[..., None]:
        def guarded(*given: Any) -> None:
            if not self.fate.active:
                return
            try:
                act(*given)
            except Exception as error:
                log.debug("watching failed", exc_info=True)
                self._fail(f"{type(error).__name__}: {error}")

        return guarded

    def _fail(self, why: str) -> None:
        say(f"'{self.settings.name}' is watched no longer, the script goes on ({why})")
        self.close(why)

    @property
    def _is_mine(self) -> bool:
        return os.getpid() == self._pid and threading.get_ident() == self._thread

    def _before(self, module: nn.Module, *_: Any) -> None:
        if os.getpid() != self._pid or module is not self._root():
            return
        if self._depth == 0:
            self._thread = threading.get_ident()
        elif not self._is_mine:
            return
        self._depth += 1
        if self._depth > 1:
            return
        if self._publisher is not None:
            self._between(self._publisher)
        wanted = torch.is_grad_enabled() or self.settings.no_grad
        self._recording = wanted and self._calls % self.settings.every == 0
        self._calls += wanted

    def _between(self, publisher: Publisher) -> None:
        """Apply what waits, and stand still while the page holds an obliging script."""
        if publisher.waiting:
            publisher.serve()
            self._read_thresholds()
        alone_since = None
        while self.settings.hold and publisher.held and self.fate.active:
            time.sleep(HOLD_TICK_S)
            publisher.serve()
            now = time.monotonic()
            if has_dashboard(self.settings.run, self.settings.name):
                alone_since = None
            elif alone_since is None:
                alone_since = now
            elif now - alone_since > ALONE_S:
                say(f"the dashboard that held '{self.settings.name}' has gone; the script goes on")
                with publisher.lock:
                    publisher.session.run()
        if publisher.session.engine.watch is not self._watch:
            self._choose(publisher.session.engine.watch)

    def _saw(self, layer: Layer, module: nn.Module, output: Any) -> None:
        spikes = spikes_of(output)
        if spikes is None:
            return
        layer.add(layer.spikes, spikes)
        if self._publisher is None or layer.is_shown:
            membrane = membrane_of(output, module, spikes, layer.place)
            if membrane is not None:
                layer.add(layer.membranes, membrane)
                if self._publisher is None:
                    layer.place = place_of(output, membrane)

    def _after(self, module: nn.Module, _: Any, output: Any) -> None:
        if not self._depth or not self._is_mine or module is not self._root():
            return
        self._depth -= 1
        if self._depth or not self._recording:
            return
        self._recording = False
        if output is not None:  # None: the call raised
            if self._publisher is None:
                self._settle()
            if self._publisher is not None and self._is_intact():
                self._publisher.offer(self._block(self._publisher))
        for layer in self._layers:
            layer.clear()

    def _is_intact(self) -> bool:
        """Whether the script left the tensors of this call as they were; if not, copy from now on."""
        spoiled = [layer for layer in self._layers if not layer.is_intact]
        for layer in spoiled:
            layer.copies = True
        return not spoiled

    # -- once ----------------------------------------------------------------------------------

    def _settle(self) -> None:
        """After a first call: keep the layers that spiked, and open the session."""
        found = [layer for layer in self._layers if layer.spikes and _spikes(layer)]
        rows = {id(layer): self.settings.axes.rows(layer.spikes) for layer in found}
        if not found:
            self._tries += 1
            if self._tries == TRIES:
                self._fail(f"no spiking layer was called in {TRIES} calls of the module")
            return
        for layer, handle in zip(self._layers, self._layer_handles, strict=True):
            if layer not in found:
                handle.remove()
                layer.clear()
        self._layers = found
        for layer in found:
            layer.n_all, layer.device = rows[id(layer)].shape[1], layer.spikes[0].device
            layer.has_membrane = len(layer.membranes) == len(layer.spikes)
        layout = layout_of(found)
        for layer in found:
            if layer.index is not None:
                layer.index = layer.index.to(layer.device)
        steps = max(len(part) for part in rows.values())
        self._open(layout, "call" if steps == 1 else "step")

    def _open(self, layout: Layout, axis: str) -> None:
        settings = self.settings
        shows = [g for g, layer in enumerate(self._layers) if layer.has_membrane]
        self._choose_in(layout, default_watch(layout, shows))
        self._read_thresholds()
        apply = weakref.WeakMethod(self._params.apply)
        engine = ScriptEngine(
            self._params.tree, layout.to_json(), self._watch, lambda values: _call(apply, values)
        )
        epoch = time.monotonic_ns() // 10**8
        session = ExternalSession(settings.name, engine, epoch, axis, settings.hold)
        self._watch = engine.watch
        largest = [
            float(w.sample().abs().max()) if w.module.weight.numel() else 0.0 for w in self._weights
        ]
        publishes = Publishes(
            probes=["spikes", *(["u_pre"] if shows else []),
                    *(["theta"] if np.isfinite(self._theta).any() else []),
                    *(["weights"] if self._weights else [])],
            weights=[weight.name for weight in self._weights],
            w_hi=[HEADROOM * value if value else 1.0 for value in largest],
            more=code_version() | {"every": settings.every, "script": os.path.basename(sys.argv[0])},
        )  # fmt: skip
        files = Files(settings.run, settings.name)
        self._publisher = Publisher(session, files, publishes, _teller(weakref.ref(self)))
        weakref.finalize(self, self._publisher.close, "the script has let go of its module")

    # -- each call -----------------------------------------------------------------------------

    def _choose(self, watch: list[int]) -> None:
        assert self._publisher is not None
        self._choose_in(self._publisher.session.layout, watch)

    def _choose_in(self, layout: Layout, watch: list[int]) -> None:
        """Record the membranes of ``watch`` from now on: columns of ``u``, and neurons a layer."""
        self._watch, self._columns = watch, {}
        of = layout.group_of(watch).tolist()
        for g, layer in enumerate(self._layers):
            columns = [k for k, group in enumerate(of) if group == g]
            layer.is_shown = bool(columns) and layer.has_membrane
            if not layer.is_shown:
                continue
            inside = torch.tensor([watch[k] - layout.groups[g].first for k in columns])
            if layer.index is not None:
                inside = layer.index.cpu()[inside]
            self._columns[id(layer)] = columns, inside.to(layer.device)

    def _read_thresholds(self) -> None:
        self._theta = np.array([threshold_of(layer.module) for layer in self._layers])

    def _block(self, publisher: Publisher) -> Block:
        values = self.settings.axes.values
        spikes = [
            values(layer.spikes, layer.index) if layer.spikes else np.empty((0, layer.n))
            for layer in self._layers
        ]
        steps = max(len(rows) for rows in spikes)
        u = np.full((steps, len(self._watch)), np.nan, np.float32)
        for layer in self._layers:
            if layer.membranes and layer.is_shown:
                columns, index = self._columns[id(layer)]
                shown = values(layer.membranes, index)
                u[: len(shown), columns] = shown
        first = publisher.recorded
        due = -(-first // HIST_EVERY) * HIST_EVERY < first + steps
        weights = [weight.sample().numpy() for weight in self._weights] if due else None
        return Block(
            steps,
            [_padded(rows, steps) for rows in spikes],
            u,
            list(self._watch),
            self._theta,
            weights,
        )


_RECORDERS: weakref.WeakSet[Recorder] = weakref.WeakSet()


def _forget_all() -> None:
    for recorder in list(_RECORDERS):
        if recorder.fate.active:
            recorder.forget()


os.register_at_fork(after_in_child=_forget_all)


def _spikes(layer: Layer) -> bool:
    """Whether a candidate is a spiking layer: by its type, or by giving 0 and 1 only."""
    same = all(tensor.shape == layer.spikes[0].shape for tensor in layer.spikes)
    return same and (is_spiking_type(layer.module) or all(map(is_binary, layer.spikes)))


def _padded(rows: np.ndarray, steps: int) -> np.ndarray:
    """A layer that was called less often than others is silent in the steps it lacks."""
    if len(rows) == steps:
        return rows
    return np.concatenate([rows, np.zeros((steps - len(rows), rows.shape[1]), rows.dtype)])


def _call(method: weakref.WeakMethod[Any], values: dict[str, Any]) -> None:
    found = method()
    if found is not None:
        found(values)


def _teller(recorder: weakref.ref[Recorder]) -> Callable[[str], None]:
    def tell(why: str) -> None:
        found = recorder()
        if found is not None:
            found._fail(why)

    return tell
