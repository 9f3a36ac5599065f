"""Memory of every process of a running program over minutes, and its slope.

    python benchmarks/bench_memory.py --pid LAUNCHER [--minutes 10]

``private`` leaves out the pages of the ring, which is shared memory and fills up to its bound in
the first two minutes.  Writes ``benchmarks/results/memory.json``.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

RESULT = Path(__file__).resolve().parent / "results" / "memory.json"
MB = 1e6


def name_of(process: psutil.Process) -> str:
    words = process.cmdline()
    known = [w for w in words if w.startswith(("t4dm.", "dashboard.")) or "gunicorn" in w]
    return f"{Path(known[0]).name if known else process.name()} [{process.pid}]"


def sample(root: psutil.Process) -> dict[str, tuple[float, float]]:
    """``{name: (resident MB, private MB)}`` of ``root`` and all below it."""
    found = {}
    for process in (root, *root.children(recursive=True)):
        try:
            memory = process.memory_info()
            found[name_of(process)] = (memory.rss / MB, (memory.rss - memory.shared) / MB)
        except (psutil.NoSuchProcess, IndexError):
            continue
    return found


def slopes(samples: list[tuple[float, dict[str, tuple[float, float]]]]) -> dict[str, Any]:
    """Of each process seen to the end: last values, and MB a minute over the second half."""
    result = {}
    for name in samples[-1][1]:
        seen = [(t / 60, s[name]) for t, s in samples if name in s]
        half = seen[len(seen) // 2 :]
        minutes = np.array([t for t, _ in half])
        rows = np.array([values for _, values in half])
        slope = np.polyfit(minutes, rows, 1)[0] if len(half) > 2 else np.full(2, np.nan)
        result[name] = {
            "resident_mb": round(rows[-1, 0], 1),
            "private_mb": round(rows[-1, 1], 1),
            "resident_mb_a_minute": round(float(slope[0]), 3),
            "private_mb_a_minute": round(float(slope[1]), 3),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pid", type=int, required=True, help="the launcher of the program")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=5, help="seconds between two samples")
    args = parser.parse_args()
    root, began = psutil.Process(args.pid), time.monotonic()
    samples = []
    while (now := time.monotonic() - began) < args.minutes * 60:
        samples.append((now, sample(root)))
        time.sleep(args.every)
    result = {
        "machine": f"{platform.machine()}, {platform.python_version()}",
        "minutes": args.minutes,
        "processes": slopes(samples),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
