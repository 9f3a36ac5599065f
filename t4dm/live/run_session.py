"""A run session: a training run, an arena, a brain; its engine, parameters, run state and events.

It is to ``RunEngine`` what ``t4dm.live.session`` is to the spiking engine, without what only a
network of spikes has (breakpoints, membranes, the doctor, speed).  No thread, no socket, no clock here.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from t4dm.commands import RUN_COMMAND_TYPES
from t4dm.live.checkpoint import Checkpoint, CheckpointStore
from t4dm.live.command_log import Line, NotExact
from t4dm.live.frame import finite
from t4dm.live.record import Course, Record
from t4dm.live.run_engine import RunEngine
from t4dm.live.run_health import Health
from t4dm.live.samples import TYPE as SAMPLE
from t4dm.live.session import LOG_LENGTH, NUMBERS_A_START
from t4dm.params import ParamError

COURSE = "course."  # of the arrays in a checkpoint that hold the course, not the engine's state
MAX_TOLD = 200  # events of the course that a keyframe tells; texts have a file of their own
ALWAYS = (
    "set", "clear", "replace", "run", "pause", "step", "reset", "note", "checkpoint", "forget", "branch",
)  # fmt: skip
log = logging.getLogger(__name__)
Replays = Callable[["RunSession", dict[str, Any] | None], None]


class Savepoint(NamedTuple):
    """Where a session stood before a list of commands."""

    held: dict[str, Any]
    values: dict[str, Any]


class RunSession:
    """``state`` is running, paused or stepping (towards ``goal``)."""

    finite = True  # a run session refuses what is not finite by itself

    def __init__(self, name: str, kind: str, engine: RunEngine, code_version: str = "") -> None:
        self.name, self.kind, self.engine, self.tree = name, kind, engine, engine.tree
        self.code_version = code_version
        self.describe = engine.describe()
        self.commands = {
            word: RUN_COMMAND_TYPES[word] for word in (*ALWAYS, *self.describe.get("commands", ()))
        }
        self.course = Course(self.describe["series"])
        self.told: deque[dict[str, Any]] = deque(maxlen=MAX_TOLD)
        self.health = Health()
        self.rev, self.epoch, self.run_id = 0, 1, 0
        self.state, self.reason = "running", ""
        self.goal: int | None = None
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self._pending: list[dict[str, Any]] = []
        self._event_id = 0
        self.applied = 0
        self.origin: Checkpoint | None = None  # where a branch begins
        self._untold: list[dict[str, Any]] = []

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

    def event(self, type: str, step: int | None = None, **fields: Any) -> dict[str, Any]:
        """Write an event into the next record and into the log; ``n`` is its own number."""
        self._event_id += 1
        at = self.engine.step if step is None else step
        event = {"n": self._event_id, "type": type, "step": at, **finite(fields)}
        self._pending.append(event)
        self.log.append(event)
        return event

    @property
    def pending(self) -> list[dict[str, Any]]:
        """Events that no record carries yet, as while the run stands still."""
        return list(self._pending)

    def run(self) -> None:
        self.goal, self.state, self.reason = None, "running", ""

    def pause(self, reason: str = "") -> None:
        self.goal, self.state, self.reason = None, "paused", reason

    def step(self, n: int) -> None:
        self.goal = (self.goal or self.engine.step) + n
        self.state, self.reason = "stepping", ""

    def reset(self, seed: int | None, who: str) -> None:
        """A new epoch from ``seed`` (None: the same); parameters stay."""
        self.engine.reset(self.engine.seed if seed is None else seed)
        self.goal, self.reason = None, ""
        self.state = "paused" if self.state != "running" else "running"
        self._pending = []
        self.course.clear()
        self.told.clear()
        self.health = Health()
        self.epoch += 1
        self.run_id += 1
        self.event("reset", seed=self.engine.seed, who=who)

    # -- parameters ----------------------------------------------------------------------------

    def change(self, changes: dict[str, tuple[Any, Any]], before: dict[str, Any], who: str) -> None:
        """Tell the engine of ``{path: (old, new)}``; where it refuses, ``before`` is put back.

        Raises ParamError.  Setting what is in force already is no change.
        """
        if self.tree.non_default() == before:
            return
        try:
            self.engine.params_changed(list(changes))
        except ParamError:
            self.tree.replace(before)
            raise
        self.rev += 1
        for path, (old, new) in changes.items():
            self.event("param", path=path, old=old, new=new, rev=self.rev, who=who)

    def params(self) -> dict[str, Any]:
        """Everything a page needs to draw the controls."""
        values = self.tree.to_json()["values"]
        return {
            "rev": self.rev,
            "step": self.engine.step,
            "values": values,
            "overrides": {},
            "effective": dict(values),
            "non_default": self.tree.non_default(),
            "digest": self.tree.digest(),
            "specs": [spec.to_json() for spec in self.tree.specs()],
        }

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

    def settings(self) -> dict[str, Any]:
        """What an acknowledgement promises to survive a kill, as plain JSON data."""
        return {
            "rev": self.rev,
            "epoch": self.epoch,
            "run_id": self.run_id,
            "seed": self.engine.seed,
            "state": "running" if self.state == "running" else "paused",
            "reason": self.reason,
            "values": self.tree.non_default(),
        }

    def note_applied(self, request: dict[str, Any]) -> None:
        """Number a request that changed what the run does, for the next line of the log."""
        self.applied += 1
        self._untold.append({"n": self.applied, **request})

    def line(self) -> Line:
        """The next line of the command log, with every request that no line has told."""
        told, self._untold = tuple(self._untold), []
        return Line(self.settings(), self.engine.step, self.applied, told)

    def checkpoint(self) -> Checkpoint:
        """A copy of the whole state and of the course, to be written while the run goes on."""
        meta = {**self.settings(), "step": self.engine.step, "code_version": self.code_version}
        meta |= {"applied": self.applied, "kind": self.kind, "told": list(self.told)}
        course = {COURSE + name: array for name, array in self.course.state().items()}
        return Checkpoint(meta, self.engine.state() | course)

    def resume(
        self, store: CheckpointStore, settings: dict[str, Any] | None, replay: Replays | None = None
    ) -> int | None:
        """Go on from the newest good checkpoint, with the newest acknowledged ``settings``.

        ``replay`` brings the session from there to where the run stood.  Returns the step of the
        checkpoint, None where the session begins anew.  Always a new epoch.
        """
        found: list[Checkpoint] = []

        def accept(checkpoint: Checkpoint) -> bool:
            if settings is not None and checkpoint.meta["run_id"] != settings["run_id"]:
                return False  # of another run than the one acknowledged last
            self.take(checkpoint)
            found.append(checkpoint)
            return True

        store.load(accept)
        newest = settings or (found[0].meta if found else None)
        if newest is None:
            return None
        if found and found[0].meta["rev"] > newest["rev"]:
            newest = found[0].meta  # a change that was applied and not acknowledged: wholly new
        if not found and self.engine.seed != newest["seed"]:
            self.engine.reset(newest["seed"])
        self.begin_epoch(newest["epoch"] + 1)
        if replay is not None:
            try:
                replay(self, found[0].meta if found else None)
            except NotExact as why:
                self._go_back(found[0] if found else None, newest["seed"])
                self.applied = why.applied + 1
                store.refused.append(f"the run goes on from step {self.engine.step}: {why}")
        self._pending = []
        self._take_values(newest["values"])
        self.rev, self.run_id, self.epoch = newest["rev"], newest["run_id"], newest["epoch"] + 1
        self.state, self.reason, self.goal = newest["state"], newest["reason"], None
        return found[0].meta["step"] if found else None

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
        """To where a replay began."""
        self._pending = []
        if (begin := checkpoint or self.origin) is not None:
            self.take(begin)
            return
        self.engine.reset(seed)
        self.course.clear()
        self.told.clear()

    def begin_epoch(self, epoch: int) -> None:
        """Number events anew, so that no two of a session share a number."""
        self.epoch, self._event_id = epoch, epoch * NUMBERS_A_START

    def _take_values(self, values: Mapping[str, Any]) -> None:
        """Make ``values`` the whole truth, leaving out what this version does not accept."""
        good: dict[str, Any] = {}
        for path, value in values.items():
            try:
                good[path] = self.tree.check(path, value)
            except ParamError as error:
                log.warning("left out on resume: %s", error)
        changed = self.tree.replace(good)
        if changed:
            self.engine.params_changed(list(changed))
