"""Remedies in the words of the command road: put back what differs, or move one value."""

from __future__ import annotations

from collections.abc import Iterable

from t4dm.health.evidence import Evidence, Place
from t4dm.health.finding import Command, Remedy

RESET: Command = {"type": "reset", "seed": None}
RUN: Command = {"type": "run"}


def changed(ev: Evidence, paths: Iterable[str]) -> list[Command]:
    """Clear commands for those of ``paths`` that are not at their default."""
    return [{"type": "clear", "path": path} for path in paths if ev.changed(path)]


def lif_paths(names: Iterable[str], places: Iterable[Place]) -> list[str]:
    """The paths that may hold a LIF parameter of these stages, narrow ones first."""
    found: list[str] = []
    for name in names:
        for place in places:
            found += [
                f"blocks.{place.block}.{place.stage}.{name}",
                f"blocks.{place.block}.lif.{name}",
            ]
        found.append(f"lif.{name}")
    return list(dict.fromkeys(found))


def back(ev: Evidence, id: str, paths: Iterable[str], expect: str, what: str) -> list[Remedy]:
    """The remedy that puts ``paths`` back to their defaults; none where all stand there."""
    commands = changed(ev, paths)
    if not commands:
        return []
    return [Remedy(id, f"Put {what} back", tuple(commands), expect)]


def put(id: str, path: str, value: float, label: str, expect: str) -> Remedy:
    """The remedy that sets one value."""
    return Remedy(id, label, ({"type": "set", "path": path, "value": value},), expect)
