"""Does every stage of the default stack live, and does the doctor leave it in peace?

    python benchmarks/bench_healthy.py [--seeds 3] [--cycles 30] [--doctor-seeds 5] [--seconds 60]

Default parameters, STDP and homeostasis on.  First rates, silent neurons and regularity, counted
over whole cycles of image and rest, after a run-in; ``cv_isi`` is the median over neurons of the
coefficient of variation of their intervals between spikes.  Then the health findings of runs of
STIMULI, each with every seed: none may be graver than a note.  Writes
benchmarks/results/healthy.json.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from clinic import open_session, put
from clinic import run as run_session
from report import machine, write

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.tree import ParamTree

RUN_IN = 1200
CHUNK = 64
LEAST_INTERVALS = 10
STIMULI = ("digits", "text", "sine", "noise")


def spikes(engine: Engine, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """(step, neuron id) of every spike of the next ``steps`` steps, in order of time."""
    end, times, ids = engine.step + steps, [], []
    while engine.step < end:
        segment = engine.advance(min(CHUNK, end - engine.step))
        times.append(np.repeat(np.arange(segment.step0, segment.step1), segment.spk_n))
        ids.append(segment.spk_id)
    return np.concatenate(times), np.concatenate(ids).astype(np.int64)


def interval_cv(times: np.ndarray, ids: np.ndarray) -> float | None:
    """Median CV of the intervals, over neurons with enough of them; None where there are none."""
    order = np.argsort(ids, kind="stable")
    trains = np.split(times[order], np.flatnonzero(np.diff(ids[order])) + 1)
    intervals = [np.diff(train) for train in trains if len(train) > LEAST_INTERVALS]
    values = [gaps.std() / gaps.mean() for gaps in intervals]
    return float(np.median(values)) if values else None


def measure(seed: int, cycles: int, folder: Path) -> list[dict[str, Any]]:
    """One row a stage."""
    tree = ParamTree(StackConfig().n_blocks)
    engine = Engine(StackConfig(), tree, seed, folder)
    steps = cycles * (tree.get("stimulus.image_ms") + tree.get("stimulus.rest_ms"))
    spikes(engine, RUN_IN)
    times, ids = spikes(engine, steps)
    rows = []
    first = 0
    for described in engine.describe()["groups"]:
        n, (lo, hi) = described["n"], described["band"]
        mine = (ids >= first) & (ids < first + n)
        counts = np.bincount(ids[mine] - first, minlength=n)
        first += n
        rows.append({
            "seed": seed,
            "stage": described["name"],
            "rate": float(counts.mean() / steps),
            "band": [lo, hi],
            "healthy": bool(lo <= counts.mean() / steps <= hi),
            "silent_share": float((counts == 0).mean()),
            "cv_isi": interval_cv(times[mine], ids[mine]),
        })  # fmt: skip
        rate, silent, cv = rows[-1]["rate"], rows[-1]["silent_share"], rows[-1]["cv_isi"]
        print(
            f"seed {seed}  {described['name']:16s} {rate:6.2%}  silent {silent:6.2%}  CV {cv:.2f}"
        )
    return rows


def examine(seed: int, kind: str, seconds: float, folder: Path) -> dict[str, Any]:
    """The findings of one healthy run, from its first step on."""
    session = open_session(StackConfig(), seed, folder)
    put(session, {"stimulus.kind": kind})
    found: list[dict[str, Any]] = []

    def keep(segment: Any) -> None:
        found.extend(e for e in segment.meta["events"] if e["type"] == "finding")

    run_session(session, round(1000 * seconds), keep)
    told = [
        {name: event[name] for name in ("t_ms", "id", "severity", "state", "rule")}
        for event in found
    ]
    grave = [event for event in told if event["severity"] != "note"]
    print(f"seed {seed}  {kind:8s} findings {len(told):3d}, graver than a note {len(grave)}")
    for event in grave:
        print("  ", event)
    waiting = session.doctor.waiting
    return {
        "seed": seed, "stimulus": kind, "seconds": seconds, "waiting": waiting,
        "graver_than_note": len(grave), "findings": told,
    }  # fmt: skip


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("--cycles", type=int, default=30)
    ask.add_argument("--doctor-seeds", type=int, default=5)
    ask.add_argument("--seconds", type=float, default=60.0)
    options = ask.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            row
            for seed in range(options.seeds)
            for row in measure(seed, options.cycles, Path(folder))
        ]
        runs = [
            examine(seed, kind, options.seconds, Path(folder))
            for seed in range(options.doctor_seeds)
            for kind in STIMULI
        ]
    write("healthy", {
        "machine": machine(), "run_in_steps": RUN_IN, "cycles": options.cycles,
        "all_healthy": all(row["healthy"] for row in rows),
        "stages": rows,
        "all_in_peace": all(row["graver_than_note"] == 0 for row in runs),
        "runs": runs,
    })  # fmt: skip


if __name__ == "__main__":
    main()
