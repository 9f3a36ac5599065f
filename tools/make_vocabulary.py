"""Write the 32,000-token vocabulary as Hugging Face ``tokenizers`` reads it.

    pip download --no-deps mistral-common==1.13.1
    python -m tools.make_vocabulary mistral_common-1.13.1-py3-none-any.whl

The wheel ships a SentencePiece model (BPE with byte fallback).  Its pieces, with a blank for the
mark of one (U+2581), become the vocabulary; its merges follow from the pieces: a pair is merged in
the order of the score of what it makes.  No blank is put before a text and nothing is normalised,
so every text comes back exactly; what has no piece of its own goes as its bytes.
SentencePiece: Kudo & Richardson 2018.  Wire format: the Protocol Buffers encoding guide.
"""

from __future__ import annotations

import argparse
import json
import lzma
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

VOCABULARIES = Path(__file__).resolve().parent.parent / "t4dm" / "training" / "vocabularies"
MEMBER = "mistral_common/data/tokenizer.model.v1"
BLANK = "\u2581"
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
PIECES, TEXT, SCORE, KIND = 1, 1, 2, 3  # field numbers of ModelProto and of its SentencePiece
NORMAL = 1


class Piece(NamedTuple):
    """``kind`` 1 is an ordinary piece; others are <unk>, control and byte pieces."""

    text: str
    score: float
    kind: int


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at ``at``, and where the next thing begins."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) of every field of a message.  Raises ValueError for an unknown type."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = varint(data, at)
            yield number, value
            continue
        if wire == BYTES:
            size, at = varint(data, at)
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire} at byte {at}")
        yield number, data[at : at + size]
        at += size


def pieces(model: bytes) -> list[Piece]:
    """The pieces of a SentencePiece model in the order of their ids."""
    found = []
    for number, value in fields(model):
        if number == PIECES and isinstance(value, bytes):
            parts: dict[int, Any] = {TEXT: b"", SCORE: b"\0\0\0\0", KIND: NORMAL}
            parts |= dict(fields(value))
            (score,) = struct.unpack("<f", parts[SCORE])
            found.append(Piece(parts[TEXT].decode(), score, parts[KIND]))
    return found


def merges(known: dict[str, float]) -> list[tuple[str, str]]:
    """Every pair of pieces that makes a piece, best score first; ties in the order of the left part."""
    order = {text: place for place, text in enumerate(known)}
    pairs = [
        (-score, order[text[:cut]], order[text[cut:]], text[:cut], text[cut:])
        for text, score in known.items()
        for cut in range(1, len(text))
        if text[:cut] in known and text[cut:] in known
    ]
    return [(left, right) for *_, left, right in sorted(pairs)]


def definition(found: list[Piece]) -> dict[str, object]:
    """The vocabulary in the JSON form of ``tokenizers``."""
    turned = [p._replace(text=p.text.replace(BLANK, " ")) for p in found]
    normal = {p.text: p.score for p in turned if p.kind == NORMAL}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": {p.text: place for place, p in enumerate(turned)},
            "merges": merges(normal),
        },
    }


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("wheel", type=Path)
    with zipfile.ZipFile(ask.parse_args().wheel) as wheel:
        made = definition(pieces(wheel.read(MEMBER)))
    raw = json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()
    path = VOCABULARIES / "mistral_v1.json.xz"
    path.write_bytes(lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME))
    sys.stdout.write(f"{len(raw)} bytes, {path.stat().st_size} compressed\n")


if __name__ == "__main__":
    main()
