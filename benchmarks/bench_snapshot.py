"""The snapshot of the whole board, live and paused, and the time until a pause can be inspected.

    python benchmarks/bench_snapshot.py [--url URL] [--trials 7]

A snapshot is timed from the key to its dialog with the finished picture; a pause from the click until
every panel is drawn as Plotly traces.  Without ``--url`` the program is started with its own folders
on a free port.  Writes ``benchmarks/results/snapshot.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
from typing import Any

from playwright.sync_api import Page
from program import await_running, program, viewer
from report import machine, write

GOALS = {"snapshot_live_s": 3, "snapshot_paused_s": 3, "pause_s": 1.5}
SPAN_MS = 1000

PAUSE = """() => new Promise(done => {
    const {app} = window.t4dm, start = performance.now();
    const seen = () => { app.off('inspect', seen); done((performance.now() - start) / 1000); };
    app.on('inspect', seen);
    document.querySelector('.tl-pause').click();
})"""
SNAPSHOT = """() => new Promise(done => {
    const start = performance.now();
    const look = new MutationObserver(() => {
        const picture = document.querySelector('#snapshot-dialog[open] .snapshot-preview');
        if (!picture?.src || !picture.complete || !picture.naturalWidth) return;
        look.disconnect();
        done((performance.now() - start) / 1000);
    });
    look.observe(document.body, {subtree: true, childList: true, attributes: true});
    document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 's', bubbles: true}));
})"""


def snapshot(page: Page) -> float:
    """Seconds to the finished picture; the dialog is closed again."""
    taken = page.evaluate(SNAPSHOT)
    page.keyboard.press("Escape")
    page.wait_for_selector("#snapshot-dialog", state="detached")
    return float(taken)


def measure(page: Page, url: str, trials: int) -> dict[str, Any]:
    """``trials`` rounds of: snapshot of the live view, pause, snapshot of the paused view."""
    page.goto(url)
    page.wait_for_function("window.t4dm?.stats().frames > 100 && window.t4dm.app.params")
    page.evaluate("ms => window.t4dm.app.setSpan(ms)", SPAN_MS)
    page.wait_for_timeout(8000)
    found: dict[str, list[float]] = {name: [] for name in GOALS}
    for _ in range(trials):
        found["snapshot_live_s"].append(snapshot(page))
        page.wait_for_timeout(1000)
        found["pause_s"].append(float(page.evaluate(PAUSE)))
        found["snapshot_paused_s"].append(snapshot(page))
        page.evaluate("window.t4dm.app.liveView()")
        page.wait_for_timeout(1500)
    ticks = page.evaluate("window.t4dm.drawn('raster').ticks")
    return {"span_ms": SPAN_MS, "ticks_in_the_raster": ticks} | {
        name: {"median": round(statistics.median(times), 2), "slowest": round(max(times), 2)}
        for name, times in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a running program; without it one is started")
    parser.add_argument("--trials", type=int, default=7)
    options = parser.parse_args()
    before = machine()
    with contextlib.ExitStack() as stack:
        url = options.url or stack.enter_context(program()).url
        await_running(url.rstrip("/"))
        page = stack.enter_context(viewer())
        page.set_default_timeout(120_000)
        result = measure(page, url, options.trials)
    panels = "all of the spiking page, 1600 x 1000, no GPU, the run at 1x"
    write("snapshot", {"machine": before, "panels": panels, "goals": GOALS, "result": result})
    print(result)


if __name__ == "__main__":
    main()
