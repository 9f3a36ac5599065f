"""The one durable-file writer: a reader finds the old file or the new one, never half of either.

``T4DM_CRASH_AT=n`` ends the process at the n-th write, fsync or rename, and ``T4DM_FULL_AT=n-m``
has the disk full from the n-th to the m-th, which is how the tests prove that sentence.  Without
these settings nothing of it happens.
"""

from __future__ import annotations

import errno
import itertools
import math
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
            fault_point()
            file.write(data[half:])
            file.flush()
            fault_point()
            os.fsync(file.fileno())
        fault_point()
        os.replace(temporary, path)
        fault_point()
        sync_folder(path.parent)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def append_durable(fd: int, data: bytes) -> None:
    """Append ``data`` to the open file ``fd`` and sync it; raises OSError."""
    view = memoryview(data)
    while view:
        fault_point()
        view = view[os.write(fd, view) :]
    fault_point()
    os.fsync(fd)
    fault_point()


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` survive a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sweep(folder: Path, before: float = math.inf) -> list[Path]:
    """Remove temporary files that a killed writer left in ``folder``; returns them.

    ``before``: only those last written before that time (s since 1970), where others may be
    writing now.
    """
    orphans = [path for path in sorted(folder.glob(f"*{TEMPORARY}")) if _is_left(path, before)]
    for orphan in orphans:
        orphan.unlink(missing_ok=True)
    return orphans


def _is_left(path: Path, before: float) -> bool:
    try:
        return path.is_file() and path.stat().st_mtime < before
    except FileNotFoundError:
        return False  # its writer was done with it


def fault_point() -> None:
    """End the process here, or find the disk full, where the environment names this operation."""
    crash, full = os.environ.get("T4DM_CRASH_AT"), os.environ.get("T4DM_FULL_AT")
    if not (crash or full):
        return
    now = next(_operations)
    if crash and now == int(crash):
        os.kill(os.getpid(), signal.SIGKILL)
    if full:
        first, _, last = full.partition("-")
        if int(first) <= now <= int(last or first):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
