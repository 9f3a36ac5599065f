"""The live page in headless Chromium: frames a second, worker-to-pixel latency, control latency.

    python benchmarks/bench_page.py [--url URL] [--seconds 30] [--trials 80]

Without ``--url`` the program is started with its own folders on a free port.  Writes
``benchmarks/results/page.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
from typing import Any

from cpu import cpu_seconds
from playwright.sync_api import Page
from program import await_running, command, program, session, viewer
from report import machine, write

GOALS = {
    "fps": 30,
    "latency_p50_ms": 30,
    "latency_p95_ms": 80,
    "applied_p95_ms": 50,
    "seen_p95_ms": 150,
    "unpaced_times_real_time": 2,
    "unpaced_fps": 30,
}
PAINTS = """() => {
    if (window.painted === undefined) {
        window.painted = 0;
        window.t4dm.app.on('painted', () => { window.painted += 1; });
    }
    return {at: performance.now(), painted: window.painted};
}"""

# Types a value as a user does (value, then Enter) or moves the slider there, and times the acknowledgement
# and the paint.
CHANGE_AND_WAIT = """async ([value, by]) => {
    const api = await import('/assets/js/api.mjs');
    window.acks ??= (api.onAck(x => window.onAckOnce?.(x)), true);
    const {app} = window.t4dm, box = document.querySelector('input[data-param="lif.v_thresh"]');
    const acked = new Promise(done => { window.onAckOnce = x => done([performance.now(), x.ack]); });
    const start = performance.now();
    if (by === 'slider') {
        const slider = box.closest('.row').querySelector('input[type=range]');
        slider.value = Number(slider.value) + (Number(value) > app.params.effective['lif.v_thresh'] ? 1 : -1)
            * Number(slider.step || 1);
        slider.dispatchEvent(new Event('input', {bubbles: true}));
        slider.dispatchEvent(new Event('change', {bubbles: true}));
    } else {
        box.focus();
        box.value = value;
        box.dispatchEvent(new Event('input', {bubbles: true}));
        box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
        box.dispatchEvent(new Event('change', {bubbles: true}));
    }
    let rev = Infinity;
    const early = [];
    const seen = new Promise(done => {
        const look = meta => {
            early.push([performance.now(), meta.params_rev]);
            const hit = early.find(e => e[1] >= rev);
            if (hit) { app.off('painted', look); done(hit[0]); }
        };
        app.on('painted', look);
    });
    const [at, ack] = await acked;
    rev = ack.rev;
    return {applied: app.toPage(ack.mono_ns) - start, answered: at - start, seen: (await seen) - start};
}"""


def measure(page: Page, url: str, seconds: float, trials: int) -> dict[str, Any]:
    """One viewer of the whole page at 1x: drawing for ``seconds``, then ``trials`` changes, half of them
    typed and half by the slider.

    CPU times are those of what this process started: the browser, and the program unless a URL was given.
    """
    page.goto(url)
    page.wait_for_function("window.t4dm && window.t4dm.stats().frames > 30", timeout=180_000)
    page.request.post(f"{url}/sessions/default/commands", data=[{"type": "replace", "values": {}}])
    page.wait_for_timeout(3000)
    spent = cpu_seconds(os.getpid())
    drawing = page.evaluate(
        """async seconds => {
            const {app} = window.t4dm, first = window.t4dm.stats(), latency = [];
            const look = meta => latency.push(meta.latency_ms);
            app.on('painted', look);
            const start = performance.now();
            await new Promise(done => setTimeout(done, seconds * 1000));
            app.off('painted', look);
            const last = window.t4dm.stats(), wall = (performance.now() - start) / 1000;
            return {fps: latency.length / wall, frames: last.frames - first.frames,
                    dropped: last.dropped - first.dropped, draw_ms: last.draw_ms,
                    latency: latency.filter(x => x !== null),
                    real_time: (last.sim_step - first.sim_step) / 1000 / wall};
        }""",
        seconds,
    )
    spent = cpu_seconds(os.getpid()) - spent
    drawn = drawing["fps"] * seconds
    clock = random.Random(0)
    answers = []
    for trial in range(trials):
        page.wait_for_timeout(clock.uniform(150, 350))
        by = "slider" if trial % 4 > 1 else "number"
        value = f"{1 + 0.01 * (1 + trial % 2):.2f}"
        answers.append(page.evaluate(CHANGE_AND_WAIT, [value, by]) | {"by": by})
    page.request.post(f"{url}/sessions/default/commands", data=[{"type": "replace", "values": {}}])
    latency = drawing.pop("latency")
    return {
        **drawing,
        "cpu_ms_a_frame": {name: round(1e3 * s / drawn, 2) for name, s in sorted(spent.items())},
        "latency_p50_ms": quantile(latency, 0.5),
        "latency_p95_ms": quantile(latency, 0.95),
        "applied_p95_ms": quantile([a["applied"] for a in answers], 0.95),
        "applied_p50_ms": quantile([a["applied"] for a in answers], 0.5),
        "answered_p50_ms": quantile([a["answered"] for a in answers], 0.5),
        "seen_p95_ms": quantile([a["seen"] for a in answers], 0.95),
        "seen_p50_ms": quantile([a["seen"] for a in answers], 0.5),
        "slider_applied_p95_ms": quantile(
            [a["applied"] for a in answers if a["by"] == "slider"], 0.95
        ),
        "slider_seen_p95_ms": quantile([a["seen"] for a in answers if a["by"] == "slider"], 0.95),
    }


def unpaced(page: Page, url: str, seconds: float) -> dict[str, float]:
    """Simulated over real time as fast as it goes with this one viewer, and its frames a second."""
    command(url, {"type": "speed", "value": "max"})
    page.wait_for_timeout(3000)
    first, began = session(url)["step"], page.evaluate(PAINTS)
    page.wait_for_timeout(seconds * 1000)
    ended = page.evaluate(PAINTS)
    wall = (ended["at"] - began["at"]) / 1000
    ratio = (session(url)["step"] - first) / 1000 / wall
    command(url, {"type": "speed", "value": 1.0})
    drawn = ended["painted"] - began["painted"]
    return {"unpaced_times_real_time": ratio, "unpaced_fps": drawn / wall}


def quantile(values: list[float], q: float) -> float:
    """The ``q`` quantile; raises SystemExit where nothing was measured."""
    if not values:
        raise SystemExit("nothing was measured: did the run stand still?")
    return statistics.quantiles(values, n=100, method="inclusive")[round(q * 100) - 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a running program; without it one is started")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--trials", type=int, default=80)
    options = parser.parse_args()
    before = machine()
    with contextlib.ExitStack() as stack:
        url = options.url or stack.enter_context(program()).url
        await_running(url.rstrip("/"))
        page = stack.enter_context(viewer())
        result = measure(page, url, options.seconds, options.trials)
        result |= unpaced(page, url, 10)
    rounded = {k: round(v, 2) if isinstance(v, float) else v for k, v in result.items()}
    panels = "all of the spiking page, 1600 x 1000, no GPU"
    write("page", {"machine": before, "panels": panels, "goals": GOALS, "result": rounded})
    print(rounded)


if __name__ == "__main__":
    main()
