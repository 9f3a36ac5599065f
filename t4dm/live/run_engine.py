"""What a run session needs of its engine (``t4dm.live.run_session``)."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from t4dm.commands import Command
from t4dm.live.record import Record
from t4dm.live.tree import ParamTree


class RunEngine(Protocol):
    """What a run session needs of an engine.  It is made as ``Engine(options, tree, seed, folder)``.

    One that has things to do while paused (a text asked for) has ``asked() -> Record | None`` too: a
    record without steps, None where nothing is asked for.

    options: the checked ones of its kind; tree: as ``kinds.Kind.tree`` made it; folder: its own, for
    files.  The same seed, values and commands at the same steps give the same run, bit for bit.
    """

    step: int
    seed: int
    tree: ParamTree

    def advance(self) -> Record | None:
        """One step or a few; a record without steps for news alone; None: nothing to do by itself.

        Its ``meta["events"]`` are ``{"type", "step", ...}``; epoch and numbers are added here.  With
        ``meta["pause"]``, a sentence, the session pauses after it.
        """
        ...

    def params_changed(self, paths: list[str]) -> None:
        """Take the tree's values from the next step on; raises ParamError and changes nothing."""
        ...

    def command(self, command: Command) -> tuple[Any, Any]:
        """(old, new) of one of ``describe()["commands"]``; raises ParamError and changes nothing."""
        ...

    def reset(self, seed: int) -> None:
        """Begin anew; parameters are kept."""
        ...

    def state(self) -> dict[str, np.ndarray]:
        """A copy of all that the next steps depend on."""
        ...

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Be as when ``state`` was taken; raises ValueError or KeyError for another engine's."""
        ...

    def describe(self) -> dict[str, Any]:
        """For the manifest: ``series`` and ``axis``; if it likes ``commands`` (beyond
        ``run_session.ALWAYS``), ``capabilities``, ``constants``, ``groups`` and ``reasons``."""
        ...

    def findings(self) -> list[dict[str, Any]]:
        """What is wrong now, as ``t4dm.training.findings.Finding.as_json``, with a ``title``."""
        ...

    def waiting(self) -> str:
        """What the rules of ``findings`` wait for, in a sentence; "" once they have looked."""
        ...

    def progress(self) -> dict[str, Any]:
        """For the status: ``{"done", "total", "rate", "unit", "left_s"}``, or nothing."""
        ...

    @property
    def rest_s(self) -> float:
        """Wall seconds to wait after a step (0: none), during which commands are answered."""
        ...
