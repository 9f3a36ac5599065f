"""Does EWC keep an old task?  Forgetting with and without it, three seeds, two real tasks.

    python benchmarks/bench_training_ewc.py [--seeds 3] [--steps 300]

Task A: the text that comes with the program (English of 1901).  Task B: Python's own documentation
(``pydoc_data.topics``, PSF licence).  One vocabulary of 1024 tokens learnt from both.  The model
learns A, measures Fisher information there and anchors its weights, then learns B with the pull at
several strengths, from the same weights with the same batches; no sleep, so that replay does not
help.  Forgetting: held-out loss of A after B, less the same before it.
Writes benchmarks/results/training_ewc.json.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from report import machine, write

from t4dm.hippocampal.params import HippocampalParams
from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.training import checkpoint
from t4dm.training.corpus import american_standard_version
from t4dm.training.data import TokenText
from t4dm.training.params import TrainParams
from t4dm.training.tokenizer import LearnedTokenizer
from t4dm.training.trainer import Trainer

CHARACTERS = 400_000
VOCABULARY, CONTEXT, WINDOWS = 1024, 64, 100
STRENGTHS = (0.0, 1e2, 1e3, 1e4)
MODEL = HippocampalParams(
    vocab_size=VOCABULARY, dim=64, n_layers=2, n_heads=4, max_seq_len=CONTEXT, dropout=0.0,
    n_place=128, memory_size=512,
)  # fmt: skip


def tasks() -> tuple[TokenText, TokenText]:
    """A and B as tokens of one vocabulary."""
    texts = [american_standard_version()[:CHARACTERS], "\n".join(topics.values())[:CHARACTERS]]
    tokenizer = LearnedTokenizer.learn("\n".join(texts), VOCABULARY)
    a, b = (TokenText.read(text, tokenizer) for text in texts)
    return a, b


def measure(seed: int, steps: int, both: tuple[TokenText, TokenText]) -> list[dict[str, Any]]:
    """One row a strength."""
    (a, a_kept), (b, b_kept) = (text.split(0.1) for text in both)
    params = TrainParams(
        learning_rate=2e-3, warmup=50, total_steps=steps, final_share=1.0, batch=8,
        context=CONTEXT, sleep_every=0, ewc_samples=64, memory_writes=16,
    )  # fmt: skip
    trainer = Trainer(HippocampalTransformer(MODEL, seed), a, params, seed)
    for _ in range(steps):
        trainer.step()
    trainer.consolidate()
    before_a, before_b = (trainer.evaluate(kept, WINDOWS) for kept in (a_kept, b_kept))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "after_a.ckpt"
        checkpoint.save(path, trainer)
        for strength in STRENGTHS:
            again = checkpoint.load(path, b, other_text=True)
            again.params = params.model_copy(update={"ewc_strength": strength})
            for _ in range(steps):
                again.step()
            after_a, after_b = (again.evaluate(kept, WINDOWS) for kept in (a_kept, b_kept))
            rows.append({
                "seed": seed, "strength": strength,
                "a_before": before_a, "a_after": after_a, "forgetting": after_a - before_a,
                "b_before": before_b, "b_after": after_b, "learnt": before_b - after_b,
            })  # fmt: skip
            print(
                f"seed {seed}  strength {strength:8.0f}  A {before_a:.3f} to {after_a:.3f}"
                f"  B {before_b:.3f} to {after_b:.3f}",
                flush=True,
            )
    return rows


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("--steps", type=int, default=300)
    asked = ask.parse_args()
    torch.set_num_threads(1)
    both = tasks()
    rows = [row for seed in range(asked.seeds) for row in measure(seed, asked.steps, both)]
    means = [
        {"strength": strength} | {
            key: float(np.mean([row[key] for row in rows if row["strength"] == strength]))
            for key in ("forgetting", "learnt", "a_after", "b_after")
        }
        for strength in STRENGTHS
    ]  # fmt: skip
    write("training_ewc", {
        "machine": machine(), "steps_a_task": asked.steps, "seeds": asked.seeds,
        "tokens": [len(text) for text in both], "model": MODEL.model_dump(),
        "means": means, "rows": rows,
    })  # fmt: skip


if __name__ == "__main__":
    main()
