"""What a session, or a kept checkpoint, keeps of the request that made it: the mark of its key.

A request that is sent again after a kill, before any log told of the first, finds by it what the first
one made.  The mark is in the file itself, so that it is there exactly if that is.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from t4dm.params import ParamError


class KeyReused(ParamError):
    """A key under which something else was asked for."""

    code = "key_reused"


def mark(scope: Any, key: str, body: Any) -> str:
    """The mark of the request ``body`` with ``key``, which is one among those of ``scope``.

    Both are JSON data; empty where the request has no key.
    """
    return f"{_digest([scope, key])}.{_digest(body)}" if key else ""


def same_key(one: str, other: str) -> bool:
    """Whether two marks are of requests with the same key."""
    return one != "" and one.partition(".")[0] == other.partition(".")[0]


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
