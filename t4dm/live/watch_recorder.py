"""The recorder of a watched module: forward hooks that copy out what its spiking layers did.

A call of the module is one unit: before it, waiting changes are applied; after it, what its layers
gave is handed to the publisher as one block.  The layers have hooks only during calls that are
recorded, and which those are is a matter of their cost (``watch_budget``).  Whatever fails in here
ends the watching with one sentence and never reaches the script.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from t4dm.live.publisher import Publisher
from t4dm.live.watch_budget import Budget
from t4dm.live.watch_hooks import (
    Fate,
    Gate,
    Hook,
    has_dashboard,
    say,
    say_compiled,
    seeing,
    step_cost,
)
from t4dm.live.watch_layers import Layer, group_name, layout_of, tells_itself, weights_of
from t4dm.live.watch_opening import Settings, open_session
from t4dm.live.watch_outputs import is_scalar, membrane_of, place_of, spikes_of
from t4dm.live.watch_params import ScriptParams
from t4dm.live.watch_ranks import other_rank
from t4dm.live.watch_reading import Reading
from t4dm.live.watch_settle import TRIES, is_undecided, observe, spiking_of, why_not
from t4dm.live.watch_taps import LayerTap

HOLD_TICK_S = 0.02
ALONE_S = 5.0  # a held script goes on when no dashboard has been there for so long
HOOKS_A_CALL = 2  # of the module itself, before and after


log = logging.getLogger("t4dm.watch")


class Recorder:
    """Watches ``module``; ``layers`` are ``(name, module)`` of what may spike."""

    def __init__(
        self, module: nn.Module, layers: list[tuple[str, nn.Module]], params: ScriptParams,
        settings: Settings,
    ) -> None:  # fmt: skip
        self.settings, self._params = settings, params
        self.fate = Fate()
        self.budget = Budget(settings.budget)
        self._root = weakref.ref(module)
        self._gate = Gate()
        found = [Layer(name, layer) for name, layer in layers]
        self._reading = Reading(found, settings.axes, weights_of(module))
        self._publisher: Publisher | None = None
        self._pid = os.getpid()
        self._depth = self._calls = self._tries = 0
        self._said_empty = False
        began = self.budget.clock()
        self._step_s = step_cost()
        self.budget.spend(self.budget.clock() - began)
        self._taps = {
            id(layer): LayerTap(layer, self._gate, settings.axes, self.budget.spend, self._failed)
            for layer in found
            if tells_itself(layer.module)
        }
        self._seeing = {
            id(layer): seeing(layer, self._gate, self._saw, self._failed)
            for layer in found
            if not layer.tells
        }
        self._seen_by: list[RemovableHandle | LayerTap] = []
        self._handles: list[RemovableHandle] = []
        before, after = Hook(self._guarded(self._before)), Hook(self._guarded(self._after))
        try:
            self._handles.append(module.register_forward_pre_hook(before))
            self._handles.append(module.register_forward_hook(after, always_call=True))
        except Exception:
            for handle in self._handles:
                handle.remove()
            raise
        _RECORDERS.add(self)
        weakref.finalize(self, self.fate.end, "the script has let go of its module")
        self._final = weakref.finalize(self, os.close, settings.lock)

    def watches(self, module: nn.Module, name: str) -> bool:
        """Whether it is the watch of ``module`` that was asked for as ``name``, in this process."""
        return self._root() is module and self.settings.asked == name and self._pid == os.getpid()

    def close(self, how: str) -> None:
        """Take the hooks off and end the session, saying ``how``."""
        if not self.fate.active:
            return
        self.fate.end(how)
        self._let_go()
        for handle in self._handles:
            handle.remove()
        for layer in self._reading.layers:
            layer.clear()
        if self._publisher is not None:
            self._publisher.close(how)
        self._final()

    def forget(self) -> None:
        """In a forked child: the session is the parent's, and so are its lock and its socket."""
        self.fate.end("this is a child of the script")
        self._let_go()
        self._final.detach()
        os.close(self.settings.lock)
        if self._publisher is not None:
            self._publisher.forget()

    # -- hooks ---------------------------------------------------------------------------------

    def _guarded(self, act: Callable[..., None]) -> Callable[..., None]:
        def guarded(*given: Any) -> None:
            if not self.fate.active:
                return
            try:
                act(*given)
            except Exception as error:
                log.debug("watching failed", exc_info=True)
                self._failed(error)

        return guarded

    def _failed(self, error: Exception) -> None:
        self._fail(f"{type(error).__name__}: {error}")

    def _fail(self, why: str) -> None:
        say(f"'{self.settings.name}' is watched no longer, the script goes on ({why})")
        self.close(why)

    @property
    def _is_mine(self) -> bool:
        return os.getpid() == self._pid and threading.get_ident() == self._gate.thread

    def _see(self) -> None:
        """Put hooks on the layers for this call."""
        root = self._root()
        for layer in self._reading.layers:
            if layer.tells:
                self._seen_by.append(self._taps[id(layer)].put())
            else:
                hook = self._seeing[id(layer)]
                handle = layer.module.register_forward_hook(hook, prepend=layer.module is root)
                self._seen_by.append(handle)
        self._gate.is_open = True

    def _let_go(self) -> None:
        self._gate.is_open = False
        for handle in self._seen_by:
            handle.remove()
        self._seen_by = []

    def _before(self, module: nn.Module, *_: Any) -> None:
        if os.getpid() != self._pid or module is not self._root():
            return
        if self._depth == 0:
            self._gate.thread = threading.get_ident()
        elif not self._is_mine:
            return
        self._depth += 1
        if self._depth > 1:
            return
        if self._publisher is not None:
            self._between(self._publisher)
        if not (torch.is_grad_enabled() or self.settings.no_grad):
            return
        began = self.budget.clock()
        if self._is_due():
            self._see()
        self._calls += 1
        self.budget.spend(self.budget.clock() - began + HOOKS_A_CALL * self._step_s)

    def _is_due(self) -> bool:
        """Whether this call is recorded: each k-th, as far as the budget goes.

        What the page asked for with ``hold``, a step or a breakpoint, is done whatever it costs.
        """
        if self._calls % self.settings.every:
            return False
        publisher = self._publisher
        asked = publisher is None or (
            self.settings.hold
            and (publisher.session.goal is not None or publisher.session.breakpoints.armed)
        )
        return self.budget.allows(exact=asked)

    def _between(self, publisher: Publisher) -> None:
        """Apply what waits, and stand still while the page holds an obliging script."""
        if publisher.waiting:
            publisher.serve()
            self._reading.read_thresholds()
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
        if publisher.session.engine.watch is not self._reading.watch:
            self._reading.choose(publisher.session.layout, publisher.session.engine.watch)

    def _saw(self, layer: Layer, module: nn.Module, output: Any) -> None:
        began = self.budget.clock()
        layer.called = True
        self._keep(layer, module, output)
        self.budget.spend(self.budget.clock() - began)

    def _keep(self, layer: Layer, module: nn.Module, output: Any) -> None:
        spikes = spikes_of(output)
        if spikes is None:
            layer.scalar = is_scalar(output)
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
        if self._depth or not self._gate.is_open:
            return
        began = self.budget.clock()
        self._let_go()
        layers = self._reading.layers
        steps = sum(len(layer.spikes) for layer in layers)
        if any(layer.is_empty for layer in layers):
            self._say_empty()
        elif output is not None:  # None: the call raised
            if any(_is_compiled(layer) for layer in layers if not layer.spikes):
                say_compiled()
            if self._publisher is None:
                self._settle()
                began = self.budget.clock()  # opening a session is done once, and not counted
            if self._publisher is not None and self._is_intact():
                self._offer(self._publisher)
        for layer in layers:
            layer.clear()
        self.budget.spend(self.budget.clock() - began + steps * self._step_s)

    def _offer(self, publisher: Publisher) -> None:
        """Hand on what this call gave; says which layers turned out not to spike."""
        layers = self._reading.layers
        before = [layer for layer in layers if layer.other]
        block = self._reading.block(publisher.recorded)
        for layer in layers:
            if layer.other and layer not in before:
                say(
                    f"'{self.settings.name}': {group_name(layer)} gave other values than 0 and 1; "
                    "what it gives is shown no longer"
                )
        if all(layer.other for layer in layers):
            self._fail("no layer is left that gives 0 and 1 only")
            return
        publisher.offer(block)

    def _say_empty(self) -> None:
        if not self._said_empty:
            self._said_empty = True
            say(f"'{self.settings.name}': a batch of 0 samples is not recorded")

    def _is_intact(self) -> bool:
        """Whether the script left the tensors of this call as they were; if not, copy from now on."""
        spoiled = [layer for layer in self._reading.layers if not layer.is_intact]
        for layer in spoiled:
            layer.copies = True
        return not spoiled

    # -- once ----------------------------------------------------------------------------------

    def _settle(self) -> None:
        """After a first call: keep the layers that spiked, and open the session."""
        if why := other_rank():
            self.close(why)
            return
        is_certain = any(layer.spikes and layer.is_known for layer in self._reading.layers)
        if not self._is_intact() and not is_certain:
            return
        self._tries += 1
        observe(self._reading.layers, self.settings.axes)
        found = spiking_of(self._reading.layers, self._tries)
        if not found:
            if self._tries >= TRIES and not is_undecided(self._reading.layers):
                self._fail(
                    f"no spiking layer was called in {self._tries} calls of the module: "
                    f"{why_not(self._reading.layers)}; docs/examples.md says what can be watched"
                )
            return
        axes = self.settings.axes
        misfits = {layer.name: axes.of(layer).misfit(layer.spikes[0]) for layer in found}
        fitting = [layer for layer in found if not misfits[layer.name]]
        if not fitting:
            self._fail(misfits[found[0].name])
            return
        for layer in self._reading.layers:
            if layer not in fitting:
                layer.clear()
        self._reading.layers = fitting
        self._say_samples()
        steps = 0
        for layer in fitting:
            rows = axes.of(layer).rows(layer.spikes)
            steps, layer.n_all = max(steps, len(rows)), rows.shape[1]
            layer.device = layer.spikes[0].device
            layer.has_membrane = len(layer.membranes) == len(layer.spikes)
        layout = layout_of(fitting)
        for layer in fitting:
            if layer.index is not None:
                layer.index = layer.index.to(layer.device)
        axis, failed = "call" if steps == 1 else "step", _teller(weakref.ref(self))
        self._publisher = open_session(
            self.settings, self._reading, layout, axis, self._params, failed, self.budget
        )
        weakref.finalize(self, self._publisher.close, "the script has let go of its module")

    def _say_samples(self) -> None:
        """Say it where the batch has no such sample as is to be shown."""
        wanted = self.settings.axes.batch_index
        for layer in self._reading.layers:
            samples = layer.samples or self.settings.axes.of(layer).samples(layer.spikes[0])
            if wanted is not None and samples is not None and wanted >= samples:
                say(
                    f"'{self.settings.name}': batch_index is {wanted} and a batch has {samples} "
                    "samples; the last one is shown"
                )
                return


_RECORDERS: weakref.WeakSet[Recorder] = weakref.WeakSet()


def end_of_same(module: nn.Module, name: str) -> None:
    """End a watch of ``module`` under ``name``: a cell of a notebook that is run again begins anew."""
    for recorder in list(_RECORDERS):
        if recorder.fate.active and recorder.watches(module, name):
            recorder.close("watched anew")


def _forget_all() -> None:
    for recorder in list(_RECORDERS):
        if recorder.fate.active:
            recorder.forget()


os.register_at_fork(after_in_child=_forget_all)


def _is_compiled(layer: Layer) -> bool:
    return getattr(layer.module, "_compiled_call_impl", None) is not None


def _teller(recorder: weakref.ref[Recorder]) -> Callable[[str], None]:
    def tell(why: str) -> None:
        found = recorder()
        if found is not None:
            found._fail(why)

    return tell
