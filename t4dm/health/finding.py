"""What a rule says: a verdict with its rule, its cause and its remedies; and what a rule is."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any, Final, Literal

from t4dm.health.evidence import Evidence, Place

Severity = Literal["note", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("note", "warning", "critical")
Command = dict[str, Any]


@dataclass(frozen=True)
class Remedy:
    """A list of commands, applied as one, and what they should do."""

    id: str
    label: str
    commands: tuple[Command, ...]
    expect: str

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id, "label": self.label, "commands": list(self.commands),
            "expect": self.expect,
        }  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """One symptom as it stands now.  ``groups`` are the groups it shows in."""

    cause: str
    rule: str
    numbers: Mapping[str, Any]
    remedies: tuple[Remedy, ...]
    place: Place | None = None
    groups: tuple[int, ...] = ()
    severity: Severity | None = None  # where it is not the rule's own
    because: str = ""  # the cause with its numbers; else the rule's own sentence


class Answer(Enum):
    """What a look answers beside a verdict and None, which says that the symptom is not there."""

    UNSURE = "unsure"


UNSURE: Final = Answer.UNSURE
"""It cannot tell now: the stimulus rests, or nothing calls for what it looks for.  What stands is held."""
Said = Verdict | Answer | None
Look = Callable[[Evidence, Severity | None], Said]


@dataclass(frozen=True)
class Rule:
    """One symptom: ``look(evidence, active)`` answers a verdict, None or UNSURE.

    ``active`` is the severity with which the finding stands, None where it does not: thresholds of
    leaving differ from those of entering.
    ``wants`` names the fields of :class:`~t4dm.health.evidence.Bin` or ``weights`` without which it
    cannot look; ``window`` the health parameter that says how much of them it needs.
    """

    id: str
    title: str
    severity: Severity
    text: str
    causes: Mapping[str, str]
    look: Look
    wants: tuple[str, ...] = ("fired",)
    window: str = "window_ms"
    groups: tuple[str, ...] = ()  # parameter groups without which it cannot look
    instead: tuple[str, ...] = field(default=())  # rules that, while they stand, explain this one
    echoes: bool = False  # whether they explain it for as long as its window reaches back to them
    unsure: str = ""  # why it cannot tell, beside a stimulus that rests


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule: the ``RULE`` of each module of ``t4dm.health.symptoms``, by ``ORDER`` and name."""
    package = importlib.import_module("t4dm.health.symptoms")
    found = []
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        found.append((getattr(module, "ORDER", 100), info.name, module.RULE))
    return tuple(rule for _, _, rule in sorted(found, key=lambda item: item[:2]))
