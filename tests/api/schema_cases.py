"""What schemathesis drew, made to fit the run that is asked: the document cannot say what a run holds.

It says how a time, a block, a neuron or a name is written; whether this session has that one is the
session's own matter, and answered 404, 409, 416 or 422.  So of what was drawn only such values are
changed, by a remainder, and the rest is sent as drawn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

BLOCKS, GROUPS, NEURONS = 6, 12, 3072
A_BLOCK = ("layer", "gate_block", "weights_block", "attention_block")


@dataclass(frozen=True)
class Run:
    """The session ``default`` about step ``now``, and a kept set; both are there."""

    now: int
    session: str = "default"
    kept: str = "kept"

    def fit(self, case: Any) -> None:
        """Change ``case`` such that what it names is there."""
        if "name" in (case.path_parameters or {}):
            of_sets = case.operation.path.startswith("/sets/")
            case.path_parameters["name"] = self.kept if of_sets else self.session
        query = case.query or {}
        if "session_id" in query:
            query["session_id"] = self.session
        if query:
            case.query = self._times(_places(dict(query)))

    def _times(self, query: dict[str, Any]) -> dict[str, Any]:
        """Within the last second, the begin before the end, and one begin."""
        if "from_ms" in query:
            query.pop("last_ms", None)
            query["from_ms"] = self.now - 500 + float(query["from_ms"]) % 100
        if "to_ms" in query:
            query["to_ms"] = self.now - 300 + float(query["to_ms"]) % 100
        return query


def _places(query: dict[str, Any]) -> dict[str, Any]:
    for name in A_BLOCK:
        if name in query:
            query[name] = int(query[name]) % BLOCKS
    for name in ("neurons", "rows", "membrane"):
        if name in query:
            query[name] = _neurons(name, str(query[name]))
    if not str(query.get("neurons", "1")).isdecimal():
        query.pop("layer", None)  # goes with a number of neurons alone
    return query


def _neurons(name: str, text: str) -> str:
    kind, colon, number = text.rpartition(":")
    if colon:
        most = {"stage": GROUPS, "block": BLOCKS}.get(kind)
        return text if most is None else f"{kind}:{int(number) % most}"
    if name == "neurons" and text.isdecimal():
        return text  # how many
    return re.sub(r"[0-9]+", lambda found: str(int(found.group()) % NEURONS), text)
