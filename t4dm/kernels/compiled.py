"""How every kernel is compiled: one thread, no Python objects, code kept on disk between starts.

``contract`` lets a product and a sum become one instruction; nothing is reordered, NaN and Inf keep
their meaning.  The code lies in a folder named after the sources, so that a changed kernel is never
mixed with old compiled code: ``NUMBA_CACHE_DIR`` (or the user's cache folder) / ``<version>``.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import numba
import platformdirs


def code_version() -> str:
    """Twelve hex digits that name the sources of the kernels and the compiler's version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def cache_dir() -> Path:
    """The first writable folder of: ``NUMBA_CACHE_DIR``, the user's cache, a new temporary one."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    wanted = [Path(named)] if named else []
    wanted.append(platformdirs.user_cache_path("t4dm") / "numba")
    for base in wanted:
        if _writable(base / CODE_VERSION):
            return base / CODE_VERSION
    return Path(tempfile.mkdtemp(prefix="t4dm-numba-"))


CODE_VERSION = code_version()
numba.config.CACHE_DIR = str(cache_dir())  # type: ignore[attr-defined]


def jit(*, counted: bool = True) -> Any:
    """Decorator of every kernel.

    ``counted`` false is for kernels that make no arrays: they pass arrays on without counting
    references, a locked memory access each, of which a step of a small network makes hundreds.
    """
    options: dict[str, Any] = {} if counted else {"_nrt": False}
    return numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"}, **options)
