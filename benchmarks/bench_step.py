"""Is the default network at home in steps of every length, and what does a step cost?

    python benchmarks/bench_step.py [--seconds 10] [--seeds 2]

Default parameters of each ``dt``, STDP and homeostasis on, for every stimulus: rates of the stages in
Hz after the first second, findings of the doctor from the first step on, processor time a step.
Writes benchmarks/results/step.json.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from clinic import open_session, put
from clinic import run as run_session
from report import machine, write

from t4dm.live.engine import StackConfig
from t4dm.step_length import STEPS_MS

STIMULI = ("digits", "text", "sine", "noise")
RUN_IN_MS = 1000


def examine(dt: float, seed: int, kind: str, seconds: float, folder: Path) -> dict[str, Any]:
    """One run: rates of its groups in Hz, what was found, and the time of a step."""
    session = open_session(StackConfig(), seed, folder, dt)
    put(session, {"stimulus.kind": kind})
    found, rates = [], []

    def keep(segment: Any) -> None:
        found.extend(e for e in segment.meta["events"] if e["type"] == "finding")
        if segment.step0 * dt >= RUN_IN_MS:
            rates.append(segment.rates)

    began = time.process_time()
    run_session(session, round(1000 * seconds / dt), keep)
    cpu = time.process_time() - began
    hz = np.concatenate(rates).mean(axis=0) / np.array(session.layout.sizes) / dt * 1000
    grave = [e for e in found if e["severity"] != "note"]
    stages = hz[: session.engine.n_stages]
    print(
        f"dt {dt:<4g} seed {seed} {kind:7s} {stages.min():5.1f} to {stages.max():5.1f} Hz,"
        f" graver than a note {len(grave)}, {1000 * cpu / session.engine.step:.3f} ms CPU a step"
    )
    return {
        "dt_ms": dt, "seed": seed, "stimulus": kind, "seconds": seconds,
        "hz": hz.round(2).tolist(), "graver_than_note": len(grave),
        "findings": sorted({f"{e['severity']} {e['id']} {e['where']['group']}" for e in found}),
        "cpu_ms_per_step": 1000 * cpu / session.engine.step,
    }  # fmt: skip


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=10.0)
    ask.add_argument("--seeds", type=int, default=2)
    options = ask.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            examine(dt, seed, kind, options.seconds, Path(folder))
            for seed in range(options.seeds)
            for kind in STIMULI
            for dt in STEPS_MS
        ]
    write("step", {
        "machine": machine(), "run_in_ms": RUN_IN_MS,
        "all_in_peace": all(run["graver_than_note"] == 0 for run in runs), "runs": runs,
    })  # fmt: skip


if __name__ == "__main__":
    main()
