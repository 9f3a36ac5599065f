"""Prosody read off the text itself: four numbers a token, each from that token and what came before.

    emphasis   1 at "!", else the share of capitals in the word so far, from its second capital on
    question   +1 at "?", -1 at "!", fading by 0.8 a token
    boundary   1 at the end of a sentence or a blank line, 0.5 at , ; : or a line's end, else 0
    length     log(1 + letters of the word so far) / log(17), at most 1
Nothing looks ahead, so a row never tells the next token.  Punctuation as written prosody: Chafe 1988.
Not a hash, not noise: equal texts give equal rows, however they are cut into calls.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from t4dm.hippocampal.params import PROSODY

FADE = 0.8
LONG_WORD = 16
STOPS, PAUSES = ".!?", ",;:\n"


class ProsodyState(NamedTuple):
    """What the next token needs: the word so far, the fading question, the last character."""

    letters: int = 0
    capitals: int = 0
    question: float = 0.0
    last: str = ""


def read_piece(
    piece: str, state: ProsodyState
) -> tuple[tuple[float, float, float, float], ProsodyState]:
    """The four numbers of one token's text, and the state after it."""
    letters, capitals, question, last = state
    question *= FADE
    emphasis = boundary = 0.0
    for char in piece:
        if char.isalpha():
            if not last.isalpha():
                letters = capitals = 0
            letters += 1
            capitals += char.isupper()
        elif char in STOPS or (char == "\n" and last == "\n"):
            boundary = 1.0
        elif char in PAUSES:
            boundary = max(boundary, 0.5)
        if char == "?":
            question = 1.0
        elif char == "!":
            question, emphasis = -1.0, 1.0
        last = char
    in_word = last.isalpha()
    if in_word and capitals >= 2:
        emphasis = max(emphasis, capitals / letters)
    length = min(1.0, math.log1p(letters) / math.log1p(LONG_WORD)) if in_word else 0.0
    return (emphasis, question, boundary, length), ProsodyState(letters, capitals, question, last)


def prosody_of(
    pieces: Iterable[str], state: ProsodyState | None = None
) -> tuple[np.ndarray, ProsodyState]:
    """(T, 4) float32 for the texts of T tokens, columns as ``PROSODY``; and the state after them."""
    state = state or ProsodyState()
    rows = []
    for piece in pieces:
        row, state = read_piece(piece, state)
        rows.append(row)
    return np.array(rows, dtype=np.float32).reshape(-1, len(PROSODY)), state
