"""Where a session's files live.  Run directory: sockets and live files; data directory: what stays."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

import platformdirs

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
SOCKET_PATH_LIMIT = 103  # bytes that fit a Unix socket address on Linux (107) and macOS (103)
SHARED_MEMORY = Path("/dev/shm")
DEFAULT_SESSION = "default"


def checked_name(name: str) -> str:
    """``name`` if it may name a session or a file; raises ValueError if not."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(
            f"{str(name)[:40]!r} is no name: 1 to 64 letters, digits, _ or -, not starting with _ or -"
        )
    return name


def run_dir() -> Path:
    """``T4DM_RUN_DIR``, else one folder a user and port under the temporary directory; 0700."""
    given = os.environ.get("T4DM_RUN_DIR")
    port = os.environ.get("PORT", "8000")
    base = Path(given) if given else Path(tempfile.gettempdir()) / f"t4dm-{os.getuid()}" / port
    return _private(base)


def data_dir() -> Path:
    """``T4DM_DATA_DIR``, else the user's data folder of the platform; 0700."""
    given = os.environ.get("T4DM_DATA_DIR")
    return _private(Path(given) if given else platformdirs.user_data_path("t4dm"))


def socket_path(run: Path, session: str) -> Path:
    """The command socket; raises ValueError where its path is too long for a Unix socket."""
    path = run / f"{checked_name(session)}.sock"
    length = len(os.fsencode(path))
    if length > SOCKET_PATH_LIMIT:
        raise ValueError(
            f"{path} is {length} bytes long and a Unix socket takes {SOCKET_PATH_LIMIT}: "
            "set T4DM_RUN_DIR to a shorter path"
        )
    return path


def ring_path(run: Path, session: str) -> Path:
    """The ring file, in shared memory where the platform has it, else in the run directory."""
    name = f"{checked_name(session)}.ring"
    if not (SHARED_MEMORY.is_dir() and os.access(SHARED_MEMORY, os.W_OK)):
        return run / name
    digest = hashlib.sha256(os.fsencode(run.resolve())).hexdigest()[:12]
    return SHARED_MEMORY / f"t4dm-{os.getuid()}-{digest}" / name


def manifest_path(run: Path, session: str) -> Path:
    return run / f"{checked_name(session)}.json"


def supervisor_path(run: Path) -> Path:
    return run / "supervisor.json"


def session_data(data: Path, session: str) -> Path:
    """The folder of checkpoints and the settings log of one session; 0700."""
    return _private(data / "sessions" / checked_name(session))


def _private(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def private_parent(path: Path) -> Path:
    """``path``, after its folder has been made (0700); raises PermissionError if it is another's."""
    _private(path.parent)
    if path.parent.stat().st_uid != os.getuid():
        raise PermissionError(f"{path.parent} belongs to another user")
    return path
