"""The road to a session from outside: files read once, and what a worker with many requests answers."""

import json
import os
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dashboard.api import sessions
from t4dm.live import client as client_module
from t4dm.live import paths, server
from t4dm.live.client import SessionClient, WorkerBusy, WorkerDown
from t4dm.live.registry import Registry, SessionSpec
from t4dm.live.server import CommandServer
from t4dm.store.files import write_durable


def test_a_manifest_is_read_anew_when_it_was_replaced_and_only_then(tmp_path, monkeypatch):
    client, path = SessionClient(tmp_path), paths.manifest_path(tmp_path, "default")
    with pytest.raises(WorkerDown):
        client.manifest()
    reads = []
    read = client_module._read_json
    monkeypatch.setattr(client_module, "_read_json", lambda p: reads.append(p) or read(p))
    for number in range(3):
        write_durable(path, json.dumps({"number": number}).encode())
        assert [client.manifest() for _ in range(4)] == [{"number": number}] * 4
    assert reads == [path] * 3
    path.unlink()
    with pytest.raises(WorkerDown):
        client.manifest()


@pytest.fixture
def folder():
    """A run directory with a short path: those of sockets have a limit."""
    with tempfile.TemporaryDirectory(prefix="t4dm-") as made:
        yield Path(made)


@pytest.fixture
def two_slots(folder, monkeypatch):
    """A server of two connections at once, and the client that asks it."""
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 2)
    served = CommandServer(paths.socket_path(folder, "default"))
    yield served, SessionClient(folder)
    served.close()


def test_many_at_once_wait_their_turn(two_slots):
    served, client = two_slots

    def answer():
        for _ in range(12):
            served.requests.get().answer({"ok": True, "rev": 3})

    threading.Thread(target=answer, daemon=True).start()
    with ThreadPoolExecutor(12) as many:
        told = list(many.map(lambda _: client.params(), range(12)))
    assert told == [{"ok": True, "rev": 3}] * 12


def test_one_too_many_is_told_that_the_worker_is_busy_also_where_it_was_not_read(
    two_slots, monkeypatch
):
    served, client = two_slots
    monkeypatch.setattr(server, "PATIENCE_S", 0.01)
    connect = SessionClient._connect

    def connect_and_wait(self, connection):
        connect(self, connection)
        assert connection.recv(
            1, socket.MSG_PEEK
        )  # the refusal lies there, the other end is closed

    with ThreadPoolExecutor(2) as first:
        held = [first.submit(client.params) for _ in range(2)]
        requests = [served.requests.get() for _ in range(2)]
        monkeypatch.setattr(SessionClient, "_connect", connect_and_wait)
        with pytest.raises(WorkerBusy, match="2 requests are in work"):
            client.params()
        refused = client.command({"type": "pause"})
        assert not refused["ok"] and refused["error"]["code"] == "busy"
        for request in requests:
            request.answer({"ok": True, "rev": 1})
        assert [one.result()["rev"] for one in held] == [1, 1]


@pytest.mark.parametrize(("alive", "raised"), [(True, WorkerBusy), (False, WorkerDown)])
def test_a_worker_that_takes_no_connection_is_busy_while_it_lives(
    folder, monkeypatch, alive, raised
):
    monkeypatch.setattr(client_module, "CONNECT_S", 0.05)
    status = {"worker": {"alive": alive}}
    monkeypatch.setattr(SessionClient, "status", lambda self: status)
    with socket.socket(socket.AF_UNIX) as deaf, socket.socket(socket.AF_UNIX) as waiting:
        path = str(paths.socket_path(folder, "default"))
        deaf.bind(path)
        deaf.listen(0)
        waiting.connect(path)
        with pytest.raises(raised):
            SessionClient(folder).params()


def test_a_session_that_is_given_up_says_why_and_is_not_starting(tmp_path, monkeypatch):
    run = tmp_path / "run"
    run.mkdir()
    monkeypatch.setenv("T4DM_RUN_DIR", str(run))
    monkeypatch.setenv("T4DM_DATA_DIR", str(tmp_path))
    Registry(tmp_path).create(SessionSpec("torn", 1, 16), [])
    Registry(tmp_path).create(SessionSpec("new", 1, 16), [])
    children = {
        "torn": {"state": "gave_up", "message": "session.json of session 'torn' is damaged"},
        "new": {"state": "running", "message": ""},
    }
    told = {"pid": os.getpid(), "sessions": children}
    paths.supervisor_path(run).write_text(json.dumps(told))
    for ask in (SessionClient(run, "torn").manifest, SessionClient(run, "torn").params):
        with pytest.raises(
            WorkerDown, match="is not running: session.json of session 'torn' is damaged$"
        ):
            ask()
    with pytest.raises(WorkerDown, match="is starting"):
        SessionClient(run, "new").manifest()
    states = {one["name"]: (one["state"], one["message"]) for one in sessions.entries()}
    assert states["torn"] == ("down", children["torn"]["message"])
    assert states["new"][0] == "starting"
