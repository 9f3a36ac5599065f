"""Readers of the frame stream over HTTP: the rate of each, and what they cost the simulation.

    python benchmarks/bench_stream.py [--url URL] [--readers 16] [--seconds 20]

Without ``--url`` the program is started with its own folders on a free port.  Writes ``benchmarks/results/stream.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import threading
import time
from typing import Any

from program import await_running, command, get, program, session
from report import machine, write

GOALS = {"slowest_fps": 9, "slowed_percent": 15}


def frame_meta(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[4:8], "little")
    return json.loads(data[8 : 8 + length])["meta"]


class Reader(threading.Thread):
    """Polls at ``fps`` and counts the frames that brought something new."""

    def __init__(self, base: str, fps: float, until: float) -> None:
        super().__init__()
        self.base, self.period, self.until = base, 1 / fps, until
        self.frames = self.bytes = 0

    def run(self) -> None:
        place = ""
        due = time.monotonic()
        while due < self.until:
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due + self.period, time.monotonic() - self.period)
            data = get(f"{self.base}/sessions/default/frames?{place}")
            meta = frame_meta(data)
            if meta["kind"] != "status":
                self.frames += 1
                self.bytes += len(data)
                place = f"after={meta['seq']}&epoch={meta['epoch']}"


def steps_a_second(base: str, seconds: float) -> float:
    first, began = session(base)["step"], time.monotonic()
    time.sleep(seconds)
    return (session(base)["step"] - first) / (time.monotonic() - began)


def measure(base: str, readers: int, fps: float, seconds: float) -> dict[str, Any]:
    """Steps a second alone and with readers, and the frames a second of each reader."""
    alone = steps_a_second(base, seconds / 2)
    crowd = [Reader(base, fps, time.monotonic() + seconds) for _ in range(readers)]
    for reader in crowd:
        reader.start()
    shared = steps_a_second(base, seconds * 0.9)
    for reader in crowd:
        reader.join()
    rates = sorted(reader.frames / seconds for reader in crowd)
    return {
        "slowest_fps": round(rates[0], 2),
        "median_fps": round(statistics.median(rates), 2),
        "kb_a_frame": round(
            sum(r.bytes for r in crowd) / max(1, sum(r.frames for r in crowd)) / 1000, 1
        ),
        "steps_a_second_alone": round(alone),
        "steps_a_second_with_readers": round(shared),
        "slowed_percent": round(100 * (1 - shared / alone), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a running program; without it one is started")
    parser.add_argument("--readers", type=int, default=16)
    parser.add_argument("--fps", type=float, default=10)
    parser.add_argument("--seconds", type=float, default=20)
    args = parser.parse_args()
    asked = {"readers": args.readers, "asked_fps": args.fps, "goals": GOALS}
    result: dict[str, Any] = {"machine": machine()} | asked
    with contextlib.ExitStack() as stack:
        url = args.url or stack.enter_context(program()).url
        await_running(url)
        for speed in (1.0, "max"):
            command(url, {"type": "speed", "value": speed})
            time.sleep(1.5)
            result[f"speed {speed}"] = measure(url, args.readers, args.fps, args.seconds)
        command(url, {"type": "speed", "value": 1.0})
    write("stream", result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
