"""A session killed 20 times at random moments and once at every write point, against one never killed.

    python benchmarks/bench_kill.py [--kills 20] [--points 30] [--long 6] [--engine module:class]

Every change is a request that the worker acknowledged at a step; afterwards the same requests are
applied at the same steps in a run that nobody killed, and every array of the two final states is
compared byte for byte: spikes (their running hash), weights, membranes, traces, random streams.
Creations of sessions are killed at each of their writes too, by ``POST /sessions`` and by ``branch``,
and asked for again with their key (``tests/killed_creations.py``).
Also measured: how long a worker takes from its start to its first status with a replay behind it, and
the replay alone after kills of a run that went as fast as it can for 4 to 9 s, with checkpoints as the
program writes them.
Writes ``benchmarks/results/kill.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from report import machine, write

from t4dm.live.checkpoint import CHECKPOINT_S
from t4dm.live.worker import DEFAULT_ENGINE
from tests.killing import ROOT, Killed, compare


def random_moments(engine: str, kills: int) -> dict[str, Any]:
    """Kills in the middle of steps, of free running, and of starting."""
    killed, starts = Killed(engine, seed=11), []
    try:
        killed.begin()
        while killed.deaths < kills:
            killed.advance(killed.rng.randrange(50, 400))
            killed.run_and_kill()
            killed.kill()
            began = time.perf_counter()
            killed.again()
            starts.append(time.perf_counter() - began)
        differing = compare(killed)
        step = max(at for at, _ in killed.ops)
        return {
            "kills": killed.deaths, "requests": len(killed.ops), "last_step": step,
            "arrays_that_differ": differing, "start_s_median": round(float(np.median(starts)), 2),
        }  # fmt: skip
    finally:
        killed.close()


def write_points(engine: str, points: int) -> dict[str, Any]:
    """One worker for each of the first ``points`` writes, fsyncs and renames, which it dies at."""
    killed = Killed(engine, seed=12)
    try:
        killed.begin()
        for point in range(1, points + 1):
            killed.die_at(point)
        differing = compare(killed)
        return {
            "points": points, "kills": killed.deaths, "requests": len(killed.ops),
            "arrays_that_differ": differing,
        }  # fmt: skip
    finally:
        killed.close()


def long_runs(engine: str, kills: int) -> dict[str, Any]:
    """Unpaced for seconds, a change, and a kill: what is run again, and how long that takes."""
    killed = Killed(engine, checkpoint_s=CHECKPOINT_S, seed=13)
    again: list[dict[str, Any]] = []
    try:
        killed.begin()
        for _ in range(kills):
            assert killed.ask({"type": "run"})
            time.sleep(killed.rng.uniform(4.0, 9.0))
            change = killed.change()
            answer = killed.ask([*change, {"type": "pause"}])
            assert answer is not None
            killed.ops.append((answer["step"], change))
            killed.kill()
            again.append(killed.again()["replayed"])
        return {
            "kills": killed.deaths, "arrays_that_differ": compare(killed),
            "steps_again": [part["to"] - part["from"] for part in again],
            "took_s": [part["took_s"] for part in again],
        }  # fmt: skip
    finally:
        killed.close()


def creations() -> dict[str, Any]:
    """Creations killed at every write, in a process that forks: no thread may have begun in it."""
    command = [sys.executable, "-m", "tests.killed_creations"]
    env = os.environ | {"T4DM_LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--points", type=int, default=30)
    parser.add_argument("--long", type=int, default=6)
    parser.add_argument("--engine", default=DEFAULT_ENGINE)
    args = parser.parse_args()
    results = {
        "engine": args.engine,
        "random_moments": random_moments(args.engine, args.kills),
        "write_points": write_points(args.engine, args.points),
        "long_runs": long_runs(args.engine, args.long),
        "creations": creations(),
    }
    write("kill", {"machine": machine(), **results})
    print(results)
    for part in ("random_moments", "write_points", "long_runs"):
        assert results[part]["arrays_that_differ"] == [], part
    assert not any(part["troubles"] for part in results["creations"].values()), results["creations"]


if __name__ == "__main__":
    main()
