"""A symptom over time: suspected, found, over.  Spans that grow keep it from flapping."""

from __future__ import annotations

from math import inf
from typing import Any

from t4dm.health.evidence import Evidence
from t4dm.health.finding import UNSURE, Rule, Said, Severity, Verdict
from t4dm.health.grade import Grade
from t4dm.health.params import BIN_MS
from t4dm.health.patience import Act, Patience, Spans
from t4dm.step_length import STEP_MS

Change = dict[str, Any]
NONE = Act()


class Case:
    """The course of one rule; ``finding`` is its JSON while it stands, else None."""

    def __init__(self, rule: Rule, dt: float = STEP_MS) -> None:
        self.rule, self._dt = rule, dt
        self.finding: dict[str, Any] | None = None
        self._patience = Patience()
        self._grade = Grade()
        self._seen = self._unseen = 0
        self._mends: list[list[dict[str, Any]]] = []  # commands of each remedy that was last told
        self._of = -1  # the last act before which the values of its remedies were reckoned
        self._explained = 0  # looks in a row at which it was seen, and explained by another finding
        self._other = ("", 0)  # another cause or mend than is told, and for how many looks in a row

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
        self, verdict: Said, step: int, spans: Spans, act: Act = NONE, begins: float = inf
    ) -> list[Change]:
        """The verdict of the look at the end of ``step``; returns what changed.

        ``spans``: for how long it has to be seen, and to be away.  A look that cannot tell counts
        neither as seen nor as unseen: what stands is ``held``.
        ``act``: what was last done from outside.
        ``begins``: the step at which the window begins.  One that reaches behind a change of settings,
        the first of those that follow closely, or behind a part of a remedy, is of other settings than
        those in force, and explains nothing: what was found before keeps its cause and remedies.
        """
        self._patience.acted(act, self._mends, self.stands)
        self._grade.acted(act, self._mends)
        mixed = begins < max(act.begun, self._patience.acted_at)
        if self.finding is not None:
            self.finding["held"] = verdict is UNSURE
        if verdict is UNSURE:
            return []
        before = 0 if mixed else self._explained
        self._explained = 0
        self._seen = max(self._seen, before) + 1 if verdict else 0
        self._unseen = 0 if verdict else self._unseen + 1
        self._patience.looked(away=verdict is None or not self.stands)
        if verdict is None:
            return self._away(step, spans)
        if self.finding is not None:
            mixed = mixed and self.finding["since_step"] < act.step
            self.finding = self._told_anew(verdict, self.finding, spans, act.step, mixed)
            self._mends = _commands(self.finding)
            return self._regraded(verdict, step, spans)
        if self._seen < spans.confirm:
            return []
        self._patience.found()
        self._of = -1 if mixed else act.step
        self._grade, self._other = Grade(), ("", 0)
        self.finding = self._told(verdict, step) | self._comes_and_goes(spans, step)
        self._mends = _commands(self.finding)
        return [self._change("found", step)]

    def _away(self, step: int, spans: Spans) -> list[Change]:
        """It is not seen at this look."""
        if self.finding is None:
            return []
        if self._unseen < self._patience.asks(spans, self.finding["since_step"]):
            self.finding |= self._comes_and_goes(spans, self.finding["since_step"])
            return []
        change = self._change("cleared", step)
        self.finding = None
        return [change]

    def _comes_and_goes(self, spans: Spans, since: int) -> dict[str, Any]:
        """How often it came back, for how long it has not been seen and when it is over."""
        patience = self._patience
        return {
            "returns": patience.returns, "away_ms": patience.away * BIN_MS,
            "over_after_ms": patience.asks(spans, since) * BIN_MS,
        }  # fmt: skip

    def take_explained(self, verdict: Said, step: int, clear: int, act: Act = NONE) -> list[Change]:
        """The same while another finding explains it: it is not found, and what stands is over after
        ``clear`` looks; that it is there all the same is remembered for the look after that one's end."""
        explained = self._explained
        changes = self.take(None, step, Spans(1, clear, clear, clear), act)
        if verdict is UNSURE:
            self._explained = explained
        elif verdict:
            self._explained = explained + 1
        return changes

    def forget(self, step: int) -> list[Change]:
        """It ends because nobody looks any more."""
        told = [self._change("cleared", step)] if self.stands else []
        self.finding = None
        return told

    def call(self, evidence: Evidence, step: int) -> list[Change]:
        """Look now, and find without waiting."""
        verdict = self.rule.look(evidence, self.severity)
        return self.take(verdict, step, Spans(1, 1, 1, 1))

    def _told_anew(
        self, verdict: Verdict, before: dict[str, Any], spans: Spans, acted: int, mixed: bool
    ) -> dict[str, Any]:
        """``before`` with the figures of ``verdict``; cause and remedies follow only where they may:
        other ones have to be seen for as long as it takes a finding to be over."""
        told = before | self._told(verdict, before["since_step"])
        told["severity"] = before["severity"]
        kept = told | {name: before[name] for name in ("cause", "remedies")}
        if mixed:
            self._other = ("", 0)
            return kept
        code = _code(told)
        if code == _code(before):
            self._other = ("", 0)
            of_before, self._of = self._of != acted, acted
            return told if of_before else kept
        self._other = (code, self._other[1] + 1 if code == self._other[0] else 1)
        asked = spans.clear if before["since_step"] < acted else spans.steady
        return kept if self._other[1] < asked else told

    def _regraded(self, verdict: Verdict, step: int, spans: Spans) -> list[Change]:
        """The severity of ``verdict`` once it stayed."""
        assert self.finding is not None
        since = self.finding["since_step"]
        self.finding |= self._comes_and_goes(spans, since)
        now, told = self._rank(verdict), _RANKS[self.finding["severity"]]
        if not self._grade.moves(now, told, spans, since):
            return []
        self.finding["severity"] = verdict.severity or self.rule.severity
        return [self._change("found", step)] if now > told else []

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


def _commands(finding: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """What each of its remedies would do."""
    return [remedy["commands"] for remedy in finding["remedies"]]


def _code(finding: dict[str, Any]) -> str:
    """What cause and remedies come to, the values that they set apart."""
    mends = [
        (remedy["id"], [(one["type"], one.get("path")) for one in remedy["commands"]])
        for remedy in finding["remedies"]
    ]
    return repr((finding["cause"]["code"], mends))
