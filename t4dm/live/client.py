"""The road to a session from outside its worker: commands, parameters, manifest, live status.

Plain sockets and files, no threads and no torch: it is used by the web process and by scripts.
"""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from t4dm.live import external_files, paths
from t4dm.live.leftovers import is_alive
from t4dm.live.ring_reader import RingReader
from t4dm.step_length import STEP_MS

ALIVE_S = 1.5
TIMEOUT_S = 10.0
TRACE_TIMEOUT_S = 60.0  # the first one makes the copy
CONNECT_S = 1.0  # how long a worker may be too busy to take a connection
RETRY_S = 0.02


class WorkerDown(ConnectionError):
    """The session's worker cannot be reached; the text says which and why."""


class WorkerBusy(ConnectionError):
    """The session's worker has as many requests as it takes, and did nothing for this one."""


class SessionClient:
    """One session in ``run_dir``.  Every call opens its own connection; safe under gevent."""

    def __init__(self, run_dir: Path | str, session: str = paths.DEFAULT_SESSION) -> None:
        self.run_dir, self.session = Path(run_dir), paths.checked_name(session)
        self._socket_path = paths.socket_path(self.run_dir, session)
        self._ring_path = paths.ring_path(self.run_dir, session)
        self._reader: RingReader | None = None
        self._kept: dict[Path, tuple[tuple[int, int, int], dict[str, Any]]] = {}

    def command(
        self,
        body: dict[str, Any] | list[dict[str, Any]],
        who: str = "",
        timeout: float = TIMEOUT_S,
        key: str = "",
        if_rev: int | None = None,
        ack: str = "applied",
    ) -> dict[str, Any]:
        """The worker's answer to one command, or to a list that is applied wholly or not at all.

        ``{"ok": True, "rev", "step", "t_ms", "old", "new"}`` (``"results": [{"old", "new"}]`` for
        a list) or ``{"ok": False, "error": {code, field, message, lo, hi, unit, choices}}``.
        A request with the same ``key`` is applied once; one with ``if_rev`` only while the
        parameters are at that revision (code ``stale`` otherwise).  With ``ack`` "queued" a run
        session answers ``{"ok": True, "queued": True, "waiting", "rev", "step"}`` at once, with "soon"
        where what came of it is not known within 10 ms.  Raises :class:`WorkerDown`, and
        :class:`WorkerBusy` where it takes no connection.
        """
        request = {"op": "commands", "body": body, "who": who, "key": key, "if_rev": if_rev}
        if ack != "applied":
            request["ack"] = ack
        return self._ask(request, timeout)

    def trace(self, body: dict[str, Any], timeout: float = TRACE_TIMEOUT_S) -> dict[str, Any]:
        """What a copy of the model does with ``body["input"]``; raises as :meth:`command`."""
        return self._ask({"op": "trace", "body": body}, timeout)

    def params(self, timeout: float = TIMEOUT_S) -> dict[str, Any]:
        """``{"rev", "step", "values", "overrides", "effective", "non_default", "specs"}``.

        Of an external session that ended: the last ones.  Raises :class:`WorkerDown`,
        :class:`WorkerBusy`.
        """
        try:
            answer = self._ask({"op": "params"}, timeout)
        except WorkerDown:
            kept = _read_json(paths.manifest_path(self.run_dir, self.session)).get("params")
            if kept is None:
                raise
            return kept
        if not answer["ok"]:
            raise WorkerBusy(answer["error"]["message"])
        return answer

    def reader(self) -> RingReader:
        """The reader of this session's ring, kept open between calls."""
        if self._reader is None:
            self._reader = RingReader(self._ring_path)
        return self._reader

    def status(self) -> dict[str, Any]:
        """The worker's newest status with ``worker: {alive, age_s, pid, restarts, message}``."""
        reader = self.reader()
        status = reader.get_status()
        age = reader.age_s()
        child = self._child
        status["worker"] = {
            "alive": age < ALIVE_S,
            "age_s": round(age, 3) if age != float("inf") else None,
            "pid": reader.pid or None,
            "restarts": child.get("restarts", 0),
            "message": child.get("message", ""),
        }
        if replay := status.get("replay"):
            status["worker"]["message"] = (
                f"bringing the run back to step {replay['to']}: {replay['step']} is reached, "
                f"about {replay['left_s']:.0f} s to go"
            )
        if status.get("owner") == external_files.OWNER:
            self._add_end(status)
        return status

    def _add_end(self, status: dict[str, Any]) -> None:
        """Say of an external session that its script has ended, or gives no sign of life."""
        worker = status["worker"]
        message = external_files.ended(self.reader(), status)
        if message:
            worker |= {"alive": False, "ended": True, "message": message}
            status |= {"state": "ended", "reason": message}
        elif not worker["alive"]:
            worker["message"] = f"the script gives no sign of life for {worker['age_s']:.0f} s"

    def supervisor(self) -> dict[str, Any]:
        """What the supervisor says of its sessions; {} where there is none."""
        return self._file(paths.supervisor_path(self.run_dir))

    @property
    def _child(self) -> dict[str, Any]:
        """What the supervisor says of this session; {} where it says nothing."""
        return self.supervisor().get("sessions", {}).get(self.session, {})

    @property
    def gave_up(self) -> str:
        """Why the supervisor starts this session's worker no more; empty where it does."""
        return self._child["message"] if self._child.get("state") == "gave_up" else ""

    def manifest(self) -> dict[str, Any]:
        """The session's manifest; raises :class:`WorkerDown` before the worker has written it.

        Kept until its file is replaced: not to be changed.
        """
        found = self._file(paths.manifest_path(self.run_dir, self.session))
        if not found:
            raise WorkerDown(self._absence("has not started yet"))
        return found

    @property
    def dt(self) -> float:
        """How long a step of the session lasts, ms; 1 before it has a manifest."""
        path = paths.manifest_path(self.run_dir, self.session)
        return float(self._file(path).get("dt", STEP_MS))

    def _file(self, path: Path) -> dict[str, Any]:
        """The JSON of a file that is only ever replaced; read anew when it was."""
        try:
            stat = os.stat(path)
        except FileNotFoundError:
            return {}
        mark = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        kept = self._kept.get(path)
        if kept is None or kept[0] != mark:
            kept = self._kept[path] = (mark, _read_json(path))
        return kept[1]

    def _absence(self, otherwise: str) -> str:
        """Why nobody listens: the supervisor's reason, that the worker is starting, or ``otherwise``."""
        if why := self.gave_up:
            return f"the worker of session '{self.session}' is not running: {why}"
        supervisor, child = self.supervisor(), self._child
        looks_after = bool(supervisor) and is_alive(supervisor["pid"])
        status = self.status()
        if status.get("owner") == external_files.OWNER:
            return f"the script of session '{self.session}' has ended"
        begins = status.get("state") == "starting" and status["worker"]["alive"]
        first = not paths.manifest_path(self.run_dir, self.session).exists()
        coming = looks_after and first and child.get("state") in ("starting", "running")
        if coming or begins:
            otherwise = "is starting (the first start compiles the kernels)"
        return f"the worker of session '{self.session}' {otherwise}"

    def _ask(self, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                self._connect(connection)
                connection.settimeout(timeout)
                with suppress(BrokenPipeError):  # refused before it was read: the answer says why
                    connection.sendall(json.dumps(request).encode() + b"\n")
                with connection.makefile("rb") as lines:
                    line = lines.readline()
        except TimeoutError:
            raise WorkerDown(
                f"the worker of session '{self.session}' did not answer within {timeout:g} s"
            ) from None
        except WorkerBusy:
            raise
        except OSError:
            raise WorkerDown(self._absence("is not running")) from None
        if not line.endswith(b"\n"):
            raise WorkerDown(f"the worker of session '{self.session}' ended before it answered")
        return json.loads(line)

    def _connect(self, connection: socket.socket) -> None:
        """Connect, also where so many wait that there is no room just now.

        A plain socket is then told to try again; one under gevent tries by itself until its time is
        over.  Raises :class:`WorkerBusy` where there was no room for :data:`CONNECT_S`, OSError
        where nobody listens.
        """
        connection.settimeout(CONNECT_S)
        until = time.monotonic() + CONNECT_S
        while True:
            try:
                return connection.connect(os.fspath(self._socket_path))
            except (BlockingIOError, TimeoutError) as full:
                if time.monotonic() < until:
                    time.sleep(RETRY_S)
                elif self.status()["worker"]["alive"]:
                    message = f"too many requests wait for the worker of session '{self.session}'"
                    raise WorkerBusy(f"{message}; try again") from None
                else:
                    raise ConnectionRefusedError from full


def sessions(run_dir: Path | str) -> list[str]:
    """Names of the sessions the supervisor of ``run_dir`` runs."""
    return sorted(_read_json(paths.supervisor_path(Path(run_dir))).get("sessions", {}))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
