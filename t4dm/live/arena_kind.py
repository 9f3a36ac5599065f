"""Sessions of kind ``arena``: an agent that walks and remembers; options and parameters, without torch."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from t4dm.brain.arena_params import ARENA_GROUPS
from t4dm.live.kinds import Kind

WORKER_BYTES = 400 << 20  # a worker with torch; the arena itself has less than 1 MB


class ArenaOptions(BaseModel):
    """An arena has its seed and its parameters, and no options."""

    model_config = ConfigDict(extra="forbid")


def _defaults(options: dict[str, Any]) -> dict[str, Any]:
    return {}


def _bytes(options: dict[str, Any]) -> int:
    return WORKER_BYTES


KIND = Kind(
    name="arena",
    title="Memory of an agent in an arena",
    engine="t4dm.live.arena_engine:ArenaEngine",
    page="/memory",
    options=ArenaOptions,
    groups=ARENA_GROUPS,
    defaults=_defaults,
    bytes=_bytes,
    commands=("put", "recall"),
)
