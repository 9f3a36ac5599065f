"""What every session is, whatever its engine: its run state, its parameters, its events, what it keeps.

``Session`` (a network of spikes) and ``RunSession`` (a training run, an arena, a brain) add what is
theirs.  No thread, no socket, no clock here: the worker drives it and passes on what comes out.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Self

from t4dm.live.checkpoint import Checkpoint, CheckpointStore
from t4dm.live.command_log import Line, NotExact
from t4dm.live.tree import ParamTree
from t4dm.params import ParamError

LOG_LENGTH = 40
NUMBERS_A_START = 1_000_000  # event numbers that one start of the worker may use
log = logging.getLogger(__name__)


class KeptSession(ABC):
    """``state`` is running, paused or stepping (towards ``goal``)."""

    engine: Any
    tree: ParamTree

    def __init__(self, name: str, engine: Any, code_version: str = "") -> None:
        self.name, self.engine, self.tree = name, engine, engine.tree
        self.code_version = code_version
        self.describe = engine.describe()
        self.rev, self.epoch, self.run_id = 0, 1, 0
        self.state, self.reason = "running", ""
        self.goal: int | None = None
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self._pending: list[dict[str, Any]] = []
        self._event_id = 0
        self.applied = 0  # requests that changed what the run does
        self._untold: list[dict[str, Any]] = []  # of these, those in no line of the log yet

    # -- run state and events ------------------------------------------------------------------

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
        self._forget()
        self.epoch += 1
        self.run_id += 1
        self.event("reset", seed=self.engine.seed, who=who)

    @abstractmethod
    def _forget(self) -> None:
        """The run begins anew: nothing of before counts."""

    def event(self, type: str, step: int | None = None, **fields: Any) -> dict[str, Any]:
        """Write an event into what is published next and into the log; ``n`` is its own number."""
        self._event_id += 1
        at = self.engine.step if step is None else step
        event = {"n": self._event_id, "type": type, "step": at, **self._fields(at, fields)}
        self._pending.append(event)
        self.log.append(event)
        return event

    @abstractmethod
    def _fields(self, step: int, fields: dict[str, Any]) -> dict[str, Any]:
        """What an event at ``step`` says beside its type."""

    @property
    def pending(self) -> list[dict[str, Any]]:
        """Events that nothing published carries yet, as while the run stands still."""
        return list(self._pending)

    # -- parameters ----------------------------------------------------------------------------

    def change(self, changes: dict[str, tuple[Any, Any]], before: dict[str, Any], who: str) -> None:
        """Tell the engine of ``{path: (old, new)}``; where it refuses, ``before`` is put back.

        Raises ParamError; an engine that does has changed nothing.  Setting what is in force already
        is no change.  The event of an override that was not there before says ``inherited``: its old
        value was that of what it overrides.
        """
        if self.tree.non_default() == before:
            return
        try:
            self._tell(list(changes))
        except ParamError:
            self.tree.replace(before)
            raise
        self.rev += 1
        for path, (old, new) in changes.items():
            lent = path not in before and self.tree.is_override(path)
            more = {"inherited": True} if lent else {}
            self.event("param", path=path, old=old, new=new, rev=self.rev, who=who, **more)

    def _tell(self, paths: list[str]) -> None:
        """Have the engine take the tree's values; raises ParamError."""
        self.engine.params_changed(paths)

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

    def _meta(self) -> dict[str, Any]:
        """What a checkpoint says of the run."""
        where = {"step": self.engine.step, "applied": self.applied}
        return {**self.settings(), **where, "code_version": self.code_version}

    def resume(
        self,
        store: CheckpointStore,
        settings: dict[str, Any] | None,
        replay: Callable[[Self, dict[str, Any] | None], None] | None = None,
    ) -> int | None:
        """Go on from the newest good checkpoint, with the newest acknowledged ``settings``.

        ``replay`` brings the session from that checkpoint (None: from the seed) to where the run
        stood.  Returns the step of the checkpoint, None where the session begins anew.  Always a
        new epoch.
        """
        found: list[Checkpoint] = []

        def accept(checkpoint: Checkpoint) -> bool:
            if settings is not None and checkpoint.meta["run_id"] != settings["run_id"]:
                return False  # of another run than the one acknowledged last
            self._stand_at(checkpoint)
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
                self.applied = why.applied + 1  # one that no line tells: nothing older leads here
                store.refused.append(f"the run goes on from step {self.engine.step}: {why}")
        self._pending = []
        self._take_settings(newest)
        return found[0].meta["step"] if found else None

    @abstractmethod
    def _stand_at(self, checkpoint: Checkpoint) -> None:
        """Be as at ``checkpoint``."""

    @abstractmethod
    def _go_back(self, checkpoint: Checkpoint | None, seed: int) -> None:
        """To where a replay began: ``checkpoint``, or step 0 of ``seed``."""

    def _take_settings(self, settings: Mapping[str, Any]) -> None:
        """Be as ``settings`` say, in the epoch after theirs."""
        self._take_values(settings["values"])
        self.rev, self.run_id = settings["rev"], settings["run_id"]
        self.epoch = settings["epoch"] + 1
        self.state, self.reason, self.goal = settings["state"], settings["reason"], None

    def begin_epoch(self, epoch: int) -> None:
        """Number events anew, so that no two of a session share a number."""
        self.epoch, self._event_id = epoch, epoch * NUMBERS_A_START
