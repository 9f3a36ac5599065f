"""The clinic's table: seventeen faults, each trained beside its sound model.

    python benchmarks/bench_clinic.py [--steps 300] [--seed 0] [--out FOLDER]

One thread, about ten minutes.  Started again with the same folder it goes on after the last run that
was done.  Writes benchmarks/results/clinic.json; the Training page shows the same table, and makes it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from report import machine, write

from t4dm.training.clinic import RUN, STEPS, jobs, table
from t4dm.training.ngram import unigram_losses
from t4dm.training.runs import RUNS


def told(name: str, done: int, step: int) -> None:
    if step == 0 and name:
        print(f"{done + 1:2d}/{len(jobs())}  {name}", flush=True)


def unigram() -> float:
    """Held-out loss of a model that knows how frequent each token is and nothing else."""
    run, material = RUNS[RUN], RUNS[RUN].material()
    return float(
        unigram_losses(material.train.ids, material.held_out.ids, run.model.vocab_size).mean()
    )


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--steps", type=int, default=STEPS)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--out", type=Path, help="keeps the runs that are done")
    asked = ask.parse_args()
    torch.set_num_threads(1)
    folder = asked.out or Path(tempfile.mkdtemp(prefix="t4dm-clinic-"))
    made = table(folder, asked.seed, asked.steps, told)
    write("clinic", {"machine": machine(), "threads": 1, "unigram": unigram()} | made)
    if asked.out is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
