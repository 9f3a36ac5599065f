"""The live engine against its readable twin, the torch stack, at the default size.

    python benchmarks/bench_equality.py [--steps 2000] [--seeds 3]

float64: every spike and every weight, with every kind of parameter change on the way.  float32: the
step of the first spike that rounding flips, and the rates.  Writes benchmarks/results/equality.json.
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

import torch
from report import machine, write

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.tree import ParamTree
from tests.engine_reference import ALL_KINDS, FEW, Agreement, Changes, Reference, follow


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
    write("equality", {"machine": machine(), "runs": rows})


if __name__ == "__main__":
    main()
