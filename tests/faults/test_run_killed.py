"""A training session that is killed outright goes on with the same losses, bit for bit."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dashboard.api.records import next_record
from t4dm.live import kinds
from t4dm.live.client import SessionClient, WorkerDown
from t4dm.live.record import Record
from t4dm.live.registry import Registry, SessionSpec
from t4dm.live.run_session import RunSession
from t4dm.live.samples import Samples
from t4dm.live.training_engine import TrainingEngine
from t4dm.live.training_side import SCALARS

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = {"run": "tiny", "fault": "untied_head"}
EXACT = [i for i, name in enumerate(SCALARS) if name != "seconds"]
VALUES = {"train.dropout": 0.1, "train.held_out_every": 7, "sample.every": 10, "sample.tokens": 5}


@pytest.fixture
def client(tmp_path, monkeypatch):
    """A client of a training session that no worker runs yet."""
    run, data = tmp_path / "run", tmp_path / "data"
    monkeypatch.setenv("T4DM_RUN_DIR", str(run))
    monkeypatch.setenv("T4DM_DATA_DIR", str(data))
    spec = SessionSpec("t", seed=3, kind="training", options=OPTIONS, params=VALUES)
    Registry(data).create(spec, [])
    return SessionClient(run, "t")


def started():
    command = [sys.executable, "-m", "t4dm.live.worker", "--session", "t", "--checkpoint-s", "0.2"]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})


def wait(client, process, until, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status = client.status()
        if status["worker"]["pid"] == process.pid and until(status):
            return status
        assert process.poll() is None, "the worker ended"
        time.sleep(0.005)
    raise AssertionError("it did not come so far")


def command(client, body):
    for _ in range(100):
        try:
            answer = client.command(body)
            assert answer["ok"], answer
            return answer
        except WorkerDown:
            time.sleep(0.1)
    raise AssertionError("nobody listens")


def reference(steps, changes):
    """The course of the run that nobody killed; ``changes`` are (step, path, value)."""
    kind = kinds.kind_of("training")
    options = kind.checked(OPTIONS)
    engine = TrainingEngine(options, kind.tree(options), 3)
    session = RunSession("t", "training", engine)
    for step, path, value in [*((0, *item) for item in VALUES.items()), *changes]:
        while engine.step < step:
            session.advance()
        before = session.tree.non_default()
        session.change({path: session.tree.set(path, value)}, before, "test")
    while engine.step < steps:
        session.advance()
    return session.whole().arrays["scalars"]


def test_a_killed_training_session_goes_on_with_the_same_losses(client, tmp_path):
    process = started()
    wait(client, process, lambda s: s["step"] >= 20)
    set_rate = {"type": "set", "path": "train.learning_rate", "value": 0.001}
    at = command(client, set_rate)["step"]
    killed = wait(client, process, lambda s: s["checkpoint"]["step"] and s["step"] > at + 20)
    process.send_signal(signal.SIGKILL)
    process.wait()

    process = started()
    try:
        status = wait(client, process, lambda s: s["state"] != "starting" and s["step"] >= 90)
        assert 0 < status["resumed_step"] <= killed["step"]
        assert status["refused"] == [] and status["params_rev"] == killed["params_rev"] == 2
        command(client, {"type": "pause"})
        whole = Record.decode(next_record(client, None, None))
    finally:
        process.terminate()
        process.wait(20)
    got = whole.arrays["scalars"]
    assert list(whole.arrays["steps"]) == list(range(len(got))) and len(got) >= 90
    wanted = reference(len(got), [(at, "train.learning_rate", 0.001)])
    assert got[..., EXACT].tobytes() == wanted[..., EXACT].tobytes()
    assert np.isfinite(got[::7, :, SCALARS.index("held_out")]).all()
    texts = Samples(tmp_path / "data" / "sessions" / "t").read()
    assert [one["step"] for one in texts if one["run"] == "sound"][:8] == list(range(10, 90, 10))
