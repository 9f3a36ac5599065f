"""The text and the vocabulary that come with the program; see the notes beside the files.

Both are read with the standard library's ``lzma``; nothing is fetched.
"""

from __future__ import annotations

import hashlib
import lzma
from importlib.resources import files

from t4dm.training.tokenizer import LearnedTokenizer

TEXT_SHA256 = "8b52fe22bc795a98dd1a01abdb25ecfda689f58c3cadc10b3e1a7e05a1e11feb"


def american_standard_version() -> str:
    """The American Standard Version of 1901, 4.15 million characters (public domain).

    Raises ValueError where the file is not the one it should be.
    """
    raw = _unpacked("texts", "asv.txt.xz")
    if hashlib.sha256(raw).hexdigest() != TEXT_SHA256:
        raise ValueError("texts/asv.txt.xz is damaged: its SHA-256 is not the recorded one")
    return raw.decode()


def vocabulary_of_32000() -> LearnedTokenizer:
    """The 32,000 tokens that the package ``mistral-common`` ships (Apache-2.0)."""
    return LearnedTokenizer(_unpacked("vocabularies", "mistral_v1.json.xz").decode())


def _unpacked(folder: str, name: str) -> bytes:
    return lzma.decompress((files("t4dm.training") / folder / name).read_bytes())
