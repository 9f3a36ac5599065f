"""What is wrong with a brain that reads, off the words of one reading: pure functions, numpy only.

nobody      no region is let through at 60 % of the last twenty words, or more
everybody   every region is let through, more than half of it, at 60 % of them or more
numb        no known word moves valence by 0.02 or more, six known words or more
strange     more than 60 % of the words are not in the vocabulary, eight words or more
cut         the text has more words and marks than one reading takes
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from t4dm.training.findings import Finding
from t4dm.training.remedies import Remedy

LEAST = 12  # words and marks that are looked at, or the whole text where it is shorter
LAST, OFTEN = 20, 0.6  # words and marks; share of them
SHUT, OPEN = 0.01, 0.5
NUMB, NUMB_WORDS = 0.02, 6
STRANGE, STRANGE_WORDS = 0.6, 8

RULES: dict[str, tuple[str, str]] = {
    "brain_nobody": (
        "Nobody acts",
        f"no region is let through at {100 * OFTEN:g} % of the last {LAST} words or more",
    ),
    "brain_everybody": (
        "Everybody acts",
        f"every region is let through by half at {100 * OFTEN:g} % of the last {LAST} words or more",
    ),
    "brain_numb": (
        "Numb",
        f"no known word moves valence by {NUMB:g}, {NUMB_WORDS} known words or more",
    ),
    "brain_strange": (
        "Strange words",
        f"more than {100 * STRANGE:g} % of the words are not in the vocabulary",
    ),
    "brain_cut": ("Text cut short", "more words and marks than one reading takes"),
}


@dataclass(frozen=True)
class Heard:
    """What was read since the text or a parameter changed: ``valence`` (N,), ``release`` (N,R), ``kinds``.

    ``text_kinds`` are those of the whole text, as far as it is read, which is ``readable``;
    ``left_out`` are the words and marks after it; ``begun``: the session's step at the first word.
    """

    kinds: list[str]
    valence: np.ndarray
    release: np.ndarray
    text_kinds: list[str]
    left_out: int
    readable: str
    begun: int


def findings(heard: Heard, get: Callable[[str], Any], usual: Mapping[str, Any]) -> list[Finding]:
    """What is wrong now; ``get`` gives a parameter in use, ``usual`` are the defaults."""
    found = [rule(heard, get, usual) for rule in (nobody, everybody, numb, strange, cut)]
    return [one for one in found if one is not None]


def nobody(heard: Heard, get: Callable[[str], Any], usual: Mapping[str, Any]) -> Finding | None:
    """Basal ganglia that let nothing through."""
    last = heard.release[-LAST:]
    share = float((last.max(1) < SHUT).mean())
    if len(last) < LEAST or share < OFTEN:
        return None
    return _found(
        heard, "brain_nobody", "warning",
        f"no region is let through at {100 * share:.0f} % of the last {len(last)} words; limit "
        f"{100 * OFTEN:g} %",
        ("low_dopamine", "Without dopamine the indirect pathway wins: every region is held back."),
        {"share": share, "dopamine": get("feelings.dopamine")},
        [_back(get, usual, "feelings.dopamine", "the strongest vote is let through")],
    )  # fmt: skip


def everybody(heard: Heard, get: Callable[[str], Any], usual: Mapping[str, Any]) -> Finding | None:
    """Basal ganglia that choose nothing."""
    last = heard.release[-LAST:]
    share = float((last.min(1) > OPEN).mean())
    if len(last) < LEAST or share < OFTEN:
        return None
    return _found(
        heard, "brain_everybody", "warning",
        f"every region is let through by half at {100 * share:.0f} % of the last {len(last)} words; "
        f"limit {100 * OFTEN:g} %",
        ("high_dopamine", "So much dopamine lets the direct pathway win everywhere: nothing is chosen."),
        {"share": share, "dopamine": get("feelings.dopamine")},
        [_back(get, usual, "feelings.dopamine", "weak votes are held back")],
    )  # fmt: skip


def numb(heard: Heard, get: Callable[[str], Any], usual: Mapping[str, Any]) -> Finding | None:
    """An amygdala that nothing moves."""
    known = np.array([kind == "known" for kind in heard.kinds], bool)
    felt = np.abs(heard.valence[known])
    if len(felt) < NUMB_WORDS or felt.max() >= NUMB:
        return None
    return _found(
        heard, "brain_numb", "warning",
        f"largest valence of {len(felt)} known words {felt.max():.3f}; limit {NUMB:g}",
        ("no_gain", "What the amygdala has learnt is not let into what it feels."),
        {"largest": float(felt.max()), "gain": get("feelings.gain")},
        [_back(get, usual, "feelings.gain", "good and bad words are told apart")],
    )  # fmt: skip


def strange(heard: Heard, get: Callable[[str], Any], usual: Mapping[str, Any]) -> Finding | None:
    """A text of words that it never met."""
    words = [kind for kind in heard.text_kinds if kind != "mark"]
    share = sum(kind == "unknown" for kind in words) / max(1, len(words))
    if len(words) < STRANGE_WORDS or share <= STRANGE:
        return None
    return _found(
        heard, "brain_strange", "note",
        f"{100 * share:.0f} % of {len(words)} words not in the vocabulary; limit {100 * STRANGE:g} %",
        (
            "unknown_words",
            ("A word that it never met has a vector drawn by its letters, and is neutral until it has "
            "led to something."),
        ),
        {"share": share, "words": len(words)},
        [_back(get, usual, "reading.text", "words that it knows", "Read the example")],
    )  # fmt: skip


def cut(heard: Heard, get: Callable[[str], Any], usual: Mapping[str, Any]) -> Finding | None:
    """A text that is not read to its end."""
    if not heard.left_out:
        return None
    keep = {"type": "set", "path": "reading.text", "value": heard.readable}
    return _found(
        heard, "brain_cut", "note", f"{heard.left_out} words and marks at the end are not read",
        (
            "too_long",
            f"One reading takes {len(heard.text_kinds)} words and marks, so that each has its column.",
        ),
        {"left_out": heard.left_out},
        [Remedy("shorten", "Keep what is read", [keep], "the text ends where the reading ends")],
    )  # fmt: skip


def _back(
    get: Callable[[str], Any], usual: Mapping[str, Any], path: str, expect: str, label: str = ""
) -> Remedy:
    """Put ``path`` back to its default."""
    name, value = path.partition(".")[2], usual[path]
    label = label or f"Set {name} from {get(path):g} to {value:g}"
    return Remedy(f"usual_{name}", label, [{"type": "set", "path": path, "value": value}], expect)


def _found(
    heard: Heard, name: str, severity: Literal["note", "warning", "critical"], rule: str,
    cause: tuple[str, str], numbers: dict[str, float | None], remedies: list[Remedy],
) -> Finding:  # fmt: skip
    code, text = cause
    where = {"block": None, "stage": "brain", "group": ""}
    return Finding(
        name, severity, rule, {"code": code, "text": text}, numbers, remedies, heard.begun,
        where=where,
    )  # fmt: skip
