"""The Training page in headless Chromium while a model trains: repaint, input, steps on screen, commands.

    python benchmarks/bench_training_page.py [--url URL] [--run read] [--fault NAME] [--seconds 20] [--trials 30]

Without ``--url`` the program is started with its own folders on a free port.  The spiking session is
paused.  Writes ``benchmarks/results/training_page.json``.

repaint_hz    animation frames a second that the page had, drawing what came
input_p95_ms  from a pointer event on a chart to the next frame after its readout is drawn
on_screen     from the end of a step in the worker to the paint that shows it
queued        from Enter in a field to the answer that the command waits
applied       from Enter to the page's hearing of the step that had it first
"""

from __future__ import annotations

import argparse
import contextlib
import json
import urllib.request
from typing import Any

from bench_page import quantile
from playwright.sync_api import Page
from program import await_running, command, program, viewer
from report import machine, write

GOALS = {"repaint_hz": 20, "input_p95_ms": 50, "on_screen_p95_ms": 150, "queued_p95_ms": 50}
READY = "window.t4dm?.app.params && (window.t4dm.drawn?.('loss')?.series[0]?.n ?? 0) > 5"
DRAWING = """async seconds => {
    const {app} = window.t4dm, late = [], inputs = [];
    let frames = 0, going = true, paints = 0;
    const look = meta => { paints++; if (meta.latency_ms !== null) late.push(meta.latency_ms); };
    app.on('painted', look);
    const count = () => { frames++; if (going) requestAnimationFrame(count); };
    requestAnimationFrame(count);
    const host = document.querySelector('#panel-loss .panel-plot'), box = host.getBoundingClientRect();
    const start = performance.now(), first = app.meta.step1;
    for (let i = 0; performance.now() - start < seconds * 1000; i++) {
        const began = performance.now();
        host.dispatchEvent(new PointerEvent('pointermove',
            {bubbles: true, clientX: box.left + 90 + i * 7 % 400, clientY: box.top + 60}));
        await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
        inputs.push(performance.now() - began);
        await new Promise(done => setTimeout(done, 60));
    }
    going = false;
    app.off('painted', look);
    const wall = (performance.now() - start) / 1000;
    return {hz: frames / wall, paints_hz: paints / wall, late, inputs,
            steps: (app.meta.step1 - first) / wall, draw_ms: window.t4dm.stats().draw_ms};
}"""
TYPE = """async value => {
    const {app} = window.t4dm, box = document.querySelector('[data-param="train.clip"]');
    const queued = new Promise(done => {
        const look = () => { app.off('queued', look); done(performance.now()); };
        app.on('queued', look);
    });
    const applied = new Promise(done => {
        const look = event => { app.off('applied', look); done(performance.now()); };
        app.on('applied', look);
    });
    const start = performance.now();
    box.focus();
    box.value = value;
    box.dispatchEvent(new Event('input', {bubbles: true}));
    box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
    return {queued: await queued - start, applied: await applied - start};
}"""


def begin(url: str, run: str, fault: str | None) -> str:
    """A new training session; its name."""
    body: dict[str, Any] = {"kind": "training", "run": run, "seed": 0, "fault": fault}
    body["params"] = {"train.total_steps": 100_000}
    request = urllib.request.Request(
        f"{url}/sessions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["name"]


def measure(page: Page, url: str, name: str, seconds: float, trials: int) -> dict[str, float]:
    """One viewer of the whole page while the session trains."""
    page.goto(f"{url}/training?session={name}")
    page.wait_for_function(READY, timeout=180_000)
    page.wait_for_timeout(3000)
    drawing = page.evaluate(DRAWING, seconds)
    typed = []
    for trial in range(trials):
        page.wait_for_timeout(150 + 37 * (trial % 7))
        typed.append(page.evaluate(TYPE, f"{0.9 + 0.01 * (trial % 2):.2f}"))
    found = {
        "steps_a_second": drawing["steps"],
        "repaint_hz": drawing["hz"],
        "paints_with_data_hz": drawing["paints_hz"],
        "draw_ms": drawing["draw_ms"],
        "input_p50_ms": quantile(drawing["inputs"], 0.5),
        "input_p95_ms": quantile(drawing["inputs"], 0.95),
        "on_screen_p50_ms": quantile(drawing["late"], 0.5),
        "on_screen_p95_ms": quantile(drawing["late"], 0.95),
    }
    for key in ("queued", "applied"):
        for q in (0.5, 0.95):
            values = [one[key] for one in typed]
            found[f"{key}_p{round(100 * q)}_ms"] = quantile(values, q)
    return {name: round(value, 2) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a running program; without it one is started")
    parser.add_argument("--run", default="read")
    parser.add_argument("--fault")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--trials", type=int, default=30)
    options = parser.parse_args()
    before = machine()
    with contextlib.ExitStack() as stack:
        url = (options.url or stack.enter_context(program()).url).rstrip("/")
        await_running(url)
        command(url, {"type": "pause"})
        name = begin(url, options.run, options.fault)
        page = stack.enter_context(viewer())
        result = measure(page, url, name, options.seconds, options.trials)
        end = urllib.request.Request(f"{url}/sessions/{name}", method="DELETE")
        urllib.request.urlopen(end, timeout=10).close()
    what = f"run {options.run}, {options.fault or 'no fault'}, one thread, 1600 x 1000, no GPU"
    write("training_page", {"machine": before, "what": what, "goals": GOALS, "result": result})
    print(result)


if __name__ == "__main__":
    main()
