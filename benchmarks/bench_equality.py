"""The live engine against its readable twin, the torch stack, at the default size.

    python benchmarks/bench_equality.py [--steps 2000] [--seeds 3] [--float32-seeds 8]

float64: every spike and every weight, with every kind of parameter change on the way.  float32: the
step of the first spike that rounding flips, and the rates; beside them how far the rates of the engine move
when one neuron is made to fire once more at the start, which is what any flipped spike does to this network.
``pooled`` takes the float32 runs of all seeds together (docs/decisions/0021).
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
from tests.engine_reference import (
    ALL_KINDS,
    FEW,
    Agreement,
    Changes,
    Reference,
    follow,
    rate_errors,
    segments,
)

Row = dict[str, Any]


def compare(
    dtype: Literal["float32", "float64"], seed: int, steps: int, changes: Changes, folder: Path
) -> tuple[Row, np.ndarray]:
    """One run of both, step by step; with the spikes of each group (engine, modules)."""
    config = StackConfig(dtype=dtype)
    engine = Engine(config, ParamTree(config.n_blocks), seed, folder)
    reference = Reference(config, seed, folder)
    agreement = Agreement(engine, reference)
    began = time.perf_counter()
    paths = follow(engine, reference, steps, changes, agreement.look)
    network, stages = rate_errors(*agreement.spikes)
    row = {
        "dtype": dtype,
        "seed": seed,
        "steps": steps,
        "changes": sum(map(len, changes.values())),
        "stdp_paths": sorted(paths),
        "first_flipped_spike_step": agreement.first_flip,
        "largest_weight_gap_before_it": agreement.largest_weight_gap,
        "rate_error": network,
        "largest_stage_rate_error": float(stages.max()),
        "seconds": round(time.perf_counter() - began, 1),
    }
    print(", ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    return row, agreement.spikes


def one_spike_more(seed: int, steps: int, changes: Changes, folder: Path) -> tuple[Row, np.ndarray]:
    """The float32 engine beside itself with the first neuron made to fire in the first step."""
    config = StackConfig(dtype="float32")
    fired = []
    for nudge in (0.0, 2.0):
        engine = Engine(config, ParamTree(config.n_blocks), seed, folder)
        engine.arrays.u[0, 0] += np.float32(nudge)
        each = segments(engine, steps, changes, np.random.default_rng(5))
        fired.append(sum(segment.rates.sum(axis=0, dtype=np.int64) for segment in each))
    spikes = np.stack(fired[::-1])  # nudged, as it is
    network, stages = rate_errors(*spikes)
    row = {
        "seed": seed,
        "steps": steps,
        "rate_error": network,
        "largest_stage_rate_error": float(stages.max()),
    }
    print(
        "one spike more:", ", ".join(f"{name} {value}" for name, value in row.items()), flush=True
    )
    return row, spikes


def pooled(spikes: list[np.ndarray]) -> Row:
    """The rates of all runs taken together."""
    network, stages = rate_errors(*sum(spikes))
    return {
        "runs": len(spikes),
        "rate_error": network,
        "largest_stage_rate_error": float(stages.max()),
    }


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--steps", type=int, default=2000)
    ask.add_argument("--seeds", type=int, default=3, help="of float64: 1, 2, ...")
    ask.add_argument("--float32-seeds", type=int, default=8)
    options = ask.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        where, steps = Path(folder), options.steps
        seeds = range(1, options.float32_seeds + 1)
        single = [compare("float32", s, steps, FEW, where) for s in seeds]
        beside = [one_spike_more(s, steps, FEW, where) for s in seeds]
        double = [
            compare("float64", s, steps, ALL_KINDS, where) for s in range(1, options.seeds + 1)
        ]
    together = {
        "float32": pooled([spikes for _, spikes in single]),
        "one_spike_more": pooled([spikes for _, spikes in beside]),
    }
    write(
        "equality",
        {
            "machine": machine(),
            "runs": [row for row, _ in (*double, *single)],
            "one_spike_more": [row for row, _ in beside],
            "pooled": together,
        },
    )


if __name__ == "__main__":
    main()
