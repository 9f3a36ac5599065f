"""Small parts of watching: hooks that no copy takes along, the fate of a watch, and what is said."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from t4dm.live.client import SessionClient
from t4dm.live.leftovers import is_alive
from t4dm.live.watch_layers import Layer

log = logging.getLogger("t4dm.watch")


def say(sentence: str) -> None:
    """One sentence on the script's standard error."""
    print(f"t4dm: {sentence}", file=sys.stderr, flush=True)


def has_dashboard(run: Path, name: str) -> bool:
    """Whether a dashboard looks after run directory ``run`` now."""
    pid = SessionClient(run, name).supervisor().get("pid")
    return pid is not None and is_alive(pid)


COMPILED = "a compiled module runs no hooks: its calls are not recorded; watch a module that is not compiled"
_said: set[str] = set()


def say_compiled() -> int:
    """Say once that what torch.compile makes of a watched module is not recorded.

    The compiler calls this while it reads a hook, and takes the result as a constant.
    """
    if COMPILED not in _said:
        _said.add(COMPILED)
        say(COMPILED)
    return 0


say_compiled._dynamo_marked_constant = True  # type: ignore[attr-defined]
"""What torch.compiler.assume_constant_result sets, without loading the compiler for it."""


@dataclass(slots=True)
class Fate:
    """Whether a module is watched, and why not; it outlives the recorder."""

    active: bool = True
    why: str = ""

    def end(self, why: str) -> None:
        if self.active:
            self.active, self.why = False, why


class Hook:
    """A forward hook that no copy of its module takes along: a copy, or a pickle, is not watched."""

    def __init__(self, act: Callable[..., None]) -> None:
        self._act = act

    def __call__(self, module: nn.Module, *given: Any) -> None:
        if torch.compiler.is_compiling():
            say_compiled()
        else:
            self._act(module, *given)

    def __reduce__(self) -> tuple[Any, tuple[Any, str]]:
        """In a copy, or a file, it is a method of the standard library that takes anything and does nothing."""
        return getattr, (nullcontext(), "__exit__")


@dataclass(slots=True)
class Gate:
    """Whether a call is being recorded, and on which thread."""

    is_open: bool = False
    thread: int = 0


def seeing(
    layer: Layer, gate: Gate, slowly: Callable[[Layer, nn.Module, Any], None],
    failed: Callable[[Exception], None],
) -> Hook:  # fmt: skip
    """The hook of ``layer``: keeps what a call of it gave while ``gate`` is open.

    ``slowly`` is asked where spikes and membrane have no known place in the output; ``failed`` hears
    of anything that went wrong, and the script does not.
    """
    whose, mine = threading.get_ident, layer.module

    def saw(module: nn.Module, _: Any, output: Any) -> None:
        if not gate.is_open or module is not mine or whose() != gate.thread:
            return
        try:
            if layer.is_shown and layer.place is not None:
                layer.add_both(output[0], output[layer.place])
            else:
                slowly(layer, module, output)
        except Exception as error:
            log.debug("watching failed", exc_info=True)
            failed(error)

    return Hook(saw)


class _Pair(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


def step_cost(calls: int = 50, tries: int = 3) -> float:
    """Seconds by which a recorded call of a layer is slower here; the least of ``tries``."""
    pair, x = _Pair(), torch.zeros(1)
    layer = Layer("", pair, is_shown=True, place=1)
    hook = seeing(layer, Gate(True, threading.get_ident()), _nothing, _nothing)

    def took() -> float:
        found = []
        for _ in range(tries):
            began = time.perf_counter()
            for _ in range(calls):
                pair(x)
            found.append(time.perf_counter() - began)
        return min(found) / calls

    plain, handle = took(), pair.register_forward_hook(hook)
    hooked = took()
    handle.remove()
    return max(0.0, hooked - plain)


def _nothing(*_: Any) -> None:
    return None
