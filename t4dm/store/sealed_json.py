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

    Raises :class:`SealError` for a damaged file, :class:`NewerFormat` for one of a newer version,
    unless all but that number is of a version up to this: then it is what was altered.  OSError where
    there is none.
    """
    try:
        kept = json.loads(path.read_bytes())
        named, data, digest = kept["format"], kept.get("data"), kept.get("sha256")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SealError(f"{path.name} is damaged") from None
    if type(named) is int and named > version:
        if not any(digest == _digest(data, known) for known in range(1, version + 1)):
            raise NewerFormat(path.name, named, version)
    elif type(named) is int and "data" in kept and digest == _digest(data, named):
        return data
    raise SealError(f"{path.name} is damaged: its SHA-256 does not match")


def _digest(data: Any, version: int) -> str:
    text = json.dumps([version, data], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
