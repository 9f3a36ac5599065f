"""Training speed beside a plain GPT of the same width, depth, heads, context and vocabulary.

    python benchmarks/bench_training.py [--blocks 6]

Three train on the same batches in one process, in turns, one thread: ours with prosody, memory and
sleep on, the same with EWC on too, the plain GPT.  A block is one cycle of waking and sleeping: sleep
has its usual share of the steps, and the Fisher information that each sleep ends with its usual share
of sequences, rounded up.  Tokens a CPU second, so that other programs on the machine count less;
medians over the blocks.  Two sizes: those of the runs ``read`` and ``memorise``.  Writes
benchmarks/results/training_speed.json.
"""

from __future__ import annotations

import argparse
import math
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

SEED = 0
AWAKE, ASLEEP = 20, 1  # steps of a block: a tenth of a usual cycle
EWC_STRENGTH = 1.0


def cpu_seconds(step: Callable[[], Any], n: int) -> float:
    began = time.process_time()
    for _ in range(n):
        step()
    return time.process_time() - began


def measure(name: str, blocks: int) -> dict[str, Any]:
    """Median tokens a CPU second of all three, and medians of the ratios of neighbouring blocks."""
    run = RUNS[name]
    text = run.material().train
    assert run.train.sleep_every * ASLEEP == run.train.sleep_steps * AWAKE
    train = run.train.model_copy(update={"sleep_every": AWAKE, "sleep_steps": ASLEEP})
    samples = math.ceil(run.train.ewc_samples * AWAKE / run.train.sleep_every)
    held = train.model_copy(update={"ewc_strength": EWC_STRENGTH, "ewc_samples": samples})
    torch.manual_seed(SEED)
    ours, anchored = (
        Trainer(HippocampalTransformer(run.model, SEED), text, one, SEED) for one in (train, held)
    )
    plain = PlainTrainer(PlainGPT(run.model), text, train, SEED)
    steps = AWAKE + ASLEEP
    tokens = steps * train.batch * train.context
    found = [
        [tokens / cpu_seconds(one.step, steps) for one in (ours, anchored, plain)]
        for _ in range(1 + blocks)
    ][1:]  # the first begins without events, anchors and compiled kernels
    mine, with_ewc, theirs = np.array(found).T
    if anchored.held is None:
        raise SystemExit(f"{name}: no Fisher information was taken")
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
        "ewc_tokens_a_cpu_s": float(np.median(with_ewc)),
        "ewc_ratio": float(np.median(with_ewc / theirs)),
        "ewc_ratios": [round(float(one), 3) for one in with_ewc / theirs],
        "ewc_samples_a_step": samples / steps,
        "events_in_memory": ours.memory.used,
    }
    print(
        f"{name}: {made['tokens_a_cpu_s']:.0f} against {made['plain_tokens_a_cpu_s']:.0f} "
        f"tokens a CPU second, ratio {made['ratio']:.2f}; with EWC {made['ewc_ratio']:.2f}"
    )
    return made


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--blocks", type=int, default=6)
    asked = ask.parse_args()
    torch.set_num_threads(1)
    rows = [measure(name, asked.blocks) for name in ("read", "memorise")]
    write("training_speed", {"machine": machine(), "threads": 1, "rows": rows})


if __name__ == "__main__":
    main()
