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
from t4dm.live.client import sessions
from t4dm.live.marks import KeyReused, mark
from t4dm.live.registry import BRANCH, DEFAULT_LIMITS, Limits, Registry, SessionSpec
from t4dm.live.run_session import RunSession
from t4dm.live.server import Request, failure
from t4dm.params import ParamError
from t4dm.store.files import sweep
from t4dm.store.sealed import NewerFormat, SealError, read_sealed, write_sealed
from t4dm.store.sealed_json import read_json, write_json

MOST = 20  # named checkpoints of one session
ASKED = "asked"  # in a checkpoint's head: the request that kept it
FORGOTTEN, FORGOTTEN_FORMAT = "forgotten.json", 1  # the newest request that forgot one
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
        sweep(self.folder)
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
            new = self._do(command, copied, request)
        except ParamError as error:
            code = error.code if isinstance(error, KeyReused) else "invalid"
            return Done(request, {"ok": False, "error": {"code": code} | error.to_json()}, None)
        except (OSError, SealError, NewerFormat) as error:
            message = f"{command.type}: {getattr(error, 'strerror', None) or error}"
            return Done(request, failure("disk", "type", message), None)
        event = {"type": command.type, "who": request.who} | new
        return Done(request, {"ok": True, "old": None, "new": new}, event)

    def _do(
        self, command: c.Command, copied: Checkpoint | None, request: Request
    ) -> dict[str, Any]:
        if isinstance(command, c.Checkpoint):
            assert copied is not None
            return self._keep(command.name, copied, self._mark(request))
        if isinstance(command, c.Forget):
            return self._forget(command.checkpoint, self._mark(request))
        assert isinstance(command, c.Branch)
        return self._branch(command, request)

    def _mark(self, request: Request, of: Any = None) -> str:
        """What a file keeps of its request, so that the same one finds it after a kill."""
        return mark([self.spec.name, of], request.key, request.body)

    def _keep(self, name: str, copied: Checkpoint, asked: str) -> dict[str, Any]:
        known = [one["name"] for one in self._listed]
        if name in known:
            head = _head(self.folder / f"{name}.t4c")
            if asked and head.get(ASKED) == asked:
                return {"checkpoint": name, "step": head["step"]}
            message = f"checkpoint.name: there is a checkpoint '{name}' already"
            raise ParamError("name", message, choices=known)
        if len(known) >= MOST:
            message = f"checkpoint: {MOST} are kept already; forget one first"
            raise ParamError("name", message, lo=0, hi=MOST)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        meta = copied.meta | ({ASKED: asked} if asked else {})
        write_sealed(self.folder / f"{name}.t4c", KIND, meta, copied.arrays)
        self._listed = self._read()
        return {"checkpoint": name, "step": copied.meta["step"]}

    def _forget(self, name: str, asked: str) -> dict[str, Any]:
        told = self.folder / FORGOTTEN
        try:
            path = self._path(name, "forget.checkpoint")
        except ParamError:
            if asked and _mark_in(told) == asked:
                return {"checkpoint": name}
            raise
        if asked:
            write_json(told, asked, FORGOTTEN_FORMAT)
        path.unlink()
        self._listed = self._read()
        return {"checkpoint": name}

    def _branch(self, command: c.Branch, request: Request) -> dict[str, Any]:
        path = self._path(command.checkpoint, "branch.checkpoint")
        head = _head(path)
        asked = self._mark(request, head)  # not of an earlier session of this name
        spec = replace(self.spec, name=command.name or "", params={}, asked=asked)
        taken = [paths.DEFAULT_SESSION, *sessions(self.run), *external_files.names(self.run)]
        made = Registry(self.data).create(spec, taken, self.limits, _placed(path))
        return {"checkpoint": command.checkpoint, "step": head["step"], "session": made.name}

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


def _mark_in(path: Path) -> Any:
    """The mark of the newest request that forgot a checkpoint; None where there is none to read."""
    try:
        return read_json(path, FORGOTTEN_FORMAT)
    except (OSError, SealError, NewerFormat):
        return None


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
