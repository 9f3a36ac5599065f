"""The commands of ``POST /sessions/{name}/commands`` by name, for the pages: what each does and takes."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.api.reference import Field, fields_of
from t4dm.commands import COMMAND_TYPES, RUN_COMMAND_TYPES
from t4dm.live.kinds import SPIKING, kinds

LISTED_WITH = "post_commands"  # the operation that the pages list them with


@dataclass(frozen=True, slots=True)
class DescribedCommand:
    """One command and the kinds of sessions that take it."""

    name: str
    words: str
    taken_by: str
    fields: list[Field]


def described_commands() -> list[DescribedCommand]:
    """Every command, those of the spiking board first."""
    found = []
    for name, model in (COMMAND_TYPES | RUN_COMMAND_TYPES).items():
        schema = model.model_json_schema()
        fields = [field for field in fields_of({}, schema) if field.name != "type"]
        words = " ".join(schema["description"].split())
        found.append(DescribedCommand(name, words, _taken_by(name), fields))
    return found


def _taken_by(name: str) -> str:
    own = [kind.name for kind in kinds().values() if name in kind.commands]
    everywhere = [*kinds()] if name in RUN_COMMAND_TYPES else []
    board = [SPIKING] if name in COMMAND_TYPES else []
    takers = board + (own or everywhere)
    return "all" if len(takers) == 1 + len(kinds()) else ", ".join(takers)
