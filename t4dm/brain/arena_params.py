"""Parameters of the agent in the arena, its cells and its episodes.  Rules: ``docs/brain.md``; no torch."""

from __future__ import annotations

from typing import ClassVar, Literal

from t4dm.params import Params, param

DT_S = 0.04  # one step: a frame of a camera of 25 Hz
OBJECTS = ("lamp", "bell", "cup", "stone", "mirror", "clock", "feather", "key", "shell", "drum")


class AgentParams(Params):
    """How the agent runs, and how fast its time goes by."""

    group: ClassVar[str] = "agent"
    title: ClassVar[str] = "Agent"

    speed: float = param(0.2, 0.01, 1.0, unit="m/s", log=True, help="Mean running speed.")
    turning: float = param(
        200.0, 0.0, 720.0, unit="deg/s", help="Spread (sd) of the turning rate; 0 runs straight."
    )
    pace: float = param(
        5.0, 0.1, 20.0, log=True, help="Simulated seconds a second of the clock.", label="time"
    )


class CellParams(Params):
    """What keeps the cells from firing at their declared rates."""

    group: ClassVar[str] = "cells"
    title: ClassVar[str] = "Cells"

    background: float = param(
        0.2, 0.0, 20.0, unit="Hz", help="Firing of every cell that has no reason in place or time."
    )
    blur: float = param(
        0.0, 0.0, 0.5, unit="m", help="Spread (sd) of the place that place and grid cells are told."
    )


class RecallParams(Params):
    """When an episode is stored, and when it comes back."""

    group: ClassVar[str] = "recall"
    title: ClassVar[str] = "Episodes"

    objects: int = param(6, 0, len(OBJECTS), help="Objects that lie in the arena.")
    threshold: float = param(
        0.85, 0.0, 1.0, step=0.01, help="Similarity from which on an episode is recalled."
    )
    cue: Literal["where", "when", "where_when"] = param(
        "where", help="What recalls: the place, the time in the episode, or both."
    )
    length: float = param(
        10.0, 1.0, 20.0, unit="s", help="Time after which the next episode begins."
    )


ARENA_GROUPS: tuple[type[Params], ...] = (AgentParams, CellParams, RecallParams)
