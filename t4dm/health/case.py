"""A symptom over time: suspected, found, over.  Two spans keep it from flapping."""

from __future__ import annotations

from typing import Any

from t4dm.health.evidence import Evidence
from t4dm.health.finding import Rule, Verdict
from t4dm.step_length import STEP_MS

Change = dict[str, Any]


class Case:
    """The course of one rule; ``finding`` is its JSON while it stands, else None."""

    def __init__(self, rule: Rule, dt: float = STEP_MS) -> None:
        self.rule, self._dt = rule, dt
        self.finding: dict[str, Any] | None = None
        self._seen = self._unseen = 0

    @property
    def stands(self) -> bool:
        return self.finding is not None

    @property
    def suspected(self) -> bool:
        """Whether it stands, or was seen at the last look."""
        return self.stands or self._seen > 0

    def take(self, verdict: Verdict | None, step: int, confirm: int, clear: int) -> list[Change]:
        """The verdict of the look at the end of ``step``; returns what changed.

        ``confirm`` and ``clear``: looks in a row after which it is found, and over.
        """
        self._seen = self._seen + 1 if verdict else 0
        self._unseen = 0 if verdict else self._unseen + 1
        if verdict is not None:
            if self.finding is not None:
                graver = self._rank(verdict) > self._rank_of(self.finding)
                self.finding = self._told(verdict, self.finding["since_step"])
                return [self._change("found", step)] if graver else []
            if self._seen >= confirm:
                self.finding = self._told(verdict, step)
                return [self._change("found", step)]
        elif self.finding is not None and self._unseen >= clear:
            change = self._change("cleared", step)
            self.finding = None
            return [change]
        return []

    def call(self, evidence: Evidence, step: int) -> list[Change]:
        """Look now, and find without waiting."""
        verdict = self.rule.look(evidence, self.stands)
        return self.take(verdict, step, 1, 1)

    def _rank(self, verdict: Verdict) -> int:
        return _RANKS[verdict.severity or self.rule.severity]

    @staticmethod
    def _rank_of(finding: dict[str, Any]) -> int:
        return _RANKS[finding["severity"]]

    def _told(self, verdict: Verdict, since: int) -> dict[str, Any]:
        rule, place = self.rule, verdict.place
        nowhere = {"block": None, "stage": "", "group": ""}
        return {
            "id": rule.id,
            "title": rule.title,
            "severity": verdict.severity or rule.severity,
            "state": "active",
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
