"""A symptom over time: suspected, found, over.  Two spans keep it from flapping."""

from __future__ import annotations

from typing import Any

from t4dm.health.evidence import Evidence
from t4dm.health.finding import UNSURE, Rule, Said, Severity, Verdict
from t4dm.step_length import STEP_MS

Change = dict[str, Any]


class Case:
    """The course of one rule; ``finding`` is its JSON while it stands, else None."""

    def __init__(self, rule: Rule, dt: float = STEP_MS) -> None:
        self.rule, self._dt = rule, dt
        self.finding: dict[str, Any] | None = None
        self._seen = self._unseen = 0
        self._explained = 0  # looks in a row at which it was seen, and explained by another finding
        self._shift = (0, 0)  # to graver (1) or milder (-1), and for how many looks in a row
        self._other = ("", 0)  # another cause than the one told, and for how many looks in a row

    @property
    def stands(self) -> bool:
        return self.finding is not None

    @property
    def suspected(self) -> bool:
        """Whether it stands, or was seen at the last look."""
        return self.stands or self._seen > 0

    @property
    def seen(self) -> bool:
        """Whether it was seen at the last look that could tell."""
        return self._seen > 0

    @property
    def inherits(self) -> bool:
        """Whether it was seen while another finding explained it: it stands where that one ends."""
        return self._explained > 0

    @property
    def severity(self) -> Severity | None:
        """With which it stands; None where it does not."""
        return None if self.finding is None else self.finding["severity"]

    def take(
        self, verdict: Said, step: int, confirm: int, clear: int, changed: int | None = None
    ) -> list[Change]:
        """The verdict of the look at the end of ``step``; returns what changed.

        ``confirm`` and ``clear``: looks in a row after which it is found, and over.  A look that
        cannot tell counts neither as seen nor as unseen: what stands is ``held``.
        ``changed``: the step at which settings last changed, where the window reaches behind it.
        Its evidence is then of other settings than those in force, and explains nothing: what was
        found before keeps its cause and remedies.
        """
        if self.finding is not None:
            self.finding["held"] = verdict is UNSURE
        if verdict is UNSURE:
            return []
        before = self._explained if changed is None else 0
        self._explained = 0
        self._seen = max(self._seen, before) + 1 if verdict else 0
        self._unseen = 0 if verdict else self._unseen + 1
        if verdict is not None:
            if self.finding is not None:
                mixed = changed is not None and self.finding["since_step"] < changed
                self.finding = self._told_anew(verdict, self.finding, clear, mixed)
                return self._regraded(verdict, step, confirm, clear)
            if self._seen >= confirm:
                self.finding = self._told(verdict, step)
                self._shift, self._other = (0, 0), ("", 0)
                return [self._change("found", step)]
        elif self.finding is not None and self._unseen >= clear:
            change = self._change("cleared", step)
            self.finding = None
            return [change]
        return []

    def take_explained(self, verdict: Said, step: int, clear: int) -> list[Change]:
        """The same while another finding explains it: it is not found, and what stands comes to its
        end; that it is there all the same is remembered for the look after that finding's end."""
        explained = self._explained
        changes = self.take(None, step, 1, clear)
        if verdict is UNSURE:
            self._explained = explained
        elif verdict:
            self._explained = explained + 1
        return changes

    def call(self, evidence: Evidence, step: int) -> list[Change]:
        """Look now, and find without waiting."""
        verdict = self.rule.look(evidence, self.severity)
        return self.take(verdict, step, 1, 1)

    def _told_anew(
        self, verdict: Verdict, before: dict[str, Any], clear: int, mixed: bool
    ) -> dict[str, Any]:
        """``before`` with the figures of ``verdict``; its cause and remedies follow only where they
        may: another cause has to be seen for as long as it takes a finding to be over."""
        told = self._told(verdict, before["since_step"])
        told["severity"] = before["severity"]
        code = verdict.cause
        if mixed:
            self._other = ("", 0)
        elif code != before["cause"]["code"]:
            self._other = (code, self._other[1] + 1 if code == self._other[0] else 1)
            mixed = self._other[1] < clear
        if mixed:
            return told | {name: before[name] for name in ("cause", "remedies")}
        self._other = ("", 0)
        return told

    def _regraded(self, verdict: Verdict, step: int, confirm: int, clear: int) -> list[Change]:
        """Graver after ``confirm`` looks and milder after ``clear``."""
        assert self.finding is not None
        now, then = self._rank(verdict), _RANKS[self.finding["severity"]]
        way = (now > then) - (now < then)
        looks = self._shift[1] + 1 if way == self._shift[0] else 1
        self._shift = (way, looks)
        if way and looks < (confirm if way > 0 else clear):
            return []
        self._shift = (0, 0)
        self.finding["severity"] = verdict.severity or self.rule.severity
        return [self._change("found", step)] if way > 0 else []

    def _rank(self, verdict: Verdict) -> int:
        return _RANKS[verdict.severity or self.rule.severity]

    def _told(self, verdict: Verdict, since: int) -> dict[str, Any]:
        rule, place = self.rule, verdict.place
        nowhere = {"block": None, "stage": "", "group": ""}
        return {
            "id": rule.id,
            "title": rule.title,
            "severity": verdict.severity or rule.severity,
            "state": "active",
            "held": False,
            "where": nowhere if place is None else place.to_json(),
            "groups": list(verdict.groups),
            "rule": verdict.rule,
            "cause": {
                "code": verdict.cause,
                "text": verdict.because or rule.causes[verdict.cause],
            },
            "numbers": dict(verdict.numbers),
            "remedies": [remedy.to_json() for remedy in verdict.remedies],
            "since_step": since,
            "since_ms": since * self._dt,
        }

    def _change(self, state: str, step: int) -> Change:
        assert self.finding is not None
        kept = ("id", "severity", "where", "rule")
        told = {name: self.finding[name] for name in kept}
        return {**told, "cause": self.finding["cause"]["code"], "state": state, "step": step}


_RANKS = {"note": 0, "warning": 1, "critical": 2}
