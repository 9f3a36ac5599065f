"""Training speed beside a plain GPT of the same width, depth, heads, context and vocabulary.

    python benchmarks/bench_training.py [--blocks 6] [--steps 10]

Both train on the same batches in one process, in turns, one thread; ours with prosody, memory and
sleep on (its usual share of the steps, in every block).  Tokens a CPU second, so that other
programs on the machine count less; medians over the blocks.  Two sizes: those of the runs ``read``
and ``memorise``.  Writes benchmarks/results/training_speed.json.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from plain_gpt import PlainGPT, PlainTrainer
from report import machine, write

from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.training.runs import RUNS
from t4dm.training.trainer import Trainer

RUN_IN = 3
SEED = 0


def cpu_seconds(step: Callable[[], Any], n: int) -> float:
    began = time.process_time()
    for _ in range(n):
        step()
    return time.process_time() - began


def measure(name: str, blocks: int, steps: int) -> dict[str, Any]:
    """Median tokens a CPU second of both, and the median of the ratios of neighbouring blocks."""
    run = RUNS[name]
    text = run.material().train
    # a sleep has its usual share of the steps, but comes often enough to fall into every block
    train = run.train.model_copy(update={"sleep_every": 20, "sleep_steps": 1})
    torch.manual_seed(SEED)
    ours = Trainer(HippocampalTransformer(run.model, SEED), text, train, SEED)
    plain = PlainTrainer(PlainGPT(run.model), text, train, SEED)
    tokens = steps * train.batch * train.context
    for _ in range(RUN_IN):
        ours.step(), plain.step()
    rows = [
        (tokens / cpu_seconds(ours.step, steps), tokens / cpu_seconds(plain.step, steps))
        for _ in range(blocks)
    ]
    mine, theirs = np.array(rows).T
    made = {
        "run": name,
        "vocabulary": run.model.vocab_size,
        "dim": run.model.dim,
        "layers": run.model.n_layers,
        "context": train.context,
        "batch": train.batch,
        "tokens_a_cpu_s": float(np.median(mine)),
        "plain_tokens_a_cpu_s": float(np.median(theirs)),
        "ratio": float(np.median(mine / theirs)),
        "ratios": [round(float(one), 3) for one in mine / theirs],
        "events_in_memory": ours.memory.used,
    }
    print(
        f"{name}: {made['tokens_a_cpu_s']:.0f} against {made['plain_tokens_a_cpu_s']:.0f} "
        f"tokens a CPU second, ratio {made['ratio']:.2f}"
    )
    return made


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--blocks", type=int, default=6)
    ask.add_argument("--steps", type=int, default=10)
    asked = ask.parse_args()
    torch.set_num_threads(1)
    rows = [measure(name, asked.blocks, asked.steps) for name in ("read", "memorise")]
    write("training_speed", {"machine": machine(), "threads": 1, "rows": rows})


if __name__ == "__main__":
    main()
