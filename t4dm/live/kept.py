"""Checkpoints of a run that have a name, and new sessions begun from them.

``kept/<name>.t4c`` in the folder of a session.  Files are written on a thread of their own, so that
the run never waits for a disk; the request is answered when the file is there.
"""

from __future__ import annotations

import logging
import os
import queue
import shutil
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from t4dm import commands as c
from t4dm.live import external_files, paths
from t4dm.live.checkpoint import KIND, Checkpoint
from t4dm.live.registry import DEFAULT_LIMITS, Limits, Registry, SessionSpec
from t4dm.live.run_session import RunSession
from t4dm.live.server import Request, failure
from t4dm.params import ParamError
from t4dm.store.sealed import NewerFormat, SealError, read_sealed, write_sealed

MOST = 20  # named checkpoints of one session
BRANCH = "branch.t4c"  # in the folder of a session that was begun from another's checkpoint
log = logging.getLogger(__name__)


class Done(NamedTuple):
    """A request about files that is done: its answer, and the event that tells of it."""

    request: Request
    answer: dict[str, Any]
    event: dict[str, Any] | None


class KeptFiles:
    """The named checkpoints in ``folder`` of the session ``spec``; ``limits`` hold for its branches."""

    DONE = "kept"  # op of the request that wakes the loop when one is done

    def __init__(
        self,
        folder: Path,
        spec: SessionSpec,
        data: Path,
        run: Path,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.folder, self.spec, self.data, self.run = folder / "kept", spec, data, run
        self.limits = limits
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kept")
        self._done: deque[Done] = deque()
        self._listed = self._read()

    def listed(self) -> list[dict[str, Any]]:
        """``{"name", "step", "seed"}`` of each, oldest step first."""
        return self._listed

    def ask(
        self, command: c.Command, session: RunSession, request: Request,
        requests: queue.SimpleQueue[Request],
    ) -> None:  # fmt: skip
        """Have ``command`` done on the thread; ``requests`` gets a :data:`DONE` after it."""
        copied = session.checkpoint() if isinstance(command, c.Checkpoint) else None

        def work() -> None:
            self._done.append(self._answered(command, copied, request))
            requests.put(Request(self.DONE))

        self._thread.submit(work)

    def take_done(self) -> Done | None:
        """The next one that is done; None where there is none."""
        return self._done.popleft() if self._done else None

    def close(self) -> None:
        """Finish what was asked."""
        self._thread.shutdown()

    def _answered(self, command: c.Command, copied: Checkpoint | None, request: Request) -> Done:
        try:
            new = self._do(command, copied)
        except ParamError as error:
            return Done(
                request, {"ok": False, "error": {"code": "invalid"} | error.to_json()}, None
            )
        except (OSError, SealError, NewerFormat) as error:
            message = f"{command.type}: {getattr(error, 'strerror', None) or error}"
            return Done(request, failure("disk", "type", message), None)
        event = {"type": command.type, "who": request.who} | new
        return Done(request, {"ok": True, "old": None, "new": new}, event)

    def _do(self, command: c.Command, copied: Checkpoint | None) -> dict[str, Any]:
        if isinstance(command, c.Checkpoint):
            assert copied is not None
            return self._keep(command.name, copied)
        if isinstance(command, c.Forget):
            self._path(command.checkpoint, "forget.checkpoint").unlink()
            self._listed = self._read()
            return {"checkpoint": command.checkpoint}
        assert isinstance(command, c.Branch)
        return self._branch(command)

    def _keep(self, name: str, copied: Checkpoint) -> dict[str, Any]:
        known = [one["name"] for one in self._listed]
        if name in known:
            message = f"checkpoint.name: there is a checkpoint '{name}' already"
            raise ParamError("name", message, choices=known)
        if len(known) >= MOST:
            message = f"checkpoint: {MOST} are kept already; forget one first"
            raise ParamError("name", message, lo=0, hi=MOST)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_sealed(self.folder / f"{name}.t4c", KIND, copied.meta, copied.arrays)
        self._listed = self._read()
        return {"checkpoint": name, "step": copied.meta["step"]}

    def _branch(self, command: c.Branch) -> dict[str, Any]:
        path = self._path(command.checkpoint, "branch.checkpoint")
        step = _head(path)["step"]
        spec = replace(self.spec, name=command.name or "", params={})
        taken = [paths.DEFAULT_SESSION, *external_files.names(self.run)]
        made = Registry(self.data).create(spec, taken, self.limits, _placed(path))
        return {"checkpoint": command.checkpoint, "step": step, "session": made.name}

    def _path(self, name: str, field: str) -> Path:
        known = [one["name"] for one in self._listed]
        if name not in known:
            message = f"{field}: there is no checkpoint '{name}'"
            raise ParamError("checkpoint", message, choices=known)
        return self.folder / f"{name}.t4c"

    def _read(self) -> list[dict[str, Any]]:
        found = []
        for path in self.folder.glob("*.t4c"):
            try:
                meta = _head(path)
            except (OSError, SealError, NewerFormat, KeyError) as error:
                log.warning("checkpoint %s is not listed: %s", path.name, error)
                continue
            found.append({"name": path.stem, "step": meta["step"], "seed": meta["seed"]})
        return sorted(found, key=lambda one: (one["step"], one["name"]))


def branched_from(folder: Path) -> Checkpoint | None:
    """The checkpoint that a session was begun from; None for one that begins from its seed.

    Raises SealError for a damaged file, OSError where it cannot be read.
    """
    path = folder / BRANCH
    return Checkpoint(*read_sealed(path, KIND)) if path.exists() else None


def _head(path: Path) -> dict[str, Any]:
    return read_sealed(path, KIND)[0]


def _placed(path: Path) -> Callable[[Path], None]:
    """Puts the checkpoint at ``path`` into the folder of a new session: the same file, or a copy."""

    def place(folder: Path) -> None:
        to = folder / BRANCH
        to.unlink(missing_ok=True)
        try:
            os.link(path, to)
        except OSError:
            shutil.copyfile(path, to)

    return place
