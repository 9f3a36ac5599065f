"""Training live: what the page shows and answers while a model learns, and what a reader costs it.

    python benchmarks/bench_training_live.py [--run read] [--seconds 20] [--trials 40] [--rounds 4]

The program is started with its own folders on a free port; a session of kind ``training`` trains on one
thread, the session ``default`` is paused, as it is after a minute without viewers.
    repaints   animation frames a second in which the page was another than in the one before: the clock
               of the step in work had moved on.  Charts are drawn anew only for a finished step: ``drawn``
    fps        animation frames a second that the page had meanwhile, the pointer moving over a chart
    input      from a movement of the pointer to the frame after its readout was written
    tiny       how often a run that does dozens of steps a second is drawn
    on screen  from the end of a step in the worker to the picture that has it
    queued     from sending a command to its answer "queued"; late: commands that were applied later than
               after the step that was in work when they were sent
    reader     steps a second with one reader of the record stream over those without, in turns, no page
Writes benchmarks/results/training_live.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import psutil
from bench_page import quantile
from playwright.sync_api import Page
from program import await_running, command, get, program, viewer
from report import machine, write

GOALS = {
    "repaints_a_s": 20,
    "fps": 20,
    "input_p95_ms": 50,
    "on_screen_p95_ms": 150,
    "queued_p95_ms": 50,
    "applied_late": 0,
    "reader_slows_by": 0.10,
}
SCHEDULE = 100_000  # steps
STARTED = "() => window.t4dm?.stats && window.t4dm.stats().frames > 5"
FOLLOW = """async seconds => {
    const {app} = window.t4dm, shown = [], inputs = [], clock = document.getElementById('step-clock');
    const look = meta => shown.push(meta.latency_ms);
    let frames = 0, repaints = 0, before = '', going = true;
    const count = () => {
        frames += 1;
        if (clock.textContent !== before) repaints += 1;
        before = clock.textContent;
        if (going) requestAnimationFrame(count);
    };
    app.on('painted', look);
    requestAnimationFrame(count);
    const host = document.querySelector('#panel-loss .panel-plot'), box = host.getBoundingClientRect();
    const began = performance.now();
    let n = 0;
    while (performance.now() - began < seconds * 1000) {
        const at = {clientX: box.left + 60 + (n++ * 7) % (box.width - 90), clientY: box.top + box.height / 2};
        const moved = performance.now();
        host.dispatchEvent(new PointerEvent('pointermove', {...at, bubbles: true, pointerId: 1}));
        await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
        inputs.push(performance.now() - moved);
        await new Promise(done => setTimeout(done, 10));
    }
    going = false;
    app.off('painted', look);
    const wall = (performance.now() - began) / 1000;
    return {fps: frames / wall, repaints_a_s: repaints / wall, drawn: shown.length / wall, inputs,
            latency: shown.filter(x => x !== null)};
}"""
ASK = """async value => {
    const began = performance.now();
    const answer = await fetch(window.t4dm.app.url('/commands'), {
        method: 'POST', headers: {'Content-Type': 'application/json', 'X-T4DM-Ack': 'queued'},
        body: JSON.stringify({type: 'set', path: 'train.clip', value}),
    });
    const body = await answer.json();
    return {ms: performance.now() - began, queued: body.queued === true, step: body.step, rev: body.rev};
}"""
EVENTS = """() => { window.told = []; window.t4dm.app.on('event', e => window.told.push(e)); }"""


def begin(url: str, run: str) -> str:
    """A training session on one thread, with a schedule that outlasts the measurement, once it trains."""
    asked = {"kind": "training", "run": run, "seed": 0, "options": {"threads": 1}}
    body = json.dumps(asked | {"params": {"train.total_steps": SCHEDULE}}).encode()
    request = urllib.request.Request(f"{url}/sessions", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        name = json.load(answer)["name"]
    until = time.monotonic() + 180
    while (line := health(url, name)).get("state") != "running" or (line["step"] or 0) < 10:
        if time.monotonic() > until:
            raise SystemExit(f"the session does not train: {line}")
        time.sleep(0.2)
    return name


def health(url: str, name: str) -> dict[str, Any]:
    return json.loads(get(f"{url}/healthz"))["sessions"].get(name, {})


def forget(url: str, name: str) -> None:
    request = urllib.request.Request(f"{url}/sessions/{name}", method="DELETE")
    urllib.request.urlopen(request, timeout=30).close()


def follow(page: Page, url: str, name: str, seconds: float) -> dict[str, Any]:
    """The page on the session for ``seconds``; raises SystemExit where nothing new was drawn."""
    page.goto(f"{url}/training?session={name}")
    page.wait_for_function(STARTED, timeout=60_000)
    page.wait_for_timeout(2000)
    seen = page.evaluate(FOLLOW, seconds)
    if not seen["drawn"] or not seen["repaints_a_s"]:
        raise SystemExit(f"the page drew no step of {name}: {health(url, name)}")
    return seen


def commands(page: Page, trials: int) -> dict[str, Any]:
    """Commands while steps are in work: how soon they are answered, and at which step they came in."""
    page.evaluate(EVENTS)
    asked = []
    for trial in range(trials):
        page.wait_for_timeout(137 + 61 * (trial % 5))  # anywhere in a step
        asked.append(page.evaluate(ASK, 1.0 + 0.01 * (1 + trial % 2)))
    page.wait_for_timeout(3000)
    events = page.evaluate("() => window.told.filter(e => e.type === 'param')")
    applied = {event["rev"]: event["step"] for event in events}
    late = [one for one in asked if applied.get(one["rev"] + 1, 10**9) > one["step"] + 1]
    if not all(one["queued"] for one in asked):
        raise SystemExit(f"not answered as queued: {asked[:3]}")
    return {
        "queued_p50_ms": quantile([one["ms"] for one in asked], 0.5),
        "queued_p95_ms": quantile([one["ms"] for one in asked], 0.95),
        "queued_max_ms": max(one["ms"] for one in asked),
        "commands": len(asked),
        "applied_late": len(late),
    }


@contextlib.contextmanager
def reader(url: str, name: str) -> Iterator[list[int]]:
    """One reader of the record stream, as a page reads it; the bytes of each answer."""
    from t4dm.live import frame

    stop, sizes = threading.Event(), [0]

    def read() -> None:
        query = ""
        while not stop.is_set():
            data = get(f"{url}/sessions/{name}/records{query}")
            sizes.append(len(data))
            meta, _ = frame.decode(data)
            if meta["kind"] != "status":
                query = f"?after={meta['seq']}&epoch={meta['epoch']}"
            stop.wait(0.033)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield sizes
    finally:
        stop.set()
        thread.join()


def pace(url: str, name: str, seconds: float) -> tuple[float, float]:
    """Steps a second, and steps a CPU second of the worker."""
    first, began = health(url, name), time.monotonic()
    worker = psutil.Process(first["pid"])
    spent = sum(worker.cpu_times()[:2])
    time.sleep(seconds)
    last, wall = health(url, name), time.monotonic() - began
    steps = last["step"] - first["step"]
    if last["state"] != "running":
        raise SystemExit(f"the run did not go on while it was measured: {last}")
    return steps / wall, steps / max(1e-9, sum(worker.cpu_times()[:2]) - spent)


def slowed(url: str, name: str, seconds: float, rounds: int) -> dict[str, Any]:
    """With one reader over without, medians of neighbouring pairs."""
    pairs, sizes = [], 0
    for _ in range(rounds):
        alone = pace(url, name, seconds)
        with reader(url, name) as read:
            pairs.append((alone, pace(url, name, seconds)))
        sizes += len(read)
    by_clock = [1 - w[0] / a[0] for a, w in pairs]
    by_cpu = [1 - w[1] / a[1] for a, w in pairs]
    return {
        "steps_a_s": statistics.median(a[0] for a, _ in pairs),
        "steps_a_s_with_a_reader": statistics.median(w[0] for _, w in pairs),
        "reader_slows_by": statistics.median(by_clock),
        "reader_slows_by_cpu": statistics.median(by_cpu),
        "answers_read": sizes,
    }


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--run", default="read")
    ask.add_argument("--seconds", type=float, default=20)
    ask.add_argument("--trials", type=int, default=40)
    ask.add_argument("--rounds", type=int, default=4)
    asked = ask.parse_args()
    before = machine()
    with program() as app:
        await_running(app.url)
        command(app.url, {"type": "pause"})
        quick = begin(app.url, "tiny")
        with viewer() as page:
            made = {"tiny_drawn_a_s": follow(page, app.url, quick, asked.seconds)["drawn"]}
        forget(app.url, quick)
        name = begin(app.url, asked.run)
        with viewer() as page:
            seen = follow(page, app.url, name, asked.seconds)
            latency, inputs = seen.pop("latency"), seen.pop("inputs")
            made |= seen | {
                "input_p50_ms": quantile(inputs, 0.5),
                "input_p95_ms": quantile(inputs, 0.95),
                "on_screen_p50_ms": quantile(latency, 0.5),
                "on_screen_p95_ms": quantile(latency, 0.95),
                **commands(page, asked.trials),
            }
        made |= slowed(app.url, name, asked.seconds, asked.rounds)
    for key, goal in GOALS.items():
        print(f"{key}: {made[key]:.3g} (goal {goal})")
    write("training_live", {"machine": before, "run": asked.run, "goals": GOALS, "result": made})


if __name__ == "__main__":
    main()
