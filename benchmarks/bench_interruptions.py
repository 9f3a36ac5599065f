"""What a viewer sees of kills: when the page says so, when it is live again, and how long Ctrl-C takes.

    python benchmarks/bench_interruptions.py [--kills 3]

``kill -9`` of the worker (three times: it is given up when it dies more often in a minute), of a web process
and of gunicorn's master, each under a page that runs at 1x; then Ctrl-C.  Writes benchmarks/results/interruptions.json.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import time
from typing import Any

import psutil
from playwright.sync_api import Page
from program import await_running, get, program, session, viewer
from report import machine, write

GOALS = {"told_s": 2, "live_again_s": 10, "ctrl_c_s": 10}
TOLD = "window.t4dm.app.status !== 'live'"
LIVE = "window.t4dm.app.status === 'live' && window.t4dm.app.meta.state === 'running'"


def until(page: Page, condition: str, began: float) -> float:
    """Seconds since ``began`` at which ``condition`` holds on the page."""
    page.wait_for_function(condition, timeout=60_000, polling=20)
    return round(time.monotonic() - began, 2)


def worker_killed(page: Page, url: str) -> dict[str, float]:
    """Seconds until the page says so, and until frames of the new worker are drawn."""
    epoch = page.evaluate("window.t4dm.app.meta.epoch")
    began = time.monotonic()
    os.kill(session(url)["pid"], signal.SIGKILL)
    told = until(page, TOLD, began)
    live = until(page, f"{LIVE} && window.t4dm.app.meta.epoch > {epoch}", began)
    page.wait_for_timeout(4000)
    return {"told_s": told, "live_again_s": live}


def web_killed(page: Page, url: str, process: psutil.Process) -> dict[str, Any]:
    """Seconds until the server answers again, and steps that the run did meanwhile and after."""
    before, pid = session(url)["step"], session(url)["pid"]
    began = time.monotonic()
    process.kill()
    while True:
        try:
            get(f"{url}/healthz")
            break
        except OSError:
            time.sleep(0.02)
    answers = round(time.monotonic() - began, 2)
    page.wait_for_timeout(3000)
    after = session(url)
    wall = time.monotonic() - began
    steps = (after["step"] - before) / 1000 / wall
    live = until(page, LIVE, began)
    return {
        "answers_s": answers, "page_live_s": live, "same_worker": after["pid"] == pid,
        "times_real_time": round(steps, 3),
    }  # fmt: skip


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--kills", type=int, default=3)
    options = ask.parse_args()
    before = machine()
    with viewer() as page, program() as running:
        await_running(running.url)
        page.goto(running.url)
        page.wait_for_function("window.t4dm?.stats().frames > 30", timeout=120_000)
        page.wait_for_timeout(6000)
        kills = [worker_killed(page, running.url) for _ in range(options.kills)]
        children = psutil.Process(running.pid).children()
        master = next(c for c in children if "gunicorn" in " ".join(c.cmdline()))
        web = {
            "one of two": web_killed(page, running.url, master.children()[0]),
            "both and their master": web_killed(page, running.url, master),
        }
        family = psutil.Process(running.pid).children(recursive=True)
        began = time.monotonic()
        os.kill(running.pid, signal.SIGINT)
        _, left = psutil.wait_procs(family, timeout=20)
        ctrl_c = round(time.monotonic() - began, 2)
    result = {
        "worker": {
            name: {"median": statistics.median(k[name] for k in kills),
                   "slowest": max(k[name] for k in kills)}
            for name in ("told_s", "live_again_s")
        },
        "web": web,
        "ctrl_c_s": ctrl_c,
        "left_after_ctrl_c": len(left),
    }  # fmt: skip
    write("interruptions", {"machine": before, "goals": GOALS, "kills": kills, "result": result})
    print(result)


if __name__ == "__main__":
    main()
