"""Memory of every process of a running program over minutes with one viewer, and its slope.

    python benchmarks/bench_memory.py [--pid LAUNCHER] [--minutes 10]

Without ``--pid`` the program is started with its own folders, and a browser looks at it.

``private`` leaves out the pages of the ring, which is shared memory and fills up to its bound in
the first two minutes.  Writes ``benchmarks/results/memory.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from program import await_running, program, viewer
from report import machine, write

MB = 1e6
Sample = tuple[float, dict[str, tuple[float, float]]]


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


def slopes(samples: list[Sample]) -> dict[str, Any]:
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
    parser.add_argument("--pid", type=int, help="the launcher of a running program")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=5, help="seconds between two samples")
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        pid = args.pid
        if pid is None:
            running = stack.enter_context(program())
            await_running(running.url)
            stack.enter_context(viewer()).goto(running.url)
            pid = running.pid
        samples = watch(psutil.Process(pid), args.minutes * 60, args.every)
    result = {"machine": machine(), "minutes": args.minutes, "processes": slopes(samples)}
    write("memory", result)
    print(json.dumps(result, indent=1))


def watch(root: psutil.Process, seconds: float, every: float) -> list[Sample]:
    """(seconds since the first, memory of each process), sampled ``every`` so many seconds."""
    began, samples = time.monotonic(), []
    while (now := time.monotonic() - began) < seconds:
        samples.append((now, sample(root)))
        time.sleep(every)
    return samples


if __name__ == "__main__":
    main()
