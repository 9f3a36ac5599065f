"""The texts that a run wrote, one line of JSON each; no torch here, the web process reads them.

``{"run_id", "step", "run", "prompt", "temperature", "text"}``.  A run that was killed may write a text
again; of two with the same step, run, prompt and temperature the later counts.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TYPE = "sample"
FIELDS = ("step", "run", "prompt", "temperature", "text")
MOST = 2000  # texts that are served, the newest
MAX_BYTES = 8 << 20  # of the file; it then begins anew with the newest
log = logging.getLogger(__name__)


class Samples:
    """The file ``samples.jsonl`` in the folder of a session."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "samples.jsonl"

    def take(self, events: Iterable[dict[str, Any]], run_id: int) -> None:
        """Add the texts among ``events``; a disk that refuses is told to the log alone."""
        found = [event for event in events if event["type"] == TYPE]
        if not found:
            return
        lines = [
            json.dumps({"run_id": run_id} | {name: event[name] for name in FIELDS})
            for event in found
        ]
        try:
            if self.path.exists() and self.path.stat().st_size > MAX_BYTES:
                kept = self.read(run_id)[-MOST // 2 :]
                lines = [json.dumps({"run_id": run_id} | one) for one in kept] + lines
                self.path.unlink()
            with self.path.open("a") as file:
                file.write("\n" + "\n".join(lines) + "\n")  # after half a line of a killed one
        except OSError as error:
            log.warning("samples not written: %s", error.strerror)

    def read(self, run_id: int | None = None) -> list[dict[str, Any]]:
        """The texts of run ``run_id`` (None: of the newest that wrote any), by step."""
        lines = []
        try:
            for text in self.path.read_text(errors="replace").splitlines():
                try:
                    lines.append(json.loads(text))
                except ValueError:
                    continue  # torn by a kill
        except FileNotFoundError:
            return []
        if run_id is None:
            run_id = max((one["run_id"] for one in lines), default=0)
        kept = {
            (one["step"], one["run"], one["prompt"], one["temperature"]): one
            for one in lines
            if one["run_id"] == run_id
        }
        found = sorted(kept.values(), key=lambda one: (one["step"], str(one["run"])))
        return [{name: one[name] for name in FIELDS} for one in found][-MOST:]
