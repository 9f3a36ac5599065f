"""From the start of the program to its page and to the first frame drawn, twice with the same data.

    python benchmarks/bench_start.py

The browser is open beforehand, as a user's is; the kernels were compiled at set-up.  Writes
``benchmarks/results/start.json``.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page
from program import program, viewer
from report import machine, write

GOALS = {"page_s": 4, "first_frame_s": 6}


def start(folder: Path, page: Page) -> dict[str, float]:
    """Seconds to the page and to the first frame drawn of one start in ``folder``."""
    began = time.monotonic()
    with program(folder) as running:
        page.goto(running.url)
        served = time.monotonic() - began
        page.wait_for_function("window.t4dm?.stats().fps > 0", timeout=120_000, polling=20)
        drawn = time.monotonic() - began
        page.goto("about:blank")
    return {"page_s": round(served, 2), "first_frame_s": round(drawn, 2)}


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="t4dm-"))
    try:
        with viewer() as page:
            first, *later = [start(folder, page) for _ in range(4)]
    finally:
        shutil.rmtree(folder)
    write("start", {"machine": machine(), "goals": GOALS, "first": first, "later": later})
    print(first, later)


if __name__ == "__main__":
    main()
