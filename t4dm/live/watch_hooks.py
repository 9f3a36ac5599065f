"""Small parts of watching: hooks that no copy takes along, the fate of a watch, and what is said."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from t4dm.live.client import SessionClient
from t4dm.live.leftovers import is_alive


def say(sentence: str) -> None:
    """One sentence on the script's standard error."""
    print(f"t4dm: {sentence}", file=sys.stderr, flush=True)


def has_dashboard(run: Path, name: str) -> bool:
    """Whether a dashboard looks after run directory ``run`` now."""
    pid = SessionClient(run, name).supervisor().get("pid")
    return pid is not None and is_alive(pid)


COMPILED = "a compiled module runs no hooks: its calls are not recorded; watch a module that is not compiled"
_said: set[str] = set()


def _say_compiled() -> int:
    """Say once that what torch.compile makes of a watched module is not recorded.

    The compiler calls this while it reads a hook, and takes the result as a constant.
    """
    if COMPILED not in _said:
        _said.add(COMPILED)
        say(COMPILED)
    return 0


_say_compiled._dynamo_marked_constant = True  # type: ignore[attr-defined]
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
            _say_compiled()
        else:
            self._act(module, *given)

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return no_hook, ()


def no_hook() -> Callable[..., None]:
    """What stands for a :class:`Hook` in a copy."""
    return _nothing


def _nothing(*_: Any) -> None:
    return None
