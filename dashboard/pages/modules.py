"""Which modules a page's entry needs: found from their imports, so that a page fetches no others."""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^(?:import\s|export\s*\{)[^;]*?"(\.[^"]+)"', re.MULTILINE)


def reachable(assets: Path, entry: str) -> list[str]:
    """``entry`` and all modules it imports, as sorted paths below ``assets``.

    Raises FileNotFoundError for an import of a module that is not there.
    """
    root = assets.resolve()
    found: set[Path] = set()
    waiting = [root / entry]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        names = _IMPORT.findall(path.read_text(encoding="utf-8"))
        waiting += [(path.parent / name).resolve() for name in names]
    return sorted(path.relative_to(root).as_posix() for path in found)
