"""The clinic's table in a process of its own: ``python -m t4dm.training.clinic_child``.

    FOLDER/table.json      the newest table that was finished
    FOLDER/progress.json   {"seed", "steps", "name", "done", "total", "step", "share"}
    FOLDER/rows.json       the rows there are so far
    FOLDER/runs-...        runs that are done, for the same code, seed and steps: begun again, it goes on
It ends when the process that started it is gone.  Exit codes: 0 done, 3 left alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import torch

import t4dm
from t4dm.store.files import write_durable
from t4dm.training.clinic import jobs, rows, table

CODE = ("ablations.py", "brain", "hippocampal", "learning", "spiking", "training")
ALONE = 3


def code_digest() -> str:
    """Twelve hex digits that name the sources a run depends on."""
    root = Path(t4dm.__file__).parent
    digest = hashlib.sha256()
    for name in CODE:
        path = root / name
        for source in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


class Teller:
    """Writes how far the table is; ends the process when ``parent`` is gone."""

    def __init__(self, folder: Path, runs: Path, seed: int, steps: int, parent: int) -> None:
        self.folder, self.runs, self.parent = folder, runs, parent
        self.asked = {"seed": seed, "steps": steps}
        self.costs = [job.trial.cost for job in jobs()]
        self.told = -1

    def __call__(self, name: str, done: int, step: int) -> None:
        if os.getppid() != self.parent:
            sys.exit(ALONE)
        before, each = sum(self.costs[:done]), self.costs[done] if done < len(self.costs) else 0.0
        share = (before + each * step / self.asked["steps"]) / sum(self.costs)
        if done != self.told:
            _put(self.folder / "rows.json", json.dumps(rows(self.runs)))
            self.told = done
        told = {"name": name, "done": done, "total": len(self.costs), "step": step}
        _put(self.folder / "progress.json", json.dumps(self.asked | told | {"share": share}))


def _put(path: Path, text: str) -> None:
    """Whole or not at all, but not synced: it is news, not a record."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--folder", type=Path, required=True)
    ask.add_argument("--seed", type=int, required=True)
    ask.add_argument("--steps", type=int, required=True)
    ask.add_argument("--parent", type=int, required=True, help="process to end with")
    asked = ask.parse_args()
    torch.set_num_threads(1)
    runs = asked.folder / f"runs-{code_digest()}-{asked.seed}-{asked.steps}"
    runs.mkdir(parents=True, exist_ok=True)
    for other in asked.folder.glob("runs-*"):
        if other != runs:
            shutil.rmtree(other)
    teller = Teller(asked.folder, runs, asked.seed, asked.steps, asked.parent)
    made = table(runs, asked.seed, asked.steps, teller)
    write_durable(asked.folder / "table.json", json.dumps(made).encode())
    shutil.rmtree(runs)


if __name__ == "__main__":
    main()
