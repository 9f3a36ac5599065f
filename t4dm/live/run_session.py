"""A run session: a training run, an arena, a brain; its engine, parameters, run state and events.

It is to ``RunEngine`` what ``t4dm.live.session`` is to the spiking engine, without what only a
network of spikes has (breakpoints, membranes, the doctor, speed).  No thread, no socket, no clock here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from t4dm.commands import RUN_COMMAND_TYPES
from t4dm.live.checkpoint import Checkpoint
from t4dm.live.frame import finite
from t4dm.live.kept_session import KeptSession
from t4dm.live.record import Course, Record
from t4dm.live.run_engine import RunEngine
from t4dm.live.run_health import Health
from t4dm.live.samples import TYPE as SAMPLE

COURSE = "course."  # of the arrays in a checkpoint that hold the course, not the engine's state
MAX_TOLD = 200  # events of the course that a keyframe tells; texts have a file of their own
ALWAYS = (
    "set", "clear", "replace", "run", "pause", "step", "reset", "note", "checkpoint", "forget", "branch",
)  # fmt: skip


class Savepoint(NamedTuple):
    """Where a session stood before a list of commands."""

    held: dict[str, Any]
    values: dict[str, Any]


class RunSession(KeptSession):
    """What a run session has beside the run state: its course, and what its engine finds."""

    engine: RunEngine
    finite = True  # a run session refuses what is not finite by itself

    def __init__(self, name: str, kind: str, engine: RunEngine, code_version: str = "") -> None:
        super().__init__(name, engine, code_version)
        self.kind = kind
        self.commands = {
            word: RUN_COMMAND_TYPES[word] for word in (*ALWAYS, *self.describe.get("commands", ()))
        }
        self.course = Course(self.describe["series"])
        self.told: deque[dict[str, Any]] = deque(maxlen=MAX_TOLD)
        self.health = Health()
        self.origin: Checkpoint | None = None  # where a branch begins

    # -- time ----------------------------------------------------------------------------------

    def advance(self, paused: bool = False) -> Record | None:
        """What the engine does next, signed; None where it waits for a command.

        While ``paused`` only what a command asked for.
        """
        record = self._asked() if paused else self.engine.advance()
        if record is None:
            return None
        if record.step1 > record.step0:
            engine = self.engine
            for change in self.health.take(engine.findings(), engine.step, engine.waiting()):
                self.event("finding", **change)
        if self.goal is not None and self.engine.step >= self.goal:
            self.goal, self.state = None, "paused"
        if why := record.meta.pop("pause", ""):
            self.pause(why)
            self.event("state", state="paused", reason=why, who="schedule")
        signed = self._signed(record)
        self.course.take(signed)
        self.told.extend(e for e in signed.meta["events"] if e["type"] != SAMPLE)
        return signed

    def _asked(self) -> Record | None:
        asked = getattr(self.engine, "asked", None)
        return None if asked is None else asked()

    def _signed(self, record: Record) -> Record:
        """``record`` with this epoch, revision and every event since the last."""
        for event in record.meta.get("events", []):
            self.event(**event)
        events, self._pending = self._pending, []
        meta = record.meta | {"params_rev": self.rev, "events": events}
        return replace(record, epoch=self.epoch, meta=meta)

    def whole(self) -> Record:
        """The whole course so far, for a reader who has nothing yet."""
        course = self.course.record(self.epoch)
        meta = {"params_rev": self.rev, "events": list(self.told), "every": self.course.every}
        return replace(course, meta=meta)

    def _fields(self, step: int, fields: dict[str, Any]) -> dict[str, Any]:
        return finite(fields)

    def _forget(self) -> None:
        self.course.clear()
        self.told.clear()
        self.health = Health()

    # -- all or nothing ------------------------------------------------------------------------

    def savepoint(self) -> Savepoint:
        """All that a list of commands can change before its last one."""
        names = ("rev", "state", "reason", "goal", "_event_id")
        held = {name: getattr(self, name) for name in names}
        held |= {"log": self.log.copy(), "_pending": list(self._pending)}
        return Savepoint(held, self.tree.non_default())

    def roll_back(self, to: Savepoint) -> None:
        """Be as at ``to``, as if nothing had been asked since."""
        for name, value in to.held.items():
            setattr(self, name, value)
        changed = self.tree.replace(to.values)
        if changed:
            self.engine.params_changed(list(changed))

    # -- what is kept --------------------------------------------------------------------------

    def checkpoint(self) -> Checkpoint:
        """A copy of the whole state and of the course, to be written while the run goes on."""
        meta = self._meta() | {"kind": self.kind, "told": list(self.told)}
        course = {COURSE + name: array for name, array in self.course.state().items()}
        return Checkpoint(meta, self.engine.state() | course)

    def _stand_at(self, checkpoint: Checkpoint) -> None:
        self.take(checkpoint)

    def take(self, checkpoint: Checkpoint) -> None:
        """Be as at ``checkpoint``, also of another session of the same kind (a branch).

        Raises ValueError or KeyError for one of another kind, or of another engine.
        """
        if checkpoint.meta["kind"] != self.kind:
            raise ValueError(f"it is of a session of kind {checkpoint.meta['kind']!r}")
        split: dict[bool, dict[str, np.ndarray]] = {True: {}, False: {}}
        for name, array in checkpoint.arrays.items():
            split[name.startswith(COURSE)][name.removeprefix(COURSE)] = array
        self._take_values(checkpoint.meta["values"])
        self.engine.load_state(split[False])
        self.course.load_state(split[True])
        self.told = deque(checkpoint.meta["told"], maxlen=MAX_TOLD)
        self.applied = checkpoint.meta["applied"]

    def _go_back(self, checkpoint: Checkpoint | None, seed: int) -> None:
        self._pending = []
        if (begin := checkpoint or self.origin) is not None:
            self.take(begin)
            return
        self.engine.reset(seed)
        self.course.clear()
        self.told.clear()
