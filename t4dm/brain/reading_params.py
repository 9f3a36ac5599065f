"""Parameters of a brain that reads.  Rules: ``docs/brain.md``; no torch here."""

from __future__ import annotations

from typing import ClassVar

from t4dm.params import Params, param

MAX_TEXT = 600
EXAMPLE = (
    "The king was glad, and there was JOY in the city! But the enemy came by night with sword and fire. "
    "Why did the people weep? The morning brought peace."
)  # fmt: skip


class ReadingParams(Params):
    """What is read, and how fast."""

    group: ClassVar[str] = "reading"
    title: ClassVar[str] = "Reading"

    text: str = param(
        EXAMPLE, max_length=MAX_TEXT, help="Text to read, from its first word; 600 characters."
    )
    pace: float = param(
        4.0, 0.2, 50.0, unit="1/s", log=True, help="Words and marks a second of the clock."
    )


class FeelingParams(Params):
    """What moves the brain while it reads."""

    group: ClassVar[str] = "feelings"
    title: ClassVar[str] = "Feelings"

    gain: float = param(
        1.0, 0.0, 3.0, help="Factor on what the amygdala has learnt; 0: no valence."
    )
    emphasis: bool = param(True, help="Capitals and exclamation marks stir.")
    dopamine: float = param(0.5, 0.0, 1.0, help="Tonic dopamine; valence moves it around this.")
    rate: float = param(
        0.5, 0.0, 1.0, help="How much of its error the amygdala learns from an outcome."
    )


READING_GROUPS: tuple[type[Params], ...] = (ReadingParams, FeelingParams)
