"""The recorder of a watched module: forward hooks that copy out what its spiking layers did.

A call of the module is one unit: before it, waiting changes are applied; after it, what its layers
gave is handed to the publisher as one block.  The layers have hooks only during calls that are
recorded, and which those are is a matter of their cost (``watch_budget``).  Whatever fails in here
ends the watching with one sentence and never reaches the script.
"""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from t4dm.live.publisher import Publisher
from t4dm.live.watch_budget import Budget
from t4dm.live.watch_calls import Calls
from t4dm.live.watch_hold import hold
from t4dm.live.watch_hooks import (
    Fate,
    Gate,
    Hook,
    say,
    say_compiled,
    seeing,
    step_cost,
)
from t4dm.live.watch_layers import Layer, group_name, tells_itself, weights_of
from t4dm.live.watch_opening import Settings, open_session, say_samples
from t4dm.live.watch_outputs import is_scalar, membrane_of, place_of, spikes_of
from t4dm.live.watch_params import ScriptParams
from t4dm.live.watch_ranks import other_rank
from t4dm.live.watch_reading import Reading
from t4dm.live.watch_settle import TRIES, is_undecided, observe, spiking_of, why_not
from t4dm.live.watch_silent import Silent
from t4dm.live.watch_taps import LayerTap

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
        self._calls = Calls(self._gate)
        self._silent = Silent(settings.name)
        found = [Layer(name, layer) for name, layer in layers]
        self._all = found
        self._reading = Reading(found, settings.axes, weights_of(module))
        self._publisher: Publisher | None = None
        self._ending: weakref.finalize[..., Any] | None = None
        self._pid = os.getpid()
        self._heard = self._tries = 0
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
        self._drop()
        for handle in self._handles:
            handle.remove()
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

    def _is_ours(self, module: nn.Module) -> bool:
        """Whether it is the watched module itself, no copy or replica of it, in the script's process."""
        return module is self._root() and os.getpid() == self._pid

    def _see(self) -> None:
        """Put hooks on the layers for this call."""
        root = self._root()
        for layer in (*self._reading.layers, *self._silent.layers):
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

    def _drop(self) -> None:
        """Take the hooks off the layers, and keep nothing of what they gave."""
        self._let_go()
        for layer in (*self._reading.layers, *self._silent.layers):
            layer.clear()

    def _before(self, module: nn.Module, *_: Any) -> None:
        if not self._is_ours(module) or not self._calls.enter(module):
            return
        if self._seen_by:
            self._drop()  # of a call that ended without a word
        if self._publisher is not None:
            self._between(self._publisher)
        if not (torch.is_grad_enabled() or self.settings.no_grad):
            return
        began = self.budget.clock()
        if self._is_due():
            self._see()
        self._heard += 1
        self.budget.spend(self.budget.clock() - began + HOOKS_A_CALL * self._step_s)

    def _is_due(self) -> bool:
        """Whether this call is recorded: each k-th, as far as the budget goes.

        What the page asked for with ``hold``, a step or a breakpoint, is done whatever it costs.
        """
        if self._heard % self.settings.every:
            return False
        publisher = self._publisher
        asked = publisher is None or (
            self.settings.hold
            and (publisher.session.goal is not None or publisher.session.breakpoints.armed)
        )
        return self.budget.allows(exact=asked)

    def _between(self, publisher: Publisher) -> None:
        """Apply what waits, and stand still while the page holds a script that allows it."""
        if publisher.waiting:
            publisher.serve()
            self._reading.read_thresholds()
        if self.settings.hold:
            hold(publisher, self.settings, self.fate)
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

    def _after(self, module: nn.Module, *_: Any) -> None:
        if not self._is_ours(module) or not self._calls.leave(module) or not self._gate.is_open:
            return
        began = self.budget.clock()
        self._let_go()
        layers = (*self._reading.layers, *self._silent.layers)
        steps = sum(len(layer.spikes) for layer in layers)
        try:
            if any(layer.is_empty for layer in layers):
                self._say_empty()
            elif not self._calls.raised:
                began += self._take()
        finally:
            for layer in layers:
                layer.clear()
        self.budget.spend(self.budget.clock() - began + steps * self._step_s)

    def _take(self) -> float:
        """Hand on what this call gave; returns the seconds that opening a session took, if it did.

        Those are not counted as the cost of recording.
        """
        opening = 0.0
        if any(_is_compiled(layer) for layer in self._reading.layers if not layer.spikes):
            say_compiled()
        if self._publisher is None or self._silent.is_due:
            began = self.budget.clock()
            self._settle() if self._publisher is None else self._begin_anew(self._publisher)
            opening = self.budget.clock() - began
        if self._publisher is not None and self._is_intact():
            self._offer(self._publisher)
            self._silent.listen(self.settings.axes)
        return opening

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
                    f"no spiking layer was found in {self._tries} calls of the module: "
                    f"{why_not(self._reading.layers)}; docs/examples.md says what can be watched"
                )
            return
        axes = self.settings.axes
        misfits = {layer.name: axes.of(layer).misfit(layer.spikes[0]) for layer in found}
        fitting = [layer for layer in found if not misfits[layer.name]]
        if not fitting:
            self._fail(misfits[found[0].name])
            return
        self._silent.leave_out(fitting, self._reading.layers)
        self._reading.layers = fitting
        say_samples(self.settings, fitting)
        self._open()

    def _begin_anew(self, publisher: Publisher) -> None:
        """Open the session again, with the layers that fired for the first time after it was opened."""
        shown = [*self._reading.layers, *self._silent.show()]
        self._reading.layers = [layer for layer in self._all if layer in shown]
        publisher.close("begun anew with more layers")
        if self._ending is not None:
            self._ending.detach()
        self.budget.count_thread()
        self._open()

    def _open(self) -> None:
        failed = _teller(weakref.ref(self))
        publisher = open_session(self.settings, self._reading, self._params, failed, self.budget)
        self._publisher = publisher
        how = "the script has let go of its module"
        self._ending = weakref.finalize(self, publisher.close, how)


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
