"""REST beside a live viewer: p95 of every GET, and what twenty clients cost the simulation.

``python benchmarks/bench_rest.py [--address http://127.0.0.1:8000] [--seconds 180]`` on a program
that runs (``make run``) and a machine that does nothing else.  Without an address it starts its own.
Writes ``benchmarks/results/rest.json``.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).parent / "results" / "rest.json"
SMALL_MS, RASTER_MS, SLOWER = 25.0, 150.0, 0.15
VIEWER_HZ = 30
CLIENTS = 20
RASTER = "/visualization/spike-raster?neurons=1000&last_ms=1000"
SMALL = (
    "/healthz", "/spiking/health", "/spiking/stats", "/spiking/lif-params",
    "/spiking/neuromodulators", "/spiking/weights", "/spiking/spike-times?neurons=0,1,2",
    "/spiking/attention-weights", "/spiking/dopamine-trace", "/spiking/ach-levels",
    "/spiking/monoamine-trace", "/spiking/nt-injection-schedule", "/learning/stdp-metrics",
    "/learning/weight-deltas?layer=2", "/learning/stdp-windows", "/learning/hebbian-trace",
    "/learning/homeostatic-state", "/visualization/spike-raster?neurons=100",
    "/visualization/thalamic-gate", "/visualization/neuromod-heatmap",
    "/visualization/weight-distribution?layer=2", "/sessions", "/sessions/default/params",
    "/metrics",
)  # fmt: skip


class Door:
    """One kept-open connection to the program."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._where = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._key = os.environ.get("T4DM_API_KEY", "")
        self._held: http.client.HTTPConnection | None = None

    def get(self, path: str) -> tuple[int, bytes, float]:
        """Status, body, and milliseconds; a connection that was closed meanwhile is opened again."""
        for last in (False, True):
            held = self._held or http.client.HTTPConnection(*self._where, timeout=30)
            self._held = held
            begun = time.perf_counter()
            try:
                held.request("GET", path, headers={"X-API-Key": self._key} if self._key else {})
                answer = held.getresponse()
                return answer.status, answer.read(), (time.perf_counter() - begun) * 1000
            except (http.client.HTTPException, OSError):
                held.close()
                self._held = None
                if last:
                    raise
        raise AssertionError

    def line(self) -> dict[str, Any]:
        """The default session's line of /healthz."""
        return json.loads(self.get("/healthz")[1])["sessions"]["default"]


@contextmanager
def program() -> Iterator[str]:
    """The program as ``make run`` starts it, on port 8391, with folders of its own."""
    with tempfile.TemporaryDirectory(prefix="t4dm-") as folder:
        env = os.environ | {
            "PORT": "8391", "T4DM_RUN_DIR": f"{folder}/run", "T4DM_DATA_DIR": f"{folder}/data",
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard.launch"], cwd=ROOT, env=env,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        address = process.stdout.readline().rpartition(" ")[2].strip()
        try:
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def wait_running(door: Door) -> None:
    """Until the session runs and holds 3 s of history."""
    while (line := door.line())["state"] != "running" or (line["step"] or 0) < 3000:
        time.sleep(0.5)


class Viewer(threading.Thread):
    """A page's polls, 30 a second."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self._door, self.frames, self._end = Door(address), 0, threading.Event()

    def run(self) -> None:
        next_at = time.monotonic()
        while not self._end.is_set():
            self._door.get("/sessions/default/frames?span_ms=300&rows=spread:200")
            self.frames += 1
            next_at = max(next_at + 1 / VIEWER_HZ, time.monotonic())
            self._end.wait(next_at - time.monotonic())

    def stop(self) -> None:
        self._end.set()
        self.join(5)


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of ``values`` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure_gets(address: str, rounds: int) -> list[dict[str, Any]]:
    """Each GET ``rounds`` times, in turns, beside one viewer."""
    door, times = Door(address), {path: [] for path in (*SMALL, RASTER)}
    sizes, bad = {}, dict.fromkeys(times, 0)
    for _ in range(rounds):
        for path, taken in times.items():
            status, body, ms = door.get(path)
            taken.append(ms)
            sizes[path] = len(body)
            bad[path] += status != 200
            time.sleep(0.02)
    return [
        {
            "path": path, "median_ms": round(statistics.median(ms), 2),
            "p95_ms": round(percentile(ms, 0.95), 2), "bytes": sizes[path], "not_200": bad[path],
            "goal_ms": RASTER_MS if path == RASTER else SMALL_MS,
        }
        for path, ms in times.items()
    ]  # fmt: skip


def speed(door: Door, seconds: float) -> float:
    """Simulated steps a second of the clock."""
    begun, first = time.monotonic(), door.line()["step"]
    time.sleep(seconds)
    return (door.line()["step"] - first) / (time.monotonic() - begun)


def crowd(address: str, seconds: float) -> dict[str, Any]:
    """Twenty clients at one request a second each: refusals by status, and the latencies."""
    statuses: dict[int, int] = {}
    times: list[float] = []
    lock, end = threading.Lock(), time.monotonic() + seconds

    def ask(number: int) -> None:
        door, turn = Door(address), number
        while time.monotonic() < end:
            status, _, ms = door.get(SMALL[turn % len(SMALL)])
            with lock:
                statuses[status] = statuses.get(status, 0) + 1
                times.append(ms)
            turn += 7
            time.sleep(max(0.0, 1.0 - ms / 1000))

    threads = [threading.Thread(target=ask, args=(k,), daemon=True) for k in range(CLIENTS)]
    for k, thread in enumerate(threads):
        thread.start()
        time.sleep(1 / CLIENTS if k < CLIENTS - 1 else 0)
    for thread in threads:
        thread.join()
    failed = sum(count for status, count in statuses.items() if status >= 500)
    return {
        "clients": CLIENTS, "seconds": seconds, "requests": sum(statuses.values()),
        "statuses": {str(k): v for k, v in sorted(statuses.items())}, "server_errors": failed,
        "p95_ms": round(percentile(times, 0.95), 2),
    }  # fmt: skip


def slow_down(address: str, seconds: float) -> dict[str, Any]:
    """Unpaced speed of the simulation alone and under the crowd."""
    door = Door(address)
    alone = speed(door, min(20.0, seconds))
    found: dict[str, Any] = {}
    thread = threading.Thread(target=lambda: found.update(crowd(address, seconds)))
    thread.start()
    loaded = speed(door, max(1.0, seconds - 2))
    thread.join()
    return found | {
        "steps_a_second_alone": round(alone), "steps_a_second_loaded": round(loaded),
        "slower_by": round(1 - loaded / alone, 4), "goal": SLOWER,
    }  # fmt: skip


def post(address: str, body: Any) -> None:
    """A command."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    headers = {"X-API-Key": os.environ.get("T4DM_API_KEY", "")}
    connection.request("POST", "/sessions/default/commands", json.dumps(body), headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()


def measure(address: str, rounds: int, seconds: float) -> dict[str, Any]:
    """Everything, in this order: each GET beside a viewer; the crowd, paced, then unpaced."""
    wait_running(Door(address))
    viewer = Viewer(address)
    viewer.start()
    begun = time.monotonic()
    gets = measure_gets(address, rounds)
    viewer_hz = viewer.frames / (time.monotonic() - begun)
    viewer.stop()
    paced = crowd(address, seconds)
    ratio = Door(address).line()["ratio"]
    post(address, {"type": "speed", "value": "max"})
    time.sleep(2)
    unpaced = slow_down(address, seconds)
    post(address, {"type": "speed", "value": 1.0})
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "command": "python benchmarks/bench_rest.py", "viewer_hz": round(viewer_hz, 1),
        "gets": gets, "crowd_at_1x": paced | {"real_time_ratio": ratio}, "crowd_unpaced": unpaced,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", help="of a running program; default: starts one")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=180.0)
    args = parser.parse_args()
    if args.address:
        found = measure(args.address, args.rounds, args.seconds)
    else:
        with program() as address:
            found = measure(address, args.rounds, args.seconds)
    RESULT.write_text(json.dumps(found, indent=1) + "\n")
    for line in found["gets"]:
        mark = "" if line["p95_ms"] <= line["goal_ms"] else "  over the goal"
        print(f"{line['path']:52s} {line['median_ms']:7.1f} {line['p95_ms']:7.1f} ms{mark}")
    print(json.dumps(found["crowd_at_1x"]), json.dumps(found["crowd_unpaced"]), sep="\n")


if __name__ == "__main__":
    main()
