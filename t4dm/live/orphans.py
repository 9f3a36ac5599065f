"""What killed writers left in the data directory, removed when the program starts.

A worker sweeps the folder of its own session; this is for all that belongs to no worker.  The folder
of a session that cannot be read, or that a newer version wrote, is left as it is.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

from t4dm.live.registry import Registry
from t4dm.store.files import sweep

SHARED = ("uploads", "sets", "clinic")
WRITING_S = 60.0  # a temporary file that is older is not being written any more


def sweep_data(data: Path, running: Collection[str]) -> list[Path]:
    """Remove temporary files nobody writes, and folders of sessions that were never created.

    ``running`` are sessions whose folder stays whatever it holds.  Returns what was removed; raises
    OSError.
    """
    before = time.time() - WRITING_S
    gone = Registry(data).sweep(running, before)
    for folder in (data, *(data / name for name in SHARED)):
        gone += sweep(folder, before)
    return gone
