"""A session of a network of spikes: its engine, breakpoints, findings, watched membranes and speed."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from t4dm.live.breakpoints import Breakpoints, Hit, nan_hit
from t4dm.live.checkpoint import Checkpoint
from t4dm.live.doctor import Doctor
from t4dm.live.groups import Layout
from t4dm.live.kept_session import KeptSession
from t4dm.live.segment import Segment
from t4dm.live.tree import ParamTree
from t4dm.live.view import MAX_MEMBRANES
from t4dm.stimuli.file import need_file

_TOUCHED = (
    "rev", "epoch", "run_id", "state", "reason", "speed", "goal", "finite", "extra_watch", "log",
    "_pending", "_event_id", "doctor", "applied", "_untold",
)  # fmt: skip


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


class Session(KeptSession):
    """``speed`` None is max; ``finite`` is False from a NaN until a reset."""

    engine: EngineLike

    def __init__(self, name: str, engine: EngineLike, code_version: str = "") -> None:
        super().__init__(name, engine, code_version)
        self.layout, self.dt = Layout.from_json(self.describe["groups"]), self.tree.dt
        self.doctor = self._new_doctor()
        self.breakpoints = Breakpoints(self.layout, self.doctor.rules, self.dt)
        self.speed: float | None = 1.0
        self.finite = True
        self.default_watch = list(engine.watch)
        self.extra_watch: list[int] = []

    # -- time ----------------------------------------------------------------------------------

    @property
    def t_ms(self) -> float:
        return self.engine.step * self.dt

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
        meta |= {"groups": self.layout.text, "dt": self.dt}
        return dataclasses.replace(segment, epoch=self.epoch, meta=meta)

    def _fields(self, step: int, fields: dict[str, Any]) -> dict[str, Any]:
        return {"t_ms": step * self.dt, **fields}

    def pause(self, reason: str = "") -> None:
        """Stand still; the reason why a run is not finite is not forgotten."""
        super().pause(reason if self.finite else self.reason)

    def _forget(self) -> None:
        self.finite = True
        self.breakpoints.forget()
        self.doctor = self._new_doctor()

    # -- what it is told ------------------------------------------------------------------------

    def _tell(self, paths: list[str]) -> None:
        """Raises ParamError also for a file stimulus without its file."""
        self._need_file(paths)
        super()._tell(paths)

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
        return {
            **super().settings(),
            "speed": self.speed,
            "finite": self.finite,
            "breakpoints": self.breakpoints.to_json(),
            "watch": self.extra_watch,
        }

    def checkpoint(self) -> Checkpoint:
        """A copy of the whole state, to be written while the run goes on."""
        return Checkpoint(self._meta(), self.engine.state())

    def _stand_at(self, checkpoint: Checkpoint) -> None:
        self._take_values(checkpoint.meta["values"])
        self.engine.load_state(checkpoint.arrays)
        self.applied = checkpoint.meta.get("applied", 0)

    def _go_back(self, checkpoint: Checkpoint | None, seed: int) -> None:
        self.finite, self._pending = True, []
        if checkpoint is None:
            self.engine.reset(seed)
        else:
            self._stand_at(checkpoint)

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        self.doctor = self._new_doctor()

    def _take_settings(self, settings: Mapping[str, Any]) -> None:
        super()._take_settings(settings)
        self.speed = settings["speed"]
        self.breakpoints.load(settings["breakpoints"])
        self.watch(settings["watch"])
        self.doctor = self._new_doctor()
