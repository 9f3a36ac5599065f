"""CPU time of a program and of a browser that looks at it, by what they do.  Linux only.

Wall-clock times say nothing on a machine that others use, too; the time spent on a CPU still does.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import psutil

# The first of these words that a command line has names what the process is.
ROLES = {
    "t4dm.live.worker": "worker",
    "gunicorn": "web",
    "--type=renderer": "renderer",
    "--type=gpu-process": "compositor",
    "--type=utility": "browser",
    "--type=": "",
    "chrom": "browser",
}


def cpu_seconds(root: int) -> Counter[str]:
    """Seconds since their start of all descendants of ``root``, by role and for each main thread."""
    spent: Counter[str] = Counter()
    for process in psutil.Process(root).children(recursive=True):
        try:
            role = _role(" ".join(process.cmdline()))
        except psutil.NoSuchProcess:
            continue
        if role:
            for thread in Path(f"/proc/{process.pid}/task").iterdir():
                seconds = _seconds(thread)
                spent[role] += seconds
                if thread.name == str(process.pid):
                    spent[f"{role}, main thread"] += seconds
    return spent


def _role(command: str) -> str:
    return next((role for word, role in ROLES.items() if word in command), "")


def _seconds(thread: Path) -> float:
    try:
        return int((thread / "schedstat").read_text().split()[0]) / 1e9
    except FileNotFoundError:  # it has ended
        return 0.0
