"""Sessions whose creation is killed at each of its writes, and asked for again with the same key.

    python -m tests.killed_creations

Two ways to a session: ``POST /sessions`` in a web process, and the command ``branch`` in a worker's
loop, from its first write to the answer in the log.  Each creation has a process of its own (a fork
of this one), which ends at its n-th write, fsync or rename, n = 1, 2, 3, … until one lives.  Every
second time the program starts anew before the request is sent again.  Prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from t4dm.live import orphans, paths
from t4dm.live.checkpoint import CheckpointStore, Keeper
from t4dm.live.command_log import CommandLog
from t4dm.live.kept import KeptFiles
from t4dm.live.registry import SPEC, Registry, SessionSpec
from t4dm.live.ring_writer import RingWriter
from t4dm.live.run_loop import RunWorker
from t4dm.live.run_session import RunSession
from t4dm.live.samples import Samples
from t4dm.live.server import Request
from tests.toy_run import ToyRun

Ask = Callable[[str, str], str]  # key, name ("" for a free one) -> the session's name
PARENT = "parent"  # the session that others branch from


def killed_at(point: int, work: Callable[[], object]) -> bool:
    """Whether ``work``, in a process of its own, ended at its ``point``-th write."""
    child = os.fork()
    if child == 0:
        os.environ["T4DM_CRASH_AT"] = str(point)
        work()
        os._exit(0)
    ended = os.waitpid(child, 0)[1]
    assert ended in (0, signal.SIGKILL), ended
    return ended == signal.SIGKILL


def campaign(data: Path, ask: Ask, name: str) -> dict[str, Any]:
    """Kill ``ask`` at every point; what was not as it should be stands in ``troubles``."""
    kept = Registry(data)
    result: dict[str, Any] = {"kills": 0, "made_before": 0, "troubles": []}
    for point in count(1):
        key = f"{name or 'free'}-{point}"
        if not killed_at(point, lambda key=key: ask(key, name)):
            _remove(kept, kept.names())
            return result
        result["kills"] += 1
        there = _mine(kept)
        result["made_before"] += len(there)
        wrong = [f"{one}: not whole" for one in there if kept.load(one) is None]
        if point % 2 == 0:
            orphans.sweep_data(data, [PARENT])
            wrong += [f"{one}: an orphan" for one in _folders(kept) if one not in kept.names()]
        made = ask(key, name)
        wrong += [] if there in ([], [made]) else [f"{there} there, {made} answered"]
        wrong += [] if ask(key, name) == made else ["another answer to the same key"]
        wrong += [] if _mine(kept) == [made] else [f"{_mine(kept)} there instead of {made}"]
        left = {one.name for one in (kept.folder / made).iterdir()} - {SPEC, "branch.t4c"}
        wrong += [f"{made}: {one} left" for one in sorted(left)]
        result["troubles"] += [f"point {point}: {words}" for words in wrong]
        _remove(kept, _mine(kept))
    raise AssertionError("unreachable")


def _mine(kept: Registry) -> list[str]:
    return [name for name in kept.names() if name != PARENT]


def _folders(kept: Registry) -> list[str]:
    return [path.name for path in kept.folder.glob("*/") if path.name != PARENT]


def _remove(kept: Registry, names: list[str]) -> None:
    """As the supervisor does with what was deleted."""
    for name in names:
        if name != PARENT:
            kept.delete(name)
            kept.forget(name)


def over_http() -> Ask:
    """Sessions asked for by ``POST /sessions``."""
    from dashboard.server import create_app
    from dashboard.settings import Settings

    client = create_app(Settings()).server.test_client()

    def ask(key: str, name: str) -> str:
        body = {"blocks": 1, "n": 16} | ({"name": name} if name else {})
        headers = {"Host": "localhost", "Idempotency-Key": key}
        answer = client.post("/sessions", json=body, headers=headers)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return answer.get_json()["name"]

    return ask


class Parent:
    """A worker's loop with its log and files, as one that is started anew has them."""

    def __init__(self, data: Path) -> None:
        folder = paths.session_data(data, PARENT)
        folder.mkdir(parents=True, exist_ok=True)
        log = CommandLog(folder)
        history = log.load()
        session = RunSession(PARENT, "toy", ToyRun())
        if history is not None:
            session.rev, session.applied = history.newest.settings["rev"], history.newest.applied
        log.append(session.line())
        self.ring = RingWriter(data / "ring", bytes=2 << 20, retain_steps=1 << 62)
        self.requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self.keeper = Keeper(CheckpointStore(folder), log)
        spec = SessionSpec(PARENT, kind="training", options={"run": "tiny"})
        self.kept = KeptFiles(folder, spec, data, data)
        samples, notes = Samples(folder), dict[str, Any]()
        server: Any = self  # what the loop asks of one: its requests
        self.loop = RunWorker(session, self.ring, server, self.keeper, notes, self.kept, samples)

    def ask(self, body: dict[str, Any], key: str = "") -> dict[str, Any]:
        """The answer to a command, when it is on the disk."""
        request = Request("commands", body, key=key)
        self.requests.put(request)
        self.loop._drain(0.0)
        while not request._ready.wait(0.005):
            self.loop._drain(0.0)
        return request.wait()

    def close(self) -> None:
        self.kept.close()
        self.keeper.close()
        self.ring.close()


def by_branch(data: Path) -> Ask:
    """Sessions asked for by the command ``branch``."""
    parent = Parent(data)
    assert parent.ask({"type": "checkpoint", "name": "here"})["ok"]
    parent.close()

    def ask(key: str, name: str) -> str:
        point = os.environ.pop("T4DM_CRASH_AT", None)  # what a start writes is not meant
        parent = Parent(data)
        if point is not None:
            os.environ["T4DM_CRASH_AT"] = point
        body = {"type": "branch", "checkpoint": "here"} | ({"name": name} if name else {})
        answer = parent.ask(body, key)
        if point is None:
            parent.close()
        assert answer["ok"], answer
        return answer["new"]["session"]

    return ask


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="t4dm-"))
    results = {}
    try:
        for way in ("created", "branched"):
            data = folder / way
            data.mkdir()
            os.environ |= {"T4DM_RUN_DIR": str(folder / "run"), "T4DM_DATA_DIR": str(data)}
            ask = over_http() if way == "created" else by_branch(data)
            for name in ("", "mine"):
                results[f"{way}_{'named' if name else 'unnamed'}"] = campaign(data, ask, name)
    finally:
        shutil.rmtree(folder)
    print(json.dumps(results))


if __name__ == "__main__":
    sys.exit(main())
