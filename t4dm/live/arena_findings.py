"""What is wrong with an agent's memory, read off its last minute: pure functions, numpy only.

    stands     mean speed of the agent below 0.03 m/s
    silent     where they ought to fire above 5 Hz, place cells fired less than 40 % of what is declared
    noise      place cells fire above 2 Hz where their field is not (declared rate below 0.1 Hz)
    familiar   some episode is at or above the threshold in 90 % of the steps or more
    copies     three or more episodes stored at objects of which there was one already
    empty      no object lies in the arena, and nothing is remembered
What is declared are the rates of ``t4dm.brain`` at the true place, with no blur and no background.
T steps  P place cells
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from t4dm.brain.arena_params import DT_S
from t4dm.training.findings import Finding
from t4dm.training.remedies import Remedy

LEAST, MOST = 500, 1500  # steps that are looked at: 20 s to a minute of the agent's time
SLOW = 0.03  # m/s
INSIDE, SILENT = 5.0, 0.4  # Hz declared; share of it
DUE = 50.0  # spikes that have to be owed before silence counts
OUTSIDE, NOISE = 0.1, 2.0  # Hz declared; Hz measured there
FAMILIAR = 0.9  # of the steps
COPIES = 3
JUMP = 0.1  # m in a step: the agent was put somewhere, which is no walking

RULES: dict[str, tuple[str, str]] = {
    "arena_stands": ("Hardly moves", f"mean speed below {SLOW:g} m/s over the last 20 to 60 s"),
    "arena_silent": (
        "Silent place cells",
        f"in their fields they fired less than {100 * SILENT:g} % of the spikes declared",
    ),
    "arena_noise": (
        "Firing without reason",
        f"place cells above {NOISE:g} Hz where their field is not",
    ),
    "arena_familiar": (
        "Everything looks familiar",
        "an episode at or above the threshold in 90 % of the steps",
    ),
    "arena_copies": (
        "Stores what it knows",
        f"{COPIES} episodes or more stored at objects of which there was one already",
    ),
    "arena_empty": ("Nothing to remember", "no object lies in the arena, no episode is stored"),
}


@dataclass(frozen=True)
class Walked:
    """The last T steps: places (T,2) in m, place cells' spikes (T,P) and declared rates (T,P) in Hz.

    ``near`` (T,): whether an episode was at or above the threshold; ``copies``: episodes stored at
    objects that had one; ``episodes``: in the memory now.
    """

    step: int
    places: np.ndarray
    spikes: np.ndarray
    declared: np.ndarray
    near: np.ndarray
    copies: int
    episodes: int


@dataclass
class Recent:
    """Collects what :class:`Walked` is made from, ``MOST`` steps of it."""

    places: list[tuple[float, float]] = field(default_factory=list)
    spikes: list[np.ndarray] = field(default_factory=list)
    near: list[bool] = field(default_factory=list)
    copied_at: list[int] = field(default_factory=list)

    def take(
        self, step: int, place: tuple[float, float], spikes: np.ndarray, near: bool, copies: int
    ) -> None:
        """One step: ``spikes`` (P,), ``copies`` stored in it."""
        self.places.append(place)
        self.spikes.append(spikes)
        self.near.append(near)
        self.copied_at += [step] * copies
        for old in (self.places, self.spikes, self.near):
            del old[: max(0, len(old) - MOST)]
        self.copied_at = [at for at in self.copied_at if at > step - MOST]

    def __len__(self) -> int:
        return len(self.places)

    def walked(
        self, step: int, episodes: int, declared: Callable[[np.ndarray], np.ndarray]
    ) -> Walked:
        """What is looked at; ``declared`` gives the place cells' rates at places (T,2)."""
        places = np.array(self.places)
        return Walked(
            step, places, np.array(self.spikes), declared(places), np.array(self.near),
            len(self.copied_at), episodes,
        )  # fmt: skip


def findings(walked: Walked, get: Callable[[str], Any], usual: Mapping[str, Any]) -> list[Finding]:
    """What is wrong now; ``get`` gives a parameter in use, ``usual`` are the defaults."""
    rules = (stands, silent, noise, familiar, copies, empty)
    found = [rule(walked, get, usual) for rule in rules]
    return [one for one in found if one is not None]


def stands(walked: Walked, get: Callable[[str], Any], usual: Mapping[str, Any]) -> Finding | None:
    """An agent that stays where it is."""
    ways = np.hypot(*np.diff(walked.places, axis=0).T)
    ways = ways[ways < JUMP]
    speed = float(ways.mean() / DT_S) if len(ways) else 0.0
    if speed >= SLOW:
        return None
    return _found(
        walked, "arena_stands", "warning",
        f"mean speed {speed:.3f} m/s over {_seconds(walked)}; limit {SLOW:g}",
        ("slow", "At this pace the maps stay empty where the agent has not been."),
        {"speed": speed},
        [_back(get, usual, "agent.speed", "m/s", "the way spreads over the arena")],
    )  # fmt: skip


def silent(walked: Walked, get: Callable[[str], Any], usual: Mapping[str, Any]) -> Finding | None:
    """Place cells that do not fire in their fields."""
    inside = walked.declared > INSIDE
    owed, fired = float(walked.declared[inside].sum() * DT_S), int(walked.spikes[inside].sum())
    if owed < DUE or fired >= SILENT * owed:
        return None
    return _found(
        walked, "arena_silent", "warning",
        f"{fired} of {owed:.0f} spikes declared of place cells in their fields over "
        f"{_seconds(walked)}; limit {100 * SILENT:g} %",
        (
            "told_elsewhere",
            (
                "The cells are told a place where the agent is not: they fire elsewhere, and their "
                "maps wash out."
            ),
        ),
        {"fired": fired, "owed": owed, "blur": get("cells.blur")},
        [_back(get, usual, "cells.blur", "m", "the cells fire in their fields again")],
    )  # fmt: skip


def noise(walked: Walked, get: Callable[[str], Any], usual: Mapping[str, Any]) -> Finding | None:
    """Spikes outside every field."""
    outside = walked.declared < OUTSIDE
    if not outside.any():
        return None
    rate = float(walked.spikes[outside].mean() / DT_S)
    if rate <= NOISE:
        return None
    return _found(
        walked, "arena_noise", "warning",
        f"{rate:.1f} Hz where the declared rate is below {OUTSIDE:g} Hz; limit {NOISE:g}",
        ("background", "Spikes without reason lie over every map: a spike tells little of the place."),
        {"rate": rate, "background": get("cells.background")},
        [_back(get, usual, "cells.background", "Hz", "spikes tell the place again")],
    )  # fmt: skip


def familiar(walked: Walked, get: Callable[[str], Any], usual: Mapping[str, Any]) -> Finding | None:
    """A memory to which every place is a known one."""
    share = float(walked.near.mean())
    if share < FAMILIAR or not walked.episodes:
        return None
    return _found(
        walked, "arena_familiar", "warning",
        f"an episode at or above {get('recall.threshold'):g} in {100 * share:.0f} % of the steps; "
        f"limit {100 * FAMILIAR:g} %",
        ("too_easy", "What is always recalled tells nothing, and nothing new is stored any more."),
        {"share": share, "threshold": get("recall.threshold")},
        [_back(get, usual, path, "", "it recalls where it has been, and stores what is new")
         for path in ("recall.threshold", "recall.cue") if get(path) != usual[path]],
    )  # fmt: skip


def copies(walked: Walked, get: Callable[[str], Any], usual: Mapping[str, Any]) -> Finding | None:
    """The same thing stored again and again."""
    if walked.copies < COPIES:
        return None
    return _found(
        walked, "arena_copies", "warning",
        f"{walked.copies} episodes stored over {_seconds(walked)} at objects that had one; "
        f"limit {COPIES - 1}",
        (
            "not_known_again",
            "It does not know again what it has met: copies drive out what else the memory holds.",
        ),
        {"copies": walked.copies, "threshold": get("recall.threshold")},
        [_back(get, usual, path, "", "an object that is met again is recalled")
         for path in ("recall.threshold", "cells.blur", "recall.cue") if get(path) != usual[path]],
    )  # fmt: skip


def empty(walked: Walked, get: Callable[[str], Any], usual: Mapping[str, Any]) -> Finding | None:
    """Nothing that could be remembered."""
    if get("recall.objects") or walked.episodes:
        return None
    return _found(
        walked, "arena_empty", "note", "0 objects, 0 episodes",
        ("no_objects", "An episode is stored where the agent meets an object, and none lies there."),
        {"objects": 0, "episodes": 0},
        [_back(get, usual, "recall.objects", "", "an episode at the first object it meets")],
    )  # fmt: skip


def _back(
    get: Callable[[str], Any], usual: Mapping[str, Any], path: str, unit: str, expect: str
) -> Remedy:
    """Put ``path`` back to its default."""
    name, value = path.partition(".")[2], usual[path]
    label = f"Set {name} from {_text(get(path))} to {_text(value)} {unit}".strip()
    return Remedy(f"usual_{name}", label, [{"type": "set", "path": path, "value": value}], expect)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value).replace("_", " and ")


def _seconds(walked: Walked) -> str:
    return f"the last {len(walked.places) * DT_S:.0f} s"


def _found(
    walked: Walked, name: str, severity: Literal["note", "warning", "critical"], rule: str,
    cause: tuple[str, str], numbers: dict[str, float | None], remedies: list[Remedy],
) -> Finding:  # fmt: skip
    code, text = cause
    where = {"block": None, "stage": "arena", "group": ""}
    since = walked.step - len(walked.places)
    return Finding(
        name, severity, rule, {"code": code, "text": text}, numbers, remedies, since, where=where
    )
