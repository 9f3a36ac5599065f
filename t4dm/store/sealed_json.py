"""Small JSON files with their own SHA-256: ``{"format", "sha256", "data"}``, written durably.

A bit flipped in a number would else be another number.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from t4dm.store.files import write_durable
from t4dm.store.sealed import NewerFormat, SealError


def write_json(path: Path, data: Any, version: int) -> None:
    """Write ``data`` (plain JSON data) as format ``version``; raises OSError."""
    head = {"format": version, "sha256": _digest(data, version), "data": data}
    write_durable(path, json.dumps(head, allow_nan=False, sort_keys=True).encode())


def read_json(path: Path, version: int) -> Any:
    """The data of a file of format ``version``.

    Raises :class:`SealError` for a damaged file, :class:`NewerFormat` for a whole one of a newer
    version, OSError where there is none.
    """
    try:
        kept = json.loads(path.read_bytes())
        named, data, digest = kept["format"], kept["data"], kept["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SealError(f"{path.name} is damaged") from None
    if not isinstance(named, int) or digest != _digest(data, named):
        raise SealError(f"{path.name} is damaged: its SHA-256 does not match")
    if named > version:
        raise NewerFormat(path.name, named, version)
    return data


def _digest(data: Any, version: int) -> str:
    text = json.dumps([version, data], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
