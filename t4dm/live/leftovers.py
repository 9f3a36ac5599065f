"""What killed programs leave in shared memory, and who still lives there.

Rings of one run directory share a folder (``t4dm.live.paths.ring_path``).  Its supervisor holds the
lock ``owner.lock`` in it as long as it lives; the kernel lets go of the lock with the process.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from t4dm.live import paths
from t4dm.live.lifeline import take_lock
from t4dm.live.ring_reader import RingReader

OWNER = "owner.lock"
_DRAFT = re.compile(r"\.(\d+)\.new$")


def is_alive(pid: int) -> bool:
    """Whether a process of that id runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def claim(run: Path) -> int | None:
    """Own the ring folder of ``run`` until this process ends; None where rings lie in ``run``."""
    folder = paths.ring_path(run, paths.DEFAULT_SESSION).parent
    if folder == run:
        return None
    return take_lock(paths.private_parent(folder / OWNER))


def release(run: Path) -> None:
    """Remove the ring folder of ``run`` with its lock, unless a ring is still in it."""
    folder = paths.ring_path(run, paths.DEFAULT_SESSION).parent
    if folder != run and folder.is_dir():
        _remove(folder)


def sweep(shared: Path) -> list[Path]:
    """Remove this user's ring folders of which no supervisor and no worker lives; returns them."""
    gone = []
    for folder in sorted(shared.glob(f"t4dm-{os.getuid()}-*")):
        try:
            if _is_abandoned(folder):
                for path in folder.glob("*.ring*"):
                    path.unlink(missing_ok=True)
                if _remove(folder):
                    gone.append(folder)
        except OSError:
            continue  # another sweep was faster, or it is not ours
    return gone


def _is_abandoned(folder: Path) -> bool:
    if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != os.getuid():
        return False
    if (folder / OWNER).exists():
        lock = take_lock(folder / OWNER)
        if lock is None:
            return False
        os.close(lock)
    return not any(_is_in_use(path) for path in folder.iterdir())


def _is_in_use(path: Path) -> bool:
    """Whether ``path`` is the ring of a live worker, or nothing of ours."""
    if path.name == OWNER:
        return False
    if draft := _DRAFT.search(path.name):
        return is_alive(int(draft[1]))
    return path.suffix != ".ring" or is_alive(RingReader(path).pid)


def _remove(folder: Path) -> bool:
    if any(path.name != OWNER for path in folder.iterdir()):
        return False
    (folder / OWNER).unlink(missing_ok=True)
    folder.rmdir()
    return True
