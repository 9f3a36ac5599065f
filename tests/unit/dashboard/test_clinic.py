"""The clinic's table: asked for once, made by a child that is really killed, gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from dashboard import clinic, pictures
from dashboard.api.errors import ApiError
from dashboard.clinic_runner import ClinicRunner
from t4dm.live import paths
from t4dm.live.lifeline import take_lock
from tests.waiting import eventually

STAND_IN = "tests.slow_clinic"
FOR_EVER = 7  # the seed at which the stand-in stops at its third run
HELD = 8  # until it is told to go on
UNLUCKY = 13


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("T4DM_RUN_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("T4DM_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "run").mkdir()
    clinic.board.cache_clear()
    pictures.queue.cache_clear()


@pytest.fixture
def lock():
    """As if a jobs process ran."""
    assert take_lock(pictures.lock_path()) is not None


@pytest.fixture
def runner(lock):
    """A runner in a thread of this process."""
    made = ClinicRunner(clinic.board(paths.run_dir()), clinic.folder(), STAND_IN)
    stop = threading.Event()
    thread = threading.Thread(target=made.serve, args=(stop,))
    thread.start()
    yield made
    stop.set()
    thread.join()


def done(n: int):
    """Whether n runs of the table are done."""
    return lambda: (clinic.state()["progress"] or {"done": 0})["done"] >= n


def test_a_table_is_made_and_told_of_on_the_way(runner):
    clinic.start(HELD, 20)
    eventually(done(2))
    told = clinic.state()
    assert told["state"] == "running" and told["asked"] == {"seed": HELD, "steps": 20}
    assert told["progress"]["total"] == 5 and len(told["rows"]) >= 1
    with pytest.raises(ApiError) as refused:
        clinic.start(2, 20)
    assert refused.value.status == 409
    (clinic.folder() / "go-on").touch()
    eventually(lambda: clinic.state()["state"] == "done")
    told = clinic.state()
    assert told["finished"]["seed"] == HELD and told["finished"]["origin"] == "made here"
    assert told["asked"] is None and told["progress"] is None


def test_cancel_kills_the_child_and_keeps_what_is_done(runner):
    clinic.start(FOR_EVER, 20)
    eventually(done(2))
    child = psutil.Process(runner.child.pid)
    clinic.cancel()
    eventually(lambda: not child.is_running())
    assert clinic.state()["state"] == "cancelled"
    with pytest.raises(ApiError) as refused:
        clinic.cancel()
    assert refused.value.status == 409
    first = (clinic.folder() / "runs-kept" / "0").read_text()
    clinic.start(1, 20)
    eventually(lambda: clinic.state()["state"] == "done")
    assert (clinic.folder() / "runs-kept" / "0").read_text() == first  # not made again


def test_a_failure_says_why(runner):
    clinic.start(UNLUCKY, 20)
    eventually(lambda: clinic.state()["state"] == "failed")
    assert "RuntimeError: no luck" in clinic.state()["message"]


def test_a_table_that_was_not_finished_is_gone_on_with(lock):
    cache, folder = clinic.board(paths.run_dir()), clinic.folder()
    first = ClinicRunner(cache, folder, STAND_IN)
    clinic.start(FOR_EVER, 20)
    eventually(lambda: first.tick() or done(2)())
    first.kill()
    cache.set(clinic.ASKED, json.dumps({"id": "again", "seed": 1, "steps": 20}))
    second = ClinicRunner(cache, folder, STAND_IN)
    eventually(lambda: second.tick() or clinic.state()["state"] == "done")


def test_without_a_jobs_process_it_is_refused():
    with pytest.raises(ApiError) as refused:
        clinic.start(0, 300)
    assert refused.value.status == 503
    assert clinic.state()["state"] == "idle"


def test_the_child_ends_with_a_jobs_process_that_is_killed(tmp_path):
    """Nothing trains on when the process that started it was killed with SIGKILL."""
    code = (
        "import threading\n"
        "from dashboard import clinic\nfrom dashboard.clinic_runner import ClinicRunner\n"
        "from t4dm.live import paths\n"
        f"runner = ClinicRunner(clinic.board(paths.run_dir()), clinic.folder(), {STAND_IN!r})\n"
        "runner.serve(threading.Event())\n"
    )
    cache = clinic.board(paths.run_dir())
    cache.set(clinic.ASKED, json.dumps({"id": "one", "seed": 1, "steps": 20}))
    process = subprocess.Popen([sys.executable, "-c", code], env=dict(os.environ))
    try:
        child = eventually(lambda: psutil.Process(process.pid).children())[0]
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    finally:
        process.kill()
    assert not (clinic.folder() / "table.json").exists()


def test_the_jobs_process_itself_imports_no_torch():
    code = "import sys, dashboard.jobs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
