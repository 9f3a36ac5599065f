"""The one durable-file writer: a reader finds the old file or the new one, never half of either.

``T4DM_CRASH_AT=n`` ends the process at the n-th write, fsync or rename, which is how the tests
prove that sentence.
"""

from __future__ import annotations

import itertools
import os
import signal
from pathlib import Path

TEMPORARY = ".tmp"
_operations = itertools.count(1)


def write_durable(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write ``data`` to a temporary file, sync it, rename it to ``path``, sync the folder.

    Raises OSError (a full disk, say) and then leaves ``path`` as it was.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        with open(temporary, "wb", opener=lambda p, flags: os.open(p, flags, mode)) as file:
            half = len(data) // 2
            file.write(data[:half])
            file.flush()
            crash_point()
            file.write(data[half:])
            file.flush()
            crash_point()
            os.fsync(file.fileno())
        crash_point()
        os.replace(temporary, path)
        crash_point()
        sync_folder(path.parent)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def append_durable(fd: int, data: bytes) -> None:
    """Append ``data`` to the open file ``fd`` and sync it; raises OSError."""
    view = memoryview(data)
    while view:
        crash_point()
        view = view[os.write(fd, view) :]
    crash_point()
    os.fsync(fd)
    crash_point()


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` survive a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sweep(folder: Path) -> list[Path]:
    """Remove temporary files that a killed writer left in ``folder``; returns them."""
    orphans = sorted(folder.glob(f"*{TEMPORARY}"))
    for orphan in orphans:
        orphan.unlink(missing_ok=True)
    return orphans


def crash_point() -> None:
    """End the process here if ``T4DM_CRASH_AT`` names this operation."""
    at = os.environ.get("T4DM_CRASH_AT")
    if at and next(_operations) == int(at):
        os.kill(os.getpid(), signal.SIGKILL)
