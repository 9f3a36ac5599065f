"""What reading a passage once does for it later, and whether arbitrary facts are recalled; before and
after training.

    python benchmarks/bench_training_recall.py [--steps 1000]

Passages: windows of 128 tokens of the held-out text of the run ``read``, whose bank holds every
token of twenty of them (2,560 events of 4,096), stored in one reading.  Their loss is taken without
the bank, with the bank of the next twenty passages (a memory of other things), and with their own.
Facts: six random tokens of the vocabulary, told once each in a text of their own, twenty of them;
then 640 tokens of other text are stored too; asked are the first five, after nine random tokens.
Right: the sixth is the likeliest.  Writes benchmarks/results/training_recall.json.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from report import machine, write
from torch import Tensor

from t4dm.hippocampal.memory_bank import MemoryBank
from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.training.data import Batch
from t4dm.training.runs import RUNS
from t4dm.training.trainer import Trainer
from t4dm.training.wake import Tensors, losses, on_device

PASSAGES, GROUPS = 20, 5
FACTS, LONG, BEFORE, OTHER = 20, 6, 9, 5
SEED = 0


def loss_of(model: HippocampalTransformer, batch: Tensors, memory: MemoryBank | None) -> float:
    """Nat a token of a batch, each passage begun without history."""
    made = model(batch.ids, batch.prosody, memory is not None, memory=memory)
    return float(losses(made, batch.targets).mean())


def having_read(model: HippocampalTransformer, batch: Tensors) -> MemoryBank:
    """A bank that holds every token of a batch of passages."""
    cue = model(batch.ids, batch.prosody, True, memory=model.empty_memory()).cue
    return model.remember(model.empty_memory(), cue.flatten(0, 1), batch.targets.flatten())


def passages(trainer: Trainer) -> dict[str, float]:
    """Means over ``GROUPS`` groups of passages."""
    model, text = trainer.model, trainer.held_out
    assert text is not None
    windows = text.windows(trainer.params.context, PASSAGES * (GROUPS + 1))
    groups = [
        on_device(Batch(*(np.ascontiguousarray(part[k : k + PASSAGES]) for part in windows)), model)
        for k in range(0, PASSAGES * (GROUPS + 1), PASSAGES)
    ]
    banks = [having_read(model, group) for group in groups]
    rows = [
        (loss_of(model, group, None), loss_of(model, group, other), loss_of(model, group, own))
        for group, own, other in zip(groups[:-1], banks[:-1], banks[1:], strict=True)
    ]
    without, with_others, with_own = np.mean(rows, axis=0)
    return {"without": float(without), "others_read": float(with_others), "read": float(with_own)}


def facts(trainer: Trainer) -> dict[str, float]:
    """Shares of facts whose last token is the likeliest, with the bank and without, and is found in it."""
    model, text = trainer.model, trainer.held_out
    assert text is not None
    draws = torch.Generator().manual_seed(SEED)
    vocabulary = model.params.vocab_size
    told = torch.randint(vocabulary, (FACTS, LONG), generator=draws)
    bank = model.empty_memory()
    other = torch.from_numpy(text.windows(trainer.params.context, OTHER).ids)
    for one in [*told, *other]:
        bank = model.remember(bank, model(one[None]).cue[0, :-1], one[1:])
    before = torch.randint(vocabulary, (FACTS, BEFORE), generator=draws)
    asked = torch.cat([before, told[:, :-1]], dim=1)
    made = model(asked, use_memory=True, memory=bank)
    assert made.recalled is not None
    found = bank.values[made.recalled.slot[:, -1, 0]]
    return {
        "answered": share(made.logits[:, -1].argmax(-1), told),
        "found": share(found, told),
        "without": share(model(asked).logits[:, -1].argmax(-1), told),
    }


def share(given: Tensor, told: Tensor) -> float:
    return float((given == told[:, -1]).float().mean())


@torch.no_grad()
def measure(trainer: Trainer) -> dict[str, Any]:
    """Both, at the step where the training stands."""
    trainer.model.eval()
    row = {"step": trainer.step_number, "passages": passages(trainer), "facts": facts(trainer)}
    trainer.model.train()
    print(row)
    return row


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--steps", type=int, default=1000)
    asked = ask.parse_args()
    torch.set_num_threads(1)
    run = RUNS["read"]
    material = run.material()
    model = HippocampalTransformer(run.model, SEED)
    trainer = Trainer(model, material.train, run.train, SEED, held_out=material.held_out)
    rows = [measure(trainer)]
    while trainer.step_number < asked.steps:
        trainer.step()
    rows.append(measure(trainer))
    write("training_recall", {
        "machine": machine(), "run": run.name, "groups": GROUPS, "passages": PASSAGES,
        "context": trainer.params.context, "facts": FACTS, "rows": rows,
    })  # fmt: skip


if __name__ == "__main__":
    main()
