"""Breakpoints: conditions that pause the run at the end of the very step in which they come true.

Every condition is edge triggered: one that is true when it is set, or after a hit, is armed once it
has been false.  Rates are in Hz per neuron over the last ``window_ms`` since the breakpoint was set.
Weights are looked at every 250 steps; their share counts those at w_max, not those at 0.
Findings come from the session's doctor, which looks every 100 ms.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from t4dm.commands import BreakOn
from t4dm.health.finding import SEVERITIES
from t4dm.live.groups import Group, Layout
from t4dm.live.segment import Segment
from t4dm.params import ParamError, did_you_mean
from t4dm.step_length import STEP_MS

MAX_BREAKPOINTS = 32
MEANT = {
    "rate": ("group", "op", "bound", "window_ms"), "membrane": ("neuron", "op", "bound"),
    "weight": ("group", "op", "bound"), "spike": ("neuron",), "finding": ("finding", "severity"),
    "nan": (),
}  # fmt: skip  # kind: what of a command its condition is made of
AT_MAX = 1  # column of ``Segment.bounds``: the share of weights at w_max


@dataclass(frozen=True, slots=True)
class Hit:
    """Condition ``id`` came true at ``step`` (0: the NaN check, which is always on)."""

    id: int
    step: int
    reason: str


class Breakpoint:
    """One condition, with what it must remember between two segments."""

    def __init__(self, id: int, command: BreakOn, layout: Layout, dt: float = STEP_MS) -> None:
        self.id, self.command, self._layout, self._dt = id, command, layout, dt
        self._was = True  # armed once the condition has been seen false
        self._seen = False  # whether it has been looked at
        self._counts = np.empty(0, dtype=np.int64)

    def find(self, segment: Segment) -> Hit | None:
        """The first step of ``segment`` at which the condition comes true; nothing is remembered."""
        steps, values = self._values(segment)
        true = self._true(values)
        rising = true & ~np.concatenate(([self._was], true[:-1])) if len(true) else true
        if self.command.kind == "spike":
            rising = true
        index = np.flatnonzero(rising)
        if not len(index):
            return None
        step, value = int(steps[index[0]]), float(values[index[0]])
        return Hit(self.id, step, self._reason(value, step))

    def take(self, segment: Segment) -> None:
        """Remember ``segment``, which is now part of the run."""
        _, values = self._values(segment)
        if len(values):
            self._was, self._seen = bool(self._true(values[-1:])[0]), True
        if self.command.kind == "rate":
            keep = max(1, int(self.command.window_ms / self._dt)) - 1
            joined = np.concatenate([self._counts, segment.rates[:, self.command.group]])
            self._counts = joined[len(joined) - min(keep, len(joined)) :]

    def _values(self, segment: Segment) -> tuple[np.ndarray, np.ndarray]:
        """Steps, and the watched value at each."""
        command = self.command
        steps = np.arange(segment.step0, segment.step1)
        if command.kind == "rate":
            return self._rate(segment, steps)
        if command.kind == "spike":
            where = np.repeat(np.arange(len(steps)), segment.spk_n)
            fired = np.zeros(len(steps))
            fired[where[segment.spk_id == command.neuron]] = 1
            return steps, fired
        if command.kind == "membrane":
            watch = segment.meta["watch"]
            if command.neuron not in watch:
                return steps[:0], np.empty(0)
            return steps, segment.u[:, watch.index(command.neuron)]
        if command.kind == "weight":
            at = np.array(segment.meta.get("hist_steps", []), dtype=np.int64)
            return at, segment.bounds[:, command.group or 0, AT_MAX]
        return steps[:0], np.empty(0)

    @property
    def _group(self) -> Group:
        return self._layout.groups[self.command.group or 0]

    def _rate(self, segment: Segment, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        width = max(1, int(self.command.window_ms / self._dt))
        joined = np.concatenate([self._counts, segment.rates[:, self.command.group]])
        if len(joined) < width:
            return steps[:0], np.empty(0)
        sums = np.convolve(joined, np.ones(width), "valid")
        per_neuron_hz = sums / (width * self._group.n) * (1000 / self._dt)
        return steps[-len(sums) :], per_neuron_hz[-len(steps) :]

    def _true(self, values: np.ndarray) -> np.ndarray:
        if self.command.kind == "spike":
            return values > 0
        if self.command.op == "above":
            return values > self.command.bound
        return values < self.command.bound

    def _reason(self, value: float, step: int) -> str:
        command = self.command
        at = f"at step {step} ({step * self._dt:.10g} ms)"
        if command.kind == "spike":
            return f"neuron {command.neuron} fired {at}"
        passed = f"{value:.4g} is {command.op} {command.bound:g}"
        if command.kind == "rate":
            return f"rate of {self._group.name} over {command.window_ms} ms: {passed} Hz {at}"
        if command.kind == "membrane":
            return f"u_pre of neuron {command.neuron}: {passed} {at}"
        return f"share of weights at w_max in block {command.group or 0}: {passed} {at}"

    @property
    def armed(self) -> bool | None:
        """False while the condition is true already; None before it has been looked at."""
        if self.command.kind not in ("rate", "membrane", "weight"):
            return True
        return not self._was if self._seen else None

    def is_same(self, command: BreakOn) -> bool:
        """Whether ``command`` asks for this very condition."""
        mine = self.command
        fields = ("kind", *MEANT[mine.kind])
        return all(getattr(mine, name) == getattr(command, name) for name in fields)

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, **self.command.model_dump()}


class Breakpoints:
    """The conditions of one session, on the groups of its ``layout``."""

    def __init__(self, layout: Layout, findings: Collection[str] = (), dt: float = STEP_MS) -> None:
        self._layout, self._findings, self._dt = layout, tuple(findings), dt
        self._items: dict[int, Breakpoint] = {}
        self._next = 1

    @property
    def armed(self) -> bool:
        """Whether a condition needs the exact step of a chunk; NaN and findings do not."""
        return any(item.command.kind not in ("nan", "finding") for item in self._items.values())

    @property
    def on_finding(self) -> bool:
        """Whether a finding would pause the run."""
        return any(item.command.kind == "finding" for item in self._items.values())

    @property
    def neurons(self) -> list[int]:
        """Neurons whose membrane a condition needs."""
        found = (b.command for b in self._items.values())
        return [c.neuron for c in found if c.kind == "membrane" and c.neuron is not None]

    def check(self, command: BreakOn) -> None:
        """Raises :class:`ParamError` where ``command`` names nothing that exists, or what is set."""
        needs = {"rate": "group", "weight": "group", "spike": "neuron", "membrane": "neuron"}
        layout = self._layout
        limits = {"rate": len(layout.groups), "weight": len(layout.blocks)}
        name = needs.get(command.kind)
        for id, item in self._items.items():
            if item.is_same(command):
                raise ParamError("id", f"breakpoint {id} is set for this very condition already")
        if len(self._items) >= MAX_BREAKPOINTS:
            raise ParamError("id", f"at most {MAX_BREAKPOINTS} breakpoints", hi=MAX_BREAKPOINTS)
        if command.kind == "finding":
            self._check_finding(command.finding)
        if name is None:
            return
        value = getattr(command, name)
        hi = limits.get(command.kind, layout.n_total) - 1
        if value is None or not 0 <= value <= hi:
            raise ParamError(
                name, f"break_on.{name}: {command.kind} needs a {name} from 0 to {hi}", lo=0, hi=hi
            )

    def _check_finding(self, id: str) -> None:
        known = ["any", *self._findings]
        if not self._findings:
            raise ParamError("finding", "break_on.finding: this session has no health rules")
        if id not in known:
            hint = did_you_mean(id, known)
            raise ParamError("finding", f"break_on.finding: no '{id[:40]}'{hint}", choices=known)

    def check_off(self, id: int | None) -> None:
        if id is not None and id not in self._items:
            known = ", ".join(map(str, self._items)) or "none"
            raise ParamError("id", f"no breakpoint {id}; there are: {known}")

    def add(self, command: BreakOn) -> int:
        id, self._next = self._next, self._next + 1
        self._items[id] = Breakpoint(id, command, self._layout, self._dt)
        return id

    def remove(self, id: int | None) -> list[dict[str, Any]]:
        """Remove one, or all where ``id`` is None; returns what was removed."""
        gone = [b for b in self._items.values() if id in (None, b.id)]
        for item in gone:
            del self._items[item.id]
        return [item.to_json() for item in gone]

    def copy(self) -> Breakpoints:
        """The same conditions; adding to or removing from one leaves the other as it is."""
        twin = Breakpoints(self._layout, self._findings, self._dt)
        twin._items, twin._next = dict(self._items), self._next
        return twin

    def forget(self) -> None:
        """Begin anew with every condition, as after a reset."""
        self._items = {
            id: Breakpoint(id, item.command, self._layout, self._dt)
            for id, item in self._items.items()
        }

    def found(self, changes: Iterable[Mapping[str, Any]]) -> Hit | None:
        """The first of the doctor's ``changes`` that a condition waits for."""
        for change in changes:
            for id, item in self._items.items():
                command = item.command
                if command.kind != "finding" or change["state"] != "found":
                    continue
                grave = SEVERITIES.index(change["severity"]) >= SEVERITIES.index(command.severity)
                if grave and command.finding in ("any", change["id"]):
                    return Hit(id, change["step"], f"{change['id']}: {change['rule']}")
        return None

    def find(self, segment: Segment) -> Hit | None:
        """The earliest hit in ``segment``."""
        hits = [hit for item in self._items.values() if (hit := item.find(segment))]
        return min(hits, key=lambda hit: hit.step, default=None)

    def take(self, segment: Segment) -> None:
        for item in self._items.values():
            item.take(segment)

    def to_json(self) -> list[dict[str, Any]]:
        return [item.to_json() for item in self._items.values()]

    def status(self) -> list[dict[str, Any]]:
        """As :meth:`to_json`, each with whether it is ``armed``."""
        return [item.to_json() | {"armed": item.armed} for item in self._items.values()]

    def load(self, items: list[dict[str, Any]]) -> None:
        """Take over conditions from :meth:`to_json`."""
        for item in items:
            command = BreakOn(**{k: v for k, v in item.items() if k != "id"})
            self._items[item["id"]] = Breakpoint(item["id"], command, self._layout, self._dt)
            self._next = max(self._next, item["id"] + 1)


def nan_hit(segment: Segment) -> Hit | None:
    """The first step of ``segment`` with a value that is no number, and its tensor."""
    for event in segment.meta.get("events", []):
        if event["type"] == "nan":
            return Hit(0, event["step"], f"{event['tensor']} is not finite at step {event['step']}")
    for name in ("u", "theta", "levels", "gains"):
        bad = ~np.isfinite(getattr(segment, name)).all(axis=1)
        if bad.any():
            step = segment.step0 + int(np.argmax(bad))
            return Hit(0, step, f"{name} is not finite at step {step}")
    return None
