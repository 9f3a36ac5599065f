"""Sealed files: one line of JSON (format, version, size, SHA-256, meta), then arrays without pickle.

Libraries load bit-flipped arrays silently; the seal is ours and covers header and data alike.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from t4dm.store.files import write_durable

FORMAT_VERSION = 1
HEADER_LIMIT = 4 * 2**20


class SealError(ValueError):
    """A sealed file that is torn, altered, of another kind or of a version not read any more."""


class NewerFormat(Exception):
    """A file that a newer version of this program wrote; it is left as it is."""

    def __init__(self, name: str, version: int, ours: int) -> None:
        super().__init__(
            f"{name} has format {version} and this version reads up to {ours}: it was written by a "
            "newer version and is left untouched; use that version, or set T4DM_DATA_DIR elsewhere"
        )


def write_sealed(
    path: Path, kind: str, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write ``arrays`` and ``meta`` (plain JSON data) durably; raises OSError."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **dict(arrays))  # type: ignore[arg-type]
    data = buffer.getbuffer()
    text = json.dumps(meta, allow_nan=False)
    head = {
        "kind": kind,
        "format_version": FORMAT_VERSION,
        "size": len(data),
        "sha256": _digest(kind, text, data),
        "meta": text,
    }
    write_durable(path, json.dumps(head).encode() + b"\n" + data)


def read_sealed(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """``(meta, arrays)``; raises :class:`SealError` if one bit differs, OSError if unreadable.

    Raises :class:`NewerFormat` where the header names the kind and a newer version, unless all else is
    of this version: then that number is what was altered.
    """
    with open(path, "rb") as file:
        line, data = file.readline(HEADER_LIMIT), file.read()
    head = _header(line)
    named, version = head.get("kind"), head.get("format_version")
    text, size, digest = head.get("meta"), head.get("size"), head.get("sha256")
    whole = isinstance(text, str) and size == len(data)
    ours = whole and digest == _digest(kind, str(text), data)
    if named == kind and type(version) is int and version > FORMAT_VERSION and not ours:
        raise NewerFormat(path.name, version, FORMAT_VERSION)  # whatever else its format changed
    if not head:
        raise SealError(f"{path.name} has no readable header")
    if (named, version) != (kind, FORMAT_VERSION):
        raise SealError(f"{path.name} is {named} version {version}, not {kind} {FORMAT_VERSION}")
    if not ours:
        raise SealError(f"{path.name} is damaged: its SHA-256 or size does not match")
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return json.loads(str(text)), {name: archive[name] for name in archive.files}


def _header(line: bytes) -> dict[str, Any]:
    """The header's fields; none where it is no JSON object."""
    try:
        head = json.loads(line)
    except ValueError:
        return {}
    return head if isinstance(head, dict) else {}


def _digest(kind: str, text: str, data: bytes | memoryview) -> str:
    seal = hashlib.sha256(f"{kind}\n{FORMAT_VERSION}\n{text}\n".encode())
    seal.update(data)
    return seal.hexdigest()
