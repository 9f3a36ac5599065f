"""Does every stage of the default stack live?  Rates, silent neurons and regularity, several seeds.

    python benchmarks/bench_healthy.py [--seeds 3] [--cycles 30]

Default parameters, STDP and homeostasis on.  Counted over whole cycles of image and rest, after a
run-in.  ``cv_isi`` is the median over neurons of the coefficient of variation of their intervals
between spikes.  Writes benchmarks/results/healthy.json.
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
from report import machine, write

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.tree import ParamTree

RUN_IN = 1200
CHUNK = 64
LEAST_INTERVALS = 10


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


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("--cycles", type=int, default=30)
    options = ask.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            row
            for seed in range(options.seeds)
            for row in measure(seed, options.cycles, Path(folder))
        ]
    write("healthy", {
        "machine": machine(), "run_in_steps": RUN_IN, "cycles": options.cycles,
        "all_healthy": all(row["healthy"] for row in rows),
        "stages": rows,
    })  # fmt: skip


if __name__ == "__main__":
    main()
