"""The doctor of a session: evidence from its segments, the rules over it, findings that stand.

Looks every 100 ms on the absolute grid of steps, so that chunks and pacing do not change what is found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from t4dm.health.case import Case, Change
from t4dm.health.evidence import Evidence, Place
from t4dm.health.finding import SEVERITIES, Rule, rules
from t4dm.health.params import BIN_MS, HealthParams
from t4dm.live.doctor_bins import Bins
from t4dm.live.groups import Layout
from t4dm.live.segment import Segment
from t4dm.live.tree import ParamTree
from t4dm.spiking.params import NEUROMODULATORS

_DIGITS = 4


class Doctor:
    """``groups`` are those of the engine's description; the run begins at ``step``."""

    def __init__(self, tree: ParamTree, groups: Sequence[Mapping[str, Any]], step: int) -> None:
        self._tree, self._layout, self._dt = tree, Layout.from_json(groups), tree.dt
        self._places = tuple(
            Place(g.index, g.name, g.n, g.block, g.stage, _band(described))
            for g, described in zip(self._layout.groups, groups, strict=True)
        )
        self._has = frozenset(tree.groups)
        self._offered = HealthParams.group in self._has
        self._rules = [rule for rule in rules() if set(rule.groups) <= self._has]
        self._begin(step)

    def _begin(self, step: int) -> None:
        self._bins = Bins(self._layout, step, self._dt)
        self._cases = {rule.id: Case(rule, self._dt) for rule in self._rules}
        self._evidence: Evidence | None = None
        self._step = self._at = step
        self._told: tuple[bool, dict[str, Any]] | None = None
        self._differing: dict[str, Any] | None = None

    @property
    def rules(self) -> list[str]:
        """Ids of the findings there can be."""
        return [rule.id for rule in self._rules] if self._offered else []

    # -- time ----------------------------------------------------------------------------------

    @property
    def to_next_look(self) -> int:
        """Steps until the end of the bin in which the run stands."""
        return self._bins.steps - self._at % self._bins.steps

    def take(self, segment: Segment) -> list[Change]:
        """Look at the next ``segment``; returns what was found or is over, in order."""
        self._at = segment.step1
        if not self._offered:
            return []
        if not self._tree.get("health.enabled"):
            self._begin(segment.step1)
            return []
        changes: list[Change] = []
        if self._bins.holds(segment):
            return changes
        for step in self._bins.take(segment):
            self._step, self._told = step, None
            changes += self._look(step)
        return changes

    def fault(self, tensor: str, step: int) -> list[Change]:
        """A value is no number: found at once, whatever is known else."""
        if not self._offered or "not_finite" not in self._cases:
            return []
        evidence, self._told = self._gather(step + 1, bad=tensor), None
        return self._cases["not_finite"].call(evidence, step)

    def _look(self, step: int) -> list[Change]:
        get, judged = self._tree.get, self._judged_ms
        if judged <= 0:
            return []
        evidence = self._evidence = self._gather(step)
        confirm = max(1, round(get("health.confirm_ms") / BIN_MS))
        clear = max(1, round(get("health.clear_ms") / BIN_MS))
        changes: list[Change] = []
        standing: set[str] = set()
        for rule in self._rules:
            case = self._cases[rule.id]
            if judged < get(f"health.{rule.window}") or not self._measured(rule, evidence):
                continue
            if standing.isdisjoint(rule.instead):
                verdict = rule.look(evidence, case.stands)
            else:
                verdict = None
            changes += case.take(verdict, step - 1, confirm, clear)
            if case.suspected:
                standing.add(rule.id)
        return changes

    def _measured(self, rule: Rule, evidence: Evidence) -> bool:
        """Whether the session publishes what ``rule`` looks at."""
        known = self._bins.measured
        return all(n in known or (n == "weights" and evidence.weights.samples) for n in rule.wants)

    def _gather(self, step: int, bad: str | None = None) -> Evidence:
        tree, self._differing = self._tree, None
        return Evidence(
            step=step,
            t_ms=step * self._dt,
            dt=self._dt,
            seen_ms=self._judged_ms,
            places=self._places,
            bins=self._bins.stacked(),
            weights=self._bins.weights(tree.get("health.slow_ms")),
            get=tree.get,
            changed=self._changed,
            has=self._has,
            paused_ms=_pause(tree),
            bad=bad,
        )

    def _changed(self, path: str) -> bool:
        """Whether ``path`` differed from its default, or was an override, at this look."""
        if self._differing is None:
            self._differing = self._tree.non_default()
        return path in self._differing

    @property
    def _judged_ms(self) -> float:
        """Time seen since the start, the settling apart."""
        return max(0.0, self._bins.count * BIN_MS - self._tree.get("health.settle_ms"))

    # -- what others see -----------------------------------------------------------------------

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings that stand, worst first."""
        found = [case.finding for case in self._cases.values() if case.finding is not None]
        worst = {name: -i for i, name in enumerate(SEVERITIES)}
        return sorted((dict(f) for f in found), key=lambda f: worst[f["severity"]])

    @property
    def waiting(self) -> str:
        """Why nothing can be said yet, or not of everything; empty where all rules look."""
        if not self._offered:
            return "this session has no health rules"
        if not self._tree.get("health.enabled"):
            return "health.enabled is off"
        judged, get = self._judged_ms, self._tree.get
        ready = {w: 0 < judged >= get(f"health.{w}") for w in {r.window for r in self._rules}}
        missing = [rule for rule in self._rules if not ready[rule.window]]
        if not missing:
            return ""
        needs = self._tree.get("health.settle_ms") + max(
            self._tree.get(f"health.{rule.window}") for rule in missing
        )
        seen = self._bins.count * BIN_MS
        return (
            f"{len(missing)} of {len(self._rules)} rules wait for data: "
            f"{seen:g} of {needs:g} ms seen since the start or reset"
        )

    def status(self) -> dict[str, Any]:
        """The ``health`` of the status; made anew once after every look."""
        enabled = self._offered and self._tree.get("health.enabled")
        if self._told is None or self._told[0] != enabled:
            self._told = (enabled, self._report())
        return self._told[1]

    def _report(self) -> dict[str, Any]:
        found, waiting = self.findings, self.waiting
        severity = found[0]["severity"] if found else "waiting" if waiting else "ok"
        return {
            "step": self._step,
            "t_ms": self._step * self._dt,
            "severity": severity,
            "findings": found,
            "waiting": waiting,
            "evidence": {} if self._evidence is None else summary(self._evidence),
        }


def summary(ev: Evidence) -> dict[str, Any]:
    """The figures behind the rules, small enough for every status; null where none was measured."""
    window, slow = ev.p("window_ms"), ev.p("slow_ms")
    stack = [place.index for place in ev.stack]
    rates, mean = ev.rate(window), ev.mean
    groups = [rates, ev.high("u_high", window), ev.low("u_low", window)]
    groups += [mean("theta", window), mean("clamped", window)]
    names = ("rate", "u_high", "u_low", "theta", "clamped")
    swing = _plain(ev.high("level_high", slow) - ev.low("level_low", slow))
    return {
        "window_ms": window,
        "slow_ms": slow,
        "groups": [place.name for place in ev.places],
        **dict(zip(names, _plain(groups), strict=True)),
        "network_rate": _plain(rates[stack].mean()) if stack else None,
        "gate": _plain(mean("gate", slow)),
        "attention_entropy": _plain(_newest(ev.last("entropy", slow))),
        "attention_top": _plain(_newest(ev.last("top", slow))),
        "level_swing": dict(zip(NEUROMODULATORS, swing, strict=True)),
        "onsets": int(ev.total("onsets", slow)),
        "rewards": _plain(ev.total("rewards", slow)),
        "weights_moved": _plain(ev.weights.moved),
        "weights_at_bounds": _plain(ev.weights.at_bounds.sum(axis=1)),
        "pairs": _plain(ev.weights.pairs.sum()),
        "driven": _plain(mean("driven", window)),
    }


def _newest(values: np.ndarray) -> np.ndarray:
    """The last row with a value; the last one where none has."""
    known = (row for row in values[::-1] if np.isfinite(row).any())
    return next(known, values[-1])


def _plain(values: Any) -> Any:
    """Rounded JSON data; None for what is not finite."""
    return _json(np.asarray(values, np.float64).round(_DIGITS).tolist())


def _json(value: Any) -> Any:
    if isinstance(value, list):
        return [_json(item) for item in value]
    return value if isfinite(value) else None


def _band(described: Mapping[str, Any]) -> tuple[float, float] | None:
    band = described.get("band")
    return None if band is None else (float(band[0]), float(band[1]))


def _pause(tree: ParamTree) -> float:
    """The longest silence that the stimulus makes by its own parameters, ms."""
    if "stimulus" not in tree.groups:
        return 0.0
    kind, period = tree.get("stimulus.kind"), tree.get("stimulus.period_ms")
    if kind in ("digits", "text"):
        return float(tree.get("stimulus.rest_ms"))
    pauses = {"pulse": max(0, period - tree.get("stimulus.pulse_ms")), "sine": period / 2}
    return float(pauses.get(kind, 1000.0 if kind == "file" else 0.0))
