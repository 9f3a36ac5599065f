"""The doctor of a session: evidence from its segments, the rules over it, findings that stand.

Looks every 100 ms on the absolute grid of steps, so that chunks and pacing do not change what is found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from t4dm.health.case import Case, Change
from t4dm.health.evidence import Evidence, Place
from t4dm.health.finding import SEVERITIES, UNSURE, Rule, Said, Severity, rules
from t4dm.health.params import BIN_MS, HealthParams
from t4dm.health.patience import Spans
from t4dm.live.doctor_acts import Acts
from t4dm.live.doctor_bins import Bins
from t4dm.live.doctor_figures import summary
from t4dm.live.groups import Layout
from t4dm.live.segment import Segment
from t4dm.live.tree import ParamTree

VITAL = ("not_firing", "sparsity")  # rules without which nothing is called healthy
UNTOLD_MS = 2000  # for which one of them cannot tell until the report says so: pauses are common
AWAY_MS = 500  # for which a finding has not been seen until what it explains says so
_FILE_PAUSE = 1e6  # ms: a file may rest for as long as it likes


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
        self._blind: dict[str, tuple[str | None, int]] = {}  # rule: what explains it, since when
        self._differing: dict[str, Any] | None = None
        self._acts = Acts(step, self._dt)
        self._seen_at: dict[str, int] = {}  # rule: the last look at which a finding of it was seen

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
            ended = [c for case in self._cases.values() for c in case.forget(segment.step1 - 1)]
            self._begin(segment.step1)
            return ended
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
        confirm, clear, steady, longest = (
            max(1, round(get(f"health.{name}_ms") / BIN_MS)) for name in Spans._fields
        )
        usual = Spans(confirm, clear, max(clear, steady), max(clear, steady, longest))
        changes: list[Change] = []
        suspected: set[str] = set()
        acts = self._acts
        acts.look(step, self._tree.non_default(), evidence.bins.injected[-1])
        for rule in self._rules:
            case = self._cases[rule.id]
            if judged < get(f"health.{rule.window}") or not self._measured(rule, evidence):
                continue
            reach = self._reach(rule, evidence)
            mixed, new = step - reach < acts.set_at, step - reach < acts.begun
            by = self._explaining(case, suspected, step - reach, mixed)
            hands_over = by is not None and self._cases[by].stands
            verdict: Said = None
            if by is None or hands_over:
                verdict = rule.look(evidence, self._active(case, hands_over, new))
            self._note(rule.id, by, verdict is UNSURE)
            if by:
                told = case.take_explained(verdict, step - 1, 1 if hands_over else clear, acts.act)
            else:
                spans = usual._replace(confirm=confirm + (self._looks(reach) if new else 0))
                told = case.take(verdict, step - 1, spans, acts.act, step - reach)
            changes += [change | {"by": by} for change in told] if by else told
            if case.suspected:
                suspected.add(rule.id)
            if case.stands and case.seen:
                self._seen_at[rule.id] = step
        return changes

    @staticmethod
    def _active(case: Case, hands_over: bool, new: bool) -> Severity | None:
        """With which severity the rule of ``case`` looks: that of what stands, or is handed over to it.

        A finding that ends under the settings that it was found with hands over to one that it
        explained, which is then left rather than entered: between the limits of both nothing is well.
        """
        handed = not new and (hands_over or case.inherits)
        return case.rule.severity if case.severity is None and handed else case.severity

    def _reach(self, rule: Rule, ev: Evidence) -> float:
        """How many steps back the evidence of ``rule`` begins."""
        reach = ev.reaches(ev.p(rule.window))
        if "weights" in rule.wants and ev.weights.samples:
            reach = max(reach, ev.t_ms - ev.weights.end_ms + ev.weights.span_ms)
        return reach / self._dt

    def _looks(self, steps: float) -> int:
        """How many looks there are in ``steps``."""
        return ceil(steps * self._dt / BIN_MS)

    def _explaining(self, case: Case, suspected: set[str], begun: float, mixed: bool) -> str | None:
        """The rule whose finding explains that of ``case`` now.

        What stands is explained by what stands alone.  What does not is explained by what is suspected
        too, and, where settings have changed since its window ``begun``, by what was seen within that:
        what is there yet is its echo.
        """
        rules = [id for id in case.rule.instead if id in self._cases]
        by = next((id for id in rules if self._cases[id].stands), None)
        if by or case.stands:
            return by
        echoes = case.rule.echoes and mixed
        for id in rules:
            if id in suspected or (echoes and begun < self._seen_at.get(id, begun)):
                return id
        return None

    def _note(self, id: str, by: str | None, unsure: bool) -> None:
        """Remember since when rule ``id`` cannot tell, or is explained ``by`` another."""
        if by is None and not unsure:
            self._blind.pop(id, None)
        elif id not in self._blind or self._blind[id][0] != by:
            self._blind[id] = (by, self._step)

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
            default=lambda path: tree.spec(path).default,
            has=self._has,
            paused_ms=_pause(tree),
            bad=bad,
            standing={
                id: {
                    **case.finding["numbers"],
                    "cause": case.finding["cause"]["code"],
                    "group": case.finding["where"]["group"],
                }
                for id, case in self._cases.items()
                if case.finding
            },
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
            f"{seen:g} of {needs:g} ms seen since they began to look"
        )

    def _cannot_tell(self, ev: Evidence) -> list[dict[str, Any]]:
        """The rules that did not answer at the last look, each with why and since when."""
        titles = {rule.id: rule.title for rule in self._rules}
        found = []
        for rule in self._rules:
            if rule.id not in self._blind:
                continue
            by, since = self._blind[rule.id]
            why = _by(titles[by], self._cases[by].finding) if by else _why_unsure(rule, ev)
            found.append({
                "id": rule.id, "title": rule.title, "why": why, "explained_by": by,
                "since_step": since, "since_ms": since * self._dt,
            })  # fmt: skip
        return found

    @property
    def _in_the_dark(self) -> bool:
        """Whether a rule that a dead network would raise has not been able to tell for a while."""
        told = (self._blind.get(id, ("", 0)) for id in VITAL)
        return any(
            by is None and (self._step - since) * self._dt >= UNTOLD_MS for by, since in told
        )

    @property
    def _answering(self) -> int:
        """How many rules could tell at the last look."""
        ev = self._evidence
        if ev is None:
            return 0
        seen = self._judged_ms
        ready = (r for r in self._rules if seen >= ev.p(r.window) and self._measured(r, ev))
        return sum(rule.id not in self._blind for rule in ready)

    def status(self) -> dict[str, Any]:
        """The ``health`` of the status; made anew once after every look."""
        enabled = self._offered and self._tree.get("health.enabled")
        if self._told is None or self._told[0] != enabled:
            self._told = (enabled, self._report())
        return self._told[1]

    def _report(self) -> dict[str, Any]:
        found, waiting = self.findings, self.waiting
        well = "waiting" if waiting else "untold" if self._in_the_dark else "ok"
        return {
            "step": self._step,
            "t_ms": self._step * self._dt,
            "severity": found[0]["severity"] if found else well,
            "findings": found,
            "waiting": waiting,
            "rules": {"n": self._answering, "total": len(self._rules)},
            "cannot_tell": [] if self._evidence is None else self._cannot_tell(self._evidence),
            "evidence": {} if self._evidence is None else summary(self._evidence),
        }


def _by(title: str, finding: Mapping[str, Any] | None) -> str:
    """That the finding of that title explains it, and whether that one is only waited for to be over."""
    away = finding["away_ms"] if finding else 0
    since = f", not seen for {away / 1000:g} s" if away >= AWAY_MS else ""
    return f"Explained by: {title}{since}."


def _why_unsure(rule: Rule, ev: Evidence) -> str:
    """Why ``rule`` could not tell at the look of ``ev``: one sentence."""
    window = ev.p(rule.window)
    rests = ev.idle(window)
    resting = f"{ev.rested(window)}: too little of it to judge by" if rests else ""
    text = "; ".join(part for part in (rule.unsure, resting) if part)
    return f"{text[:1].upper()}{text[1:]}." if text else "There is nothing to judge by."


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
    return float(pauses.get(kind, _FILE_PAUSE if kind == "file" else 0.0))
