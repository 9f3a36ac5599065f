"""Sessions of kind ``brain``: a brain that reads; options and parameters, without torch."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from t4dm.brain.reading_params import READING_GROUPS
from t4dm.live.kinds import Kind

WORKER_BYTES = (
    560 << 20
)  # a worker with torch; counting the words of its text takes 150 MB for a while


class BrainOptions(BaseModel):
    """A brain has its seed and its parameters, and no options."""

    model_config = ConfigDict(extra="forbid")


def _defaults(options: dict[str, Any]) -> dict[str, Any]:
    return {}


def _bytes(options: dict[str, Any]) -> int:
    return WORKER_BYTES


KIND = Kind(
    name="brain",
    title="A brain that reads",
    engine="t4dm.live.brain_engine:BrainEngine",
    page="/brain",
    options=BrainOptions,
    groups=READING_GROUPS,
    defaults=_defaults,
    bytes=_bytes,
    commands=("read", "outcome"),
)
