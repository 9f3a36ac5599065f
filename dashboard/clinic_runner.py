"""The clinic, the making side: one child process for the table that is asked for.

The child trains (``t4dm.training.clinic_child``); this side starts it, tells how far it is, and kills
it when the table is no longer asked for or the jobs process ends.  It ends by itself, too, when its
parent is gone.  A table that was asked for and not finished is gone on with at the next start.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import diskcache

from dashboard.clinic import ASKED, LAST, NEWS, ROWS

POLL_S = 0.25
END_S = 10.0
TAIL = 400
TOLD_FROM = 0.002  # share of the whole from which on the time left is reckoned
MODULE = "t4dm.training.clinic_child"
ROOT = Path(__file__).resolve().parent.parent
log = logging.getLogger("t4dm.jobs")


class ClinicRunner:
    """Makes what ``cache`` asks for, in ``folder``.  ``tick`` is called again and again."""

    def __init__(self, cache: diskcache.Cache, folder: Path, module: str = MODULE) -> None:
        self.cache, self.folder, self.module = cache, folder, module
        self.child: subprocess.Popen[bytes] | None = None
        self.asked: dict[str, Any] = {}
        self._rows_seen = 0
        self._began = (0.0, 0.0)

    def tick(self) -> None:
        """Start, tell, end: whatever is due."""
        asked = json.loads(self.cache.get(ASKED) or "null")
        if self.child is not None and (asked is None or asked["id"] != self.asked["id"]):
            self.kill()
        if self.child is None:
            if asked is not None:
                self._start(asked)
            return
        self._tell()
        code = self.child.poll()
        if code is not None:
            self._ended(code)

    def serve(self, stop: threading.Event) -> None:
        """Until ``stop``; a tick that fails is logged and tried again."""
        while not stop.wait(POLL_S):
            try:
                self.tick()
            except (OSError, ValueError, KeyError, diskcache.Timeout):
                log.exception("the clinic's table")
        self.kill()

    def kill(self) -> None:
        """End the child at once; what it has done is kept."""
        if self.child is None:
            return
        self.child.kill()
        self.child.wait(END_S)
        self.child = None

    def _start(self, asked: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("progress.json", "rows.json"):
            (self.folder / name).unlink(missing_ok=True)
        command = [sys.executable, "-m", self.module, "--folder", str(self.folder)]
        for name in ("seed", "steps"):
            command += [f"--{name}", str(asked[name])]
        command += ["--parent", str(os.getpid())]
        with open(self.folder / "errors.log", "wb") as errors:
            self.child = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            )  # fmt: skip
        self.asked, self._rows_seen, self._began = asked, 0, (0.0, 0.0)
        self._news(None)

    def _tell(self) -> None:
        progress = _read(self.folder / "progress.json")
        if progress is None:
            return
        if not self._began[0]:
            self._began = (time.monotonic(), progress["share"])
        since, share = time.monotonic() - self._began[0], progress["share"] - self._began[1]
        left = since * (1 - progress["share"]) / share if share >= TOLD_FROM else None
        if progress["done"] != self._rows_seen and (rows := _read(self.folder / "rows.json")):
            self._rows_seen = progress["done"]
            self.cache.set(ROWS, json.dumps(rows))
        self._news(progress | {"left_s": left})

    def _news(self, progress: dict[str, Any] | None) -> None:
        if progress is None:
            self.cache.set(ROWS, "[]")
        self.cache.set(NEWS, json.dumps({"id": self.asked["id"], "progress": progress}))

    def _ended(self, code: int) -> None:
        self.child = None
        told = {"state": "done", "message": ""}
        if code != 0:
            tail = (self.folder / "errors.log").read_text(errors="replace").strip()
            log.error("the clinic's table was not made (exit %d): %s", code, tail[-4000:])
            last = tail.splitlines()[-1][:TAIL] if tail else ""
            told = {
                "state": "failed",
                "message": f"the table was not made: {last or f'exit {code}'}",
            }
        self.cache.set(LAST, json.dumps(told))
        self.cache.delete(ASKED)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None
