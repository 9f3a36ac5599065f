"""One program a data folder: of two, each would write its files as if it were alone."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from t4dm.live import paths
from t4dm.live.lifeline import take_lock

NAME = "program.lock"


class FolderRefused(RuntimeError):
    """The data folder cannot be this program's; the text is one sentence."""


def hold(port: int) -> None:
    """Lock the data folder until this process ends, however it ends; its children do not hold it.

    Raises :class:`FolderRefused` where another program holds it, or nobody can.
    """
    try:
        path = paths.data_dir() / NAME
        fd = take_lock(path)
    except OSError as error:
        raise FolderRefused(
            f"Cannot use the data folder: {error.filename or 'its lock'}: {error.strerror};"
            " set T4DM_DATA_DIR to a folder that can be written and locked."
        ) from None
    if fd is None:
        raise FolderRefused(
            f"The data folder {path.parent} is in use by another t4dm{_holder(path)}, and two would lose"
            " each other's changes; stop that one, or set T4DM_DATA_DIR to another folder."
        )
    with contextlib.suppress(OSError):  # the disk is full: it is held all the same
        os.truncate(fd, 0)
        os.write(fd, json.dumps({"pid": os.getpid(), "port": port}).encode())


def _holder(path: Path) -> str:
    """Who says in the file that it holds it; empty where that cannot be read."""
    try:
        told = json.loads(path.read_text())
        return f" (process {told['pid']:d}, port {told['port']:d})"
    except (OSError, ValueError, TypeError, KeyError):
        return ""
