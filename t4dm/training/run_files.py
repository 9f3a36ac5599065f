"""The files of a run: a checkpoint, one line a step, one line an evaluation, the log, the totals.

    run.ckpt        checkpoint, safetensors (t4dm.training.checkpoint)
    steps.jsonl     {"step", "phase", "loss", "penalty", "grad_norm", "learning_rate", "tokens", "applied"}
    held_out.jsonl  {"step", "loss", "tokens_scored"}, step: optimizer steps done
    totals.json     CPU and wall seconds of all sittings up to the checkpoint
    run.log         what was told while it ran
A run that was killed wrote lines after its last checkpoint; ``cut`` takes them away, so that a
resumed run writes them again, the same bit for bit.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from t4dm.store.files import write_durable
from t4dm.training.trainer import StepReport


class RunFiles:
    """The folder of one run; made when it is missing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.checkpoint = folder / "run.ckpt"
        self.steps, self.held_out = folder / "steps.jsonl", folder / "held_out.jsonl"
        self._totals, self._log = folder / "totals.json", folder / "run.log"

    def add_step(self, report: StepReport) -> None:
        _append(self.steps, json.dumps(asdict(report)))

    def add_held_out(self, step: int, loss: float, tokens_scored: int) -> None:
        line = {"step": step, "loss": loss, "tokens_scored": tokens_scored}
        _append(self.held_out, json.dumps(line))

    def tell(self, line: str, screen: TextIO) -> None:
        """Into the log and onto the screen."""
        _append(self._log, line)
        screen.write(line + "\n")
        screen.flush()

    def read(self, path: Path) -> list[dict[str, Any]]:
        """The lines of ``steps`` or ``held_out``; none where the file is missing."""
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text().splitlines()]

    def cut(self, step: int) -> None:
        """Without what was written after ``step`` steps had been done, half lines included."""
        for path, first_after in ((self.steps, step), (self.held_out, step + 1)):
            if path.exists():
                kept = [
                    line
                    for line in path.read_text().splitlines(keepends=True)
                    if line.endswith("\n") and json.loads(line)["step"] < first_after
                ]
                write_durable(path, "".join(kept).encode())

    def totals(self) -> dict[str, float]:
        """Seconds spent before the last checkpoint."""
        if not self._totals.exists():
            return {"cpu_s": 0.0, "wall_s": 0.0}
        return json.loads(self._totals.read_text())

    def set_totals(self, cpu_s: float, wall_s: float) -> None:
        text = json.dumps({"cpu_s": round(cpu_s, 2), "wall_s": round(wall_s, 2)})
        write_durable(self._totals, text.encode())


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line + "\n")
