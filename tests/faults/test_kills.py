"""Kills at random moments and at write points; the run ends as one that nobody killed, bit for bit."""

import json
import random
import threading
import zlib

import pytest

from t4dm.live import paths
from t4dm.live.client import SessionClient, WorkerDown
from t4dm.live.command_log import CommandLog
from tests.killing import Killed, compare
from tests.supervised import Program
from tests.waiting import eventually

POINTS = sorted(random.Random(20).sample(range(1, 25), 3))


@pytest.fixture
def killed():
    session = Killed(seed=7)
    yield session
    session.close()


@pytest.fixture
def slow():
    session = Killed(engine="tests.sick_engine:SlowEngine")
    yield session
    session.close()


def test_killed_at_random_moments(killed):
    killed.begin()
    for _ in range(2):
        killed.advance(killed.rng.randrange(50, 300))
        killed.run_and_kill()
    killed.kill()
    killed.again()
    killed.advance(100)
    assert killed.deaths == 3
    assert compare(killed) == []


def test_killed_at_write_points(killed):
    """Each start dies at its n-th write, fsync or rename, wherever that is."""
    killed.begin()
    for at in POINTS:
        killed.die_at(at)
    assert killed.deaths == 2 * len(POINTS)
    assert compare(killed) == []


def test_a_request_with_a_key_is_applied_once_though_the_worker_is_killed_between(killed):
    killed.begin()
    body = [*killed.change(), {"type": "step", "n": 40}]
    first = killed.client.command(body, key="once")
    killed.kill()
    before = killed.again()
    assert killed.client.command(body, key="once") == json.loads(json.dumps(first))
    assert killed.client.status()["params_rev"] == before["params_rev"]
    assert killed.client.status()["step"] == before["step"] == first["step"]
    other = killed.client.command({"type": "note", "text": "another"}, key="once")
    assert other["error"]["code"] == "key_reused"


def test_steps_in_work_when_the_worker_is_killed_are_taken_up_and_nothing_is_done_twice(slow):
    slow.begin()
    body = [{"type": "inject", "nt": "DA", "level": 0.2}, {"type": "step", "n": 10_000}]
    asked = threading.Thread(target=_send, args=(SessionClient(slow.run), body))
    asked.start()
    eventually(lambda: slow.client.status()["state"] == "stepping", "the steps begin")
    assert slow.client.command({"type": "set", "path": "lif.beta", "value": 0.8})["ok"]
    eventually(lambda: slow.client.status()["checkpoint"]["step"], "a checkpoint")
    slow.kill()
    asked.join()
    step = slow.again()["step"]
    assert slow.client.status()["state"] == "paused" and 0 < step < 10_000
    asked = threading.Thread(target=_send, args=(SessionClient(slow.run), body))
    asked.start()
    eventually(lambda: slow.client.status()["state"] == "stepping", "the steps go on")
    assert slow.client.command({"type": "pause"})["ok"]
    asked.join()
    done = slow.client.command(body, key="once")
    assert done["reason"] == "interrupted" and step < done["step"] < 10_000
    history = CommandLog(paths.session_data(slow.data, "default")).load()
    applied = [c["type"] for r in history.requests.values() for c in r["commands"]]
    assert applied.count("inject") == 1


def _send(client, body):
    try:
        client.command(body, key="once", timeout=60)
    except WorkerDown:
        return


def test_a_full_disk_is_said_the_run_goes_on_and_saving_resumes(killed):
    assert killed.start(T4DM_FULL_AT="20-60")  # behind what a start writes into the run folder
    client = killed.client
    said, answers = "", []
    for k in range(60):
        answers.append(client.command({"type": "set", "path": "lif.beta", "value": 0.3 + k / 200}))
        said = said or client.status()["checkpoint"]["error"]
    assert all(answer["ok"] for answer in answers)
    assert any(answer.get("durable") is False for answer in answers)
    assert "No space left on device" in said
    assert answers[-1]["step"] > answers[0]["step"]
    wait = 0
    while client.status()["checkpoint"]["error"] and wait < 600:
        wait += 1
        killed.client.command({"type": "note", "text": "waiting"})
    assert client.status()["checkpoint"]["error"] == ""
    rev, values = answers[-1]["rev"], client.params()["non_default"]
    killed.kill()
    status = killed.again()
    assert status["params_rev"] == rev and client.params()["non_default"] == values


def test_a_newer_version_s_files_are_left_and_the_supervisor_says_so():
    program = Program()
    try:
        program.live()
        program.end()
        folder = paths.session_data(program.data, "default")
        text = json.dumps({"format": 99, "settings": {}}).encode()
        (folder / "settings.log").write_bytes(b"\n%08x %s\n" % (zlib.crc32(text), text))
        before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        program.start()
        said = eventually(lambda: program.client.status()["worker"]["message"], what="a message")
        assert "newer version" in said
        assert program.client.status()["worker"]["restarts"] == 0
        assert {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before
    finally:
        program.close()
