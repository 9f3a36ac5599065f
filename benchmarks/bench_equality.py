"""The live engine against its readable twin, the torch stack, at the default size.

    python benchmarks/bench_equality.py [--steps 2000] [--seeds 3]

float64: every spike and every weight, with every kind of parameter change on the way.  float32: the
step of the first spike that rounding flips, and the rates; beside them how far the rates of the engine move
when one neuron is made to fire once more at the start, which is what any flipped spike does to this network.
Writes benchmarks/results/equality.json.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from report import machine, write

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.tree import ParamTree
from tests.engine_reference import ALL_KINDS, FEW, Agreement, Changes, Reference, follow, segments


def compare(
    dtype: Literal["float32", "float64"], seed: int, steps: int, changes: Changes, folder: Path
) -> dict[str, Any]:
    """One run of both, step by step."""
    config = StackConfig(dtype=dtype)
    engine = Engine(config, ParamTree(config.n_blocks), seed, folder)
    reference = Reference(config, seed, folder)
    agreement = Agreement(engine, reference)
    began = time.perf_counter()
    paths = follow(engine, reference, steps, changes, agreement.look)
    row = {
        "dtype": dtype,
        "seed": seed,
        "steps": steps,
        "changes": sum(map(len, changes.values())),
        "stdp_paths": sorted(paths),
        "first_flipped_spike_step": agreement.first_flip,
        "largest_weight_gap_before_it": agreement.largest_weight_gap,
        "rate_error": agreement.rate_error,
        "largest_stage_rate_error": float(agreement.stage_errors.max()),
        "seconds": round(time.perf_counter() - began, 1),
    }
    print(", ".join(f"{name} {value}" for name, value in row.items()))
    return row


def one_spike_more(seed: int, steps: int, changes: Changes, folder: Path) -> dict[str, Any]:
    """The float32 engine beside itself with the first neuron made to fire in the first step."""
    config = StackConfig(dtype="float32")
    fired = []
    for nudge in (0.0, 2.0):
        engine = Engine(config, ParamTree(config.n_blocks), seed, folder)
        engine.arrays.u[0, 0] += np.float32(nudge)
        each = segments(engine, steps, changes, np.random.default_rng(5))
        fired.append(sum(segment.rates.sum(axis=0, dtype=np.int64) for segment in each))
    ours, theirs = fired
    stages = np.abs(ours - theirs)[theirs > 0] / theirs[theirs > 0]
    row = {
        "seed": seed,
        "steps": steps,
        "rate_error": abs(float(ours.sum() / theirs.sum()) - 1),
        "largest_stage_rate_error": float(stages.max()),
    }
    print("one spike more:", ", ".join(f"{name} {value}" for name, value in row.items()))
    return row


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--steps", type=int, default=2000)
    ask.add_argument("--seeds", type=int, default=3)
    options = ask.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            compare(dtype, seed, options.steps, changes, Path(folder))
            for dtype, changes in (("float64", ALL_KINDS), ("float32", FEW))
            for seed in range(1, options.seeds + 1)
        ]
        beside = [
            one_spike_more(s, options.steps, FEW, Path(folder)) for s in range(1, options.seeds + 1)
        ]
    write("equality", {"machine": machine(), "runs": rows, "one_spike_more": beside})


if __name__ == "__main__":
    main()
