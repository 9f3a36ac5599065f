"""The health of a run session: what its engine finds, as status and events tell it.

The same JSON as the doctor's (``t4dm.live.doctor``); a finding is known by its id and its group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from t4dm.training.findings import Finding

SEVERITIES = ("note", "warning", "critical")
EVENT = ("id", "severity", "where", "rule")
Key = tuple[str, str]


class Health:
    """Remembers what stands, so that coming and going can be told."""

    def __init__(self) -> None:
        self._found: dict[Key, dict[str, Any]] = {}
        self._step = 0
        self._waiting = ""

    def take(
        self, findings: list[dict[str, Any]], step: int, waiting: str = ""
    ) -> list[dict[str, Any]]:
        """Note what is found at ``step``; returns the changes as fields of events.

        ``waiting`` says what the rules still wait for; "" where they have looked.
        """
        self._step, self._waiting = step, waiting
        now = {(one["id"], one["where"]["group"]): one for one in findings}
        changes = []
        for key, one in now.items():
            before = self._found.get(key)
            if before is None or before["severity"] != one["severity"]:
                changes.append(_told(one, "found"))
            else:
                one["since_step"] = min(before["since_step"], one["since_step"])
        changes += [_told(one, "cleared") for key, one in self._found.items() if key not in now]
        self._found = now
        return changes

    def status(self) -> dict[str, Any]:
        """The ``health`` of the status, worst finding first."""
        found = sorted(self._found.values(), key=lambda f: -SEVERITIES.index(f["severity"]))
        return {
            "step": self._step,
            "t_ms": None,
            "severity": found[0]["severity"] if found else "waiting" if self._waiting else "ok",
            "findings": found,
            "waiting": self._waiting,
            "evidence": {},
        }


def as_told(found: Sequence[Finding], rules: Mapping[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """Findings as a run session's engine gives them, titled as in ``rules``: id to title and text."""
    return [one.as_json() | {"title": rules[one.id][0], "groups": []} for one in found]


def _told(finding: dict[str, Any], state: str) -> dict[str, Any]:
    cause = {"cause": finding["cause"]["code"], "title": finding["title"]}
    return {name: finding[name] for name in EVENT} | cause | {"state": state}
