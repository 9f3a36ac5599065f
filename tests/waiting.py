"""Waiting for what other processes and threads do: until it is there, never for a fixed time.

The limit says only when a test gives up.  It is far longer than a slow and busy machine needs, and costs
nothing where the awaited thing comes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_S = 150.0
T = TypeVar("T")


def eventually(
    found: Callable[[], T | None],
    what: str = "the condition",
    patience_s: float = PATIENCE_S,
    every_s: float = 0.02,
) -> T:
    """The first true value of ``found()``; AssertionError naming ``what`` after ``patience_s``."""
    end = time.monotonic() + patience_s
    while not (value := found()):
        assert time.monotonic() < end, f"{what} did not come within {patience_s:g} s"
        time.sleep(every_s)
    return value
