"""Train the hippocampal transformer on real text: one command a named run.

    python benchmarks/train_text.py memorise --out runs/memorise
    python benchmarks/train_text.py read     --out runs/read [--steps 5000] [--publish]

Started again with the same folder it goes on from the last checkpoint and gives the same losses, bit
for bit, also after ``kill -9``.  Every step's loss, gradient norm, rate and phase is in
``steps.jsonl``.  At the end ``summary.json`` holds the numbers and the samples; ``--publish`` puts it,
and the course of the run, into benchmarks/results/training_<run>.json and .npz.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from report import RESULTS, machine, write

from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.training import checkpoint
from t4dm.training.run_files import RunFiles
from t4dm.training.runs import RUNS, Material, NamedRun
from t4dm.training.summary import summary
from t4dm.training.trainer import StepReport, Trainer

TOLD_EVERY = 25
QUICK_EVERY, QUICK_WINDOWS = 250, 64


class Sitting:
    """One process's part of a run: clocks, progress lines, checkpoints."""

    def __init__(self, trainer: Trainer, files: RunFiles, run: NamedRun, steps: int, every: int):
        self.trainer, self.files, self.run, self.steps, self.every = (
            trainer, files, run, steps, every,
        )  # fmt: skip
        self.before = files.totals()
        self.began, self.began_cpu = time.monotonic(), time.process_time()
        self.first = trainer.step_number
        self.recent: list[StepReport] = []

    def go(self) -> None:
        """Train up to ``steps`` optimizer steps."""
        while self.trainer.step_number < self.steps:
            phase = self.trainer.phase
            report = self.trainer.step()
            self.files.add_step(report)
            self._tell(report, phase)
            done = report.step + 1
            if done in self.run.whole_at:
                self._score(None)
            elif done % QUICK_EVERY == 0:
                self._score(QUICK_WINDOWS)
            if done % self.every == 0 or done == self.steps:
                self.save()

    def save(self) -> None:
        checkpoint.save(self.files.checkpoint, self.trainer)
        self.files.set_totals(
            self.before["cpu_s"] + time.process_time() - self.began_cpu,
            self.before["wall_s"] + time.monotonic() - self.began,
        )

    def _score(self, windows: int | None) -> None:
        held_out, context = self.trainer.held_out, self.trainer.params.context
        assert held_out is not None
        n = (len(held_out) - 1) // context
        n = n if windows is None else min(n, windows)
        loss = self.trainer.evaluate(at_most=n)
        done = self.trainer.step_number
        self.files.add_held_out(done, loss, n * context)
        line = f"step {done:5d}  held-out loss {loss:.3f} on {n * context} tokens"
        self.files.tell(line, sys.stdout)

    def _tell(self, report: StepReport, phase: str) -> None:
        done = report.step + 1
        if self.recent and phase != self.recent[-1].phase:
            word = "falls asleep: replay begins" if phase == "sleep" else "wakes up"
            self.files.tell(f"step {report.step:5d}  {word}", sys.stdout)
        self.recent = [*self.recent[1 - TOLD_EVERY :], report]
        if not report.applied:
            self.files.tell(f"step {report.step:5d}  not finite, not applied", sys.stdout)
        if done % TOLD_EVERY and done != self.steps:
            return
        wall = time.monotonic() - self.began
        norms = [one.grad_norm for one in self.recent]
        awake = [one.loss for one in self.recent if one.phase == "wake"]
        left = wall / (done - self.first) * (self.steps - done)
        speed = report.tokens - self.first * self.trainer.params.batch * self.trainer.params.context
        self.files.tell(
            f"step {done:5d}/{self.steps}  loss {np.mean(awake or [report.loss]):.3f}"
            f"  norm {min(norms):.2f} to {max(norms):.2f}  rate {report.learning_rate:.1e}"
            f"  {speed / wall:.0f} tokens/s  {left / 60:.1f} min left",
            sys.stdout,
        )


def trainer_of(run: NamedRun, material: Material, files: RunFiles, seed: int) -> Trainer:
    """From the folder's checkpoint, or from the start."""
    if files.checkpoint.exists():
        trainer = checkpoint.load(files.checkpoint, material.train, material.held_out)
        files.cut(trainer.step_number)
        files.tell(f"step {trainer.step_number:5d}  goes on from the checkpoint", sys.stdout)
        return trainer
    files.cut(0)
    vocabulary = run.model.vocab_size
    files.tell(
        f"{run.what}; {len(material.train)} tokens, {len(material.held_out)} held out, "
        f"vocabulary {vocabulary}, ln {np.log(vocabulary):.2f}",
        sys.stdout,
    )
    model = HippocampalTransformer(run.model, seed)
    return Trainer(model, material.train, run.train, seed, material.held_out)


def publish(run: NamedRun, files: RunFiles, made: dict) -> None:
    """The summary and the course of the run into benchmarks/results."""
    steps, scored = files.read(files.steps), files.read(files.held_out)
    np.savez_compressed(
        RESULTS / f"training_{run.name}.npz",
        loss=np.float32([one["loss"] for one in steps]),
        grad_norm=np.float32([one["grad_norm"] for one in steps]),
        learning_rate=np.float32([one["learning_rate"] for one in steps]),
        asleep=np.uint8([one["phase"] == "sleep" for one in steps]),
        held_out_step=np.int32([one["step"] for one in scored]),
        held_out_loss=np.float32([one["loss"] for one in scored]),
        held_out_tokens=np.int32([one["tokens_scored"] for one in scored]),
    )
    command = f"python benchmarks/train_text.py {run.name} --out runs/{run.name} --publish"
    write(f"training_{run.name}", {"command": command, "machine": machine()} | made)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("run", choices=sorted(RUNS))
    ask.add_argument("--out", type=Path, required=True, help="folder of the run; resumed if begun")
    ask.add_argument("--steps", type=int, help="optimizer steps (default: the whole schedule)")
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--checkpoint-every", type=int, default=100)
    ask.add_argument("--publish", action="store_true", help="write benchmarks/results as well")
    asked = ask.parse_args()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    run, files = RUNS[asked.run], RunFiles(asked.out)
    material = run.material()
    trainer = trainer_of(run, material, files, asked.seed)
    sitting = Sitting(
        trainer, files, run, asked.steps or run.train.total_steps, asked.checkpoint_every
    )
    try:
        sitting.go()
    except KeyboardInterrupt:
        sitting.save()
        files.tell(f"step {trainer.step_number:5d}  stopped; the same command goes on", sys.stdout)
        return
    made = summary(run, material, trainer, files)
    (asked.out / "summary.json").write_text(json.dumps(made, indent=1) + "\n")
    if asked.publish:
        publish(run, files, made)


if __name__ == "__main__":
    main()
