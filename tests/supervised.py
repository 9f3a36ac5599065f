"""A supervisor with its worker in folders of their own, and a client of its session."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from t4dm.live.client import SessionClient
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[1]
TOY = [
    "--engine", "tests.toy_engine:ToyEngine", "--ring-bytes", str(32 << 20), "--checkpoint-s", "0.5",
]  # fmt: skip
START = "import sys, t4dm.live.supervisor as own; {}; sys.exit(own.main(sys.argv[1:]))"


class Program:
    """A supervisor in its own folders, and a client of its session.

    ``own`` is run in it before it starts: a shorter pause between restarts, say.
    """

    def __init__(self, options: list[str] = TOY, own: str = "pass", **environment: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="t4dm-"))  # short: socket paths have a limit
        self.run, self.data = self.folder / "run", self.folder / "data"
        self.options, self.code = options, START.format(own)
        self.environment = os.environ | environment
        self.environment |= {"T4DM_RUN_DIR": str(self.run), "T4DM_DATA_DIR": str(self.data)}
        self.log = self.folder / "log"
        self.client = SessionClient(self.run)
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", self.code, *self.options],
                cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        return self.process

    def live(self, not_pid: int | None = None) -> dict[str, Any]:
        """The status of a worker that has stepped and answers."""

        def found() -> dict[str, Any] | None:
            status = self.client.status()
            if status.get("state") not in ("running", "paused") or status["pid"] == not_pid:
                return None
            if not psutil.pid_exists(status["pid"]):  # the last word of one that has ended
                return None
            return status if status["worker"]["alive"] else None

        return eventually(found, "a live worker")

    def family(self) -> list[int]:
        """Pids of the supervisor and of all that it started."""
        return [self.process.pid, *(p.pid for p in psutil.Process(self.process.pid).children(True))]

    def end(self) -> None:
        """End in order, everything kept."""
        self.process.terminate()
        assert self.process.wait(60) == 0

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        shutil.rmtree(self.folder)
