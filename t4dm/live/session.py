"""One session: the engine, its parameters, its run state, its breakpoints and its events.

No thread, no socket, no clock here: the worker drives it and passes on what comes out.
"""

from __future__ import annotations

import copy
import dataclasses
import logging
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from t4dm.live.breakpoints import Breakpoints, Hit, nan_hit
from t4dm.live.checkpoint import Checkpoint, CheckpointStore
from t4dm.live.command_log import Line, NotExact
from t4dm.live.doctor import Doctor
from t4dm.live.groups import Layout
from t4dm.live.segment import Segment
from t4dm.live.tree import ParamTree
from t4dm.live.window import DT_MS, MAX_MEMBRANES
from t4dm.params import ParamError
from t4dm.stimuli.file import need_file

LOG_LENGTH = 40
NUMBERS_A_START = 1_000_000  # event numbers that one start of the worker may use
_TOUCHED = (
    "rev", "epoch", "run_id", "state", "reason", "speed", "goal", "finite", "extra_watch", "log",
    "_pending", "_event_id", "doctor", "applied", "_untold",
)  # fmt: skip
log = logging.getLogger(__name__)


class EngineLike(Protocol):
    """What a session needs of an engine; :class:`t4dm.live.engine.Engine` is the real one."""

    step: int
    seed: int
    tree: ParamTree
    watch: list[int]
    data_dir: Path | None

    def advance(self, n: int) -> Segment: ...
    def params_changed(self, paths: list[str]) -> None: ...
    def inject(self, nt: str, level: float) -> dict[str, Any]: ...
    def reward(self, value: float) -> dict[str, Any]: ...
    def reset(self, seed: int) -> None: ...
    def state(self) -> dict[str, np.ndarray]: ...
    def load_state(self, state: dict[str, np.ndarray]) -> None: ...
    def snapshot(self) -> Any: ...
    def restore(self, snapshot: Any) -> None: ...
    def spike_hash(self) -> str: ...
    def describe(self) -> dict[str, Any]: ...


class Savepoint(NamedTuple):
    """Where a session stood before a list of commands."""

    held: dict[str, Any]
    breakpoints: Breakpoints
    values: dict[str, Any]
    engine: Any


class Session:
    """``state`` is running, paused or stepping (towards ``goal``); ``speed`` None is max."""

    def __init__(self, name: str, engine: EngineLike, code_version: str = "") -> None:
        self.name, self.engine, self.tree = name, engine, engine.tree
        self.code_version = code_version
        self.describe = engine.describe()
        self.layout = Layout.from_json(self.describe["groups"])
        self.doctor = self._new_doctor()
        self.breakpoints = Breakpoints(self.layout, self.doctor.rules)
        self.rev, self.epoch, self.run_id = 0, 1, 0
        self.state, self.reason = "running", ""
        self.speed: float | None = 1.0
        self.goal: int | None = None
        self.finite = True
        self.default_watch = list(engine.watch)
        self.extra_watch: list[int] = []
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self._pending: list[dict[str, Any]] = []
        self._event_id = 0
        self.applied = 0  # requests that changed what the network does
        self._untold: list[dict[str, Any]] = []  # of these, those in no line of the log yet

    # -- time ----------------------------------------------------------------------------------

    @property
    def t_ms(self) -> float:
        return self.engine.step * DT_MS

    def advance(self, n: int) -> Segment:
        """At most ``n`` steps: a breakpoint ends them early, and pauses."""
        if self.goal is not None:
            n = min(n, self.goal - self.engine.step)
        if self.breakpoints.on_finding:
            n = min(n, self.doctor.to_next_look)
        armed = self.breakpoints.armed
        before = self.engine.snapshot() if armed else None
        segment = self.engine.advance(n)
        hit = self._hit(segment)
        if hit is not None and armed and hit.step < segment.step1 - 1:
            self.engine.restore(before)
            segment = self.engine.advance(hit.step - segment.step0 + 1)
        if (bad := nan_hit(segment)) is not None:
            self.finite, hit = False, bad
        self.breakpoints.take(segment)
        found = self._examine(segment, bad)
        hit = hit or found
        if hit is not None:
            self._break(hit)
        elif self.goal is not None and self.engine.step >= self.goal:
            self.goal, self.state = None, "paused"
        return self._signed(segment)

    def _examine(self, segment: Segment, bad: Hit | None) -> Hit | None:
        """Write what the doctor finds, or finds over, into the log; the breakpoint that it hits."""
        changes = self.doctor.take(segment)
        if bad is not None:
            changes += self.doctor.fault(bad.reason.partition(" is not finite")[0], bad.step)
        for change in changes:
            self.event("finding", **change)
        return self.breakpoints.found(changes)

    def _new_doctor(self) -> Doctor:
        return Doctor(self.tree, self.describe["groups"], self.engine.step)

    def _hit(self, segment: Segment) -> Hit | None:
        bad, found = nan_hit(segment), self.breakpoints.find(segment)
        if bad is None or (found is not None and found.step < bad.step):
            return found
        return bad

    def _break(self, hit: Hit) -> None:
        self.goal, self.state, self.reason = None, "paused", hit.reason
        self.event("break", step=hit.step, id=hit.id, reason=hit.reason)

    def _signed(self, segment: Segment) -> Segment:
        """``segment`` with this epoch, revision and every event of its steps."""
        ours, self._pending = self._pending, []
        known = {(e["type"], e["step"]) for e in ours}
        events = [
            e
            for e in segment.meta.get("events", [])
            if e["type"] not in ("inject", "reward") or (e["type"], e["step"]) not in known
        ]
        events = sorted(events + ours, key=lambda event: event["step"])
        meta = {**segment.meta, "epoch": self.epoch, "params_rev": self.rev, "events": events}
        meta["groups"] = self.layout.text
        return dataclasses.replace(segment, epoch=self.epoch, meta=meta)

    def event(self, type: str, step: int | None = None, **fields: Any) -> dict[str, Any]:
        """Write an event into the next segment and into the log; ``n`` is its own number."""
        at = self.engine.step if step is None else step
        self._event_id += 1
        event = {"n": self._event_id, "type": type, "step": at, "t_ms": at * DT_MS, **fields}
        self._pending.append(event)
        self.log.append(event)
        return event

    @property
    def pending(self) -> list[dict[str, Any]]:
        """Events that no segment carries yet, as while the run stands still."""
        return list(self._pending)

    def run(self) -> None:
        self.goal, self.state, self.reason = None, "running", ""

    def pause(self, reason: str = "") -> None:
        """Stand still; the reason why a run is not finite is not forgotten."""
        self.goal, self.state = None, "paused"
        if self.finite:
            self.reason = reason

    def step(self, n: int) -> None:
        self.goal = (self.goal or self.engine.step) + n
        self.state, self.reason = "stepping", ""

    def reset(self, seed: int | None, who: str) -> None:
        """A new epoch from ``seed`` (None: the same); parameters stay."""
        self.engine.reset(self.engine.seed if seed is None else seed)
        self.goal, self.reason = None, ""
        self.state = "paused" if self.state != "running" else "running"
        self.finite, self._pending = True, []
        self.breakpoints.forget()
        self.doctor = self._new_doctor()
        self.epoch += 1
        self.run_id += 1
        self.event("reset", seed=self.engine.seed, who=who)

    # -- parameters ----------------------------------------------------------------------------

    def change(self, changes: dict[str, tuple[Any, Any]], before: dict[str, Any], who: str) -> None:
        """Tell the engine of ``{path: (old, new)}``; where it refuses, ``before`` is put back.

        Raises ParamError, also for a file stimulus without its file; an engine that does has
        changed nothing.  Setting what is in force already is no change.
        """
        if self.tree.non_default() == before:
            return
        try:
            self._need_file(changes)
            self.engine.params_changed(list(changes))
        except ParamError:
            self.tree.replace(before)
            raise
        self.rev += 1
        for path, (old, new) in changes.items():
            self.event("param", path=path, old=old, new=new, rev=self.rev, who=who)

    def _need_file(self, changes: Iterable[str]) -> None:
        touched = not {"stimulus.kind", "stimulus.file_id"}.isdisjoint(changes)
        if touched and self.tree.get("stimulus.kind") == "file":
            need_file(self.engine.data_dir, self.tree.get("stimulus.file_id"))

    def watch(self, neurons: list[int]) -> None:
        """Record these too; the oldest extra ones give way beyond 64."""
        kept = [n for n in self.extra_watch if n not in neurons]
        self.extra_watch = (kept + list(dict.fromkeys(neurons)))[-MAX_MEMBRANES:]
        self.refresh_watch()

    def refresh_watch(self) -> None:
        wanted = [*self.default_watch, *self.breakpoints.neurons, *self.extra_watch]
        self.engine.watch = list(dict.fromkeys(wanted))

    def params(self) -> dict[str, Any]:
        """Everything a page needs to draw the controls."""
        whole = self.tree.to_json()
        return {
            "rev": self.rev,
            "step": self.engine.step,
            **whole,
            "effective": {
                path: self.tree.get(path) for path in (*whole["values"], *whole["overrides"])
            },
            "non_default": self.tree.non_default(),
            "digest": self.tree.digest(),
            "specs": [spec.to_json() for spec in self.tree.specs()],
        }

    # -- all or nothing ------------------------------------------------------------------------

    def savepoint(self) -> Savepoint:
        """All that commands can change, the engine's state included."""
        held = {name: copy.copy(getattr(self, name)) for name in _TOUCHED}
        return Savepoint(
            held, self.breakpoints.copy(), self.tree.non_default(), self.engine.snapshot()
        )

    def roll_back(self, to: Savepoint) -> None:
        """Be as at ``to``, as if nothing had been asked since."""
        for name, value in to.held.items():
            setattr(self, name, value)
        self.breakpoints = to.breakpoints
        self.tree.replace(to.values)
        self.engine.restore(to.engine)
        self.refresh_watch()

    # -- what is kept --------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """What an acknowledgement promises to survive a kill, as plain JSON data."""
        return {
            "rev": self.rev,
            "epoch": self.epoch,
            "run_id": self.run_id,
            "seed": self.engine.seed,
            "speed": self.speed,
            "state": "running" if self.state == "running" else "paused",
            "reason": self.reason,
            "finite": self.finite,
            "values": self.tree.non_default(),
            "breakpoints": self.breakpoints.to_json(),
            "watch": self.extra_watch,
        }

    def note_applied(self, request: dict[str, Any]) -> None:
        """Number a request that changed what the network does, for the next line of the log."""
        self.applied += 1
        self._untold.append({"n": self.applied, **request})

    def line(self) -> Line:
        """The next line of the command log, with every request that no line has told."""
        told, self._untold = tuple(self._untold), []
        return Line(self.settings(), self.engine.step, self.applied, told)

    def checkpoint(self) -> Checkpoint:
        """A copy of the whole state, to be written while the run goes on."""
        meta = {**self.settings(), "step": self.engine.step, "code_version": self.code_version}
        meta["applied"] = self.applied
        return Checkpoint(meta, self.engine.state())

    def resume(
        self,
        store: CheckpointStore,
        settings: dict[str, Any] | None,
        replay: Callable[[Session, dict[str, Any] | None], None] | None = None,
    ) -> int | None:
        """Go on from the newest good checkpoint, with the newest acknowledged ``settings``.

        ``replay`` brings the session from that checkpoint (None: from the seed) to where the run
        stood.  Returns the step of the checkpoint, None where the session begins anew.  Always a
        new epoch.
        """
        found: list[Checkpoint] = []

        def accept(checkpoint: Checkpoint) -> bool:
            run_id = checkpoint.meta["run_id"]
            if settings is not None and run_id != settings["run_id"]:
                return False  # of another run than the one acknowledged last
            self._take_state(checkpoint)
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
        self._begin_epoch(newest["epoch"] + 1)
        self.doctor = self._new_doctor()
        if replay is not None:
            try:
                replay(self, found[0].meta if found else None)
            except NotExact as why:
                self._go_back(found[0] if found else None, newest["seed"])
                self.applied = why.applied + 1  # one that no line tells: nothing older leads here
                store.refused.append(f"the run goes on from step {self.engine.step}: {why}")
        self._pending = []
        self._take_values(newest["values"])
        self.rev, self.run_id, self.epoch = newest["rev"], newest["run_id"], newest["epoch"] + 1
        self.speed, self.state, self.reason = newest["speed"], newest["state"], newest["reason"]
        self.goal = None
        self.breakpoints.load(newest["breakpoints"])
        self.watch(newest["watch"])
        self.doctor = self._new_doctor()
        return found[0].meta["step"] if found else None

    def _take_state(self, checkpoint: Checkpoint) -> None:
        self._take_values(checkpoint.meta["values"])
        self.engine.load_state(checkpoint.arrays)
        self.applied = checkpoint.meta.get("applied", 0)

    def _go_back(self, checkpoint: Checkpoint | None, seed: int) -> None:
        """To where a replay began."""
        self.finite, self._pending = True, []
        if checkpoint is None:
            self.engine.reset(seed)
        else:
            self._take_state(checkpoint)

    def _begin_epoch(self, epoch: int) -> None:
        self.epoch, self._event_id = epoch, epoch * NUMBERS_A_START

    def _take_values(self, values: dict[str, Any]) -> None:
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
