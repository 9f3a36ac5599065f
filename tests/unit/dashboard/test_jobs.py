"""The jobs process: one at a time, light while idle, gone when told or when its parent is gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dashboard import jobs, pictures
from dashboard.api.errors import ApiError
from t4dm.live.lifeline import take_lock
from tests.waiting import eventually

FIGURE = {"data": [], "layout": {}}


class Stub:
    """A painter without a browser."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.asked = error, []

    def draw(self, figure, size):
        self.asked.append(size)
        if self.error:
            raise self.error
        return json.dumps(figure).encode()


@pytest.fixture(autouse=True)
def run_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("T4DM_RUN_DIR", str(tmp_path))
    pictures.queue.cache_clear()
    return tmp_path


def drawing(painter: Stub, run: Path) -> threading.Event:
    """A thread that draws what is asked, as the process would; ends with the returned event."""
    stop = threading.Event()
    arguments = (pictures.queue(run), painter, stop, os.getppid())
    threading.Thread(target=jobs.serve, args=arguments, daemon=True).start()
    return stop


def test_a_picture_goes_round_and_is_drawn_once(run_dir):
    assert take_lock(pictures.lock_path()) is not None
    painter = Stub()
    stop = drawing(painter, run_dir)
    first = pictures.picture(FIGURE, "png", 300, 200, 1.0)
    second = pictures.picture(FIGURE, "png", 300, 200, 1.0)
    stop.set()
    assert first == second == json.dumps(FIGURE).encode()
    assert painter.asked == [{"format": "png", "width": 300, "height": 200, "scale": 1.0}]


def test_without_a_jobs_process_the_answer_is_immediate():
    with pytest.raises(ApiError) as refused:
        pictures.picture(FIGURE, "png", 300, 200, 1.0)
    assert refused.value.status == 503


@pytest.mark.parametrize(
    ("error", "status"), [(jobs.NoBrowser(jobs.MISSING), 501), (RuntimeError("bad figure"), 500)]
)
def test_what_cannot_be_drawn_is_answered(run_dir, error, status):
    assert take_lock(pictures.lock_path()) is not None
    stop = drawing(Stub(error), run_dir)
    with pytest.raises(ApiError) as refused:
        pictures.picture(FIGURE, "svg", 300, 200, 1.0)
    stop.set()
    assert refused.value.status == status
    if status == 501:
        assert "apt install chromium" in refused.value.message


def start(run: Path, **more) -> subprocess.Popen:
    command = [sys.executable, "-m", "dashboard.jobs"]
    env = os.environ | {"T4DM_RUN_DIR": str(run)}
    return subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True, **more)


def test_sigterm_ends_it_and_a_second_one_is_refused(run_dir):
    process = start(run_dir)
    try:
        eventually(pictures.jobs_running)
        other = start(run_dir)
        assert other.wait(20) == 1
        assert "another jobs process" in other.stderr.read()
        children = subprocess.run(
            ["pgrep", "-P", str(process.pid)], capture_output=True, check=False
        )
        assert children.stdout == b""  # no browser before the first picture
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert not pictures.jobs_running()
    finally:
        process.kill()
        process.wait()


def test_it_ends_when_its_parent_is_gone(run_dir):
    code = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-m', 'dashboard.jobs'])\n"
        "time.sleep(60)"
    )
    env = os.environ | {"T4DM_RUN_DIR": str(run_dir)}
    parent = subprocess.Popen([sys.executable, "-c", code], env=env)
    eventually(pictures.jobs_running)
    parent.kill()
    parent.wait()
    eventually(lambda: not pictures.jobs_running())


def test_a_browser_that_is_named_and_is_not_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "no-such-browser"))
    with pytest.raises(jobs.NoBrowser):
        jobs.Painter(threading.Event()).draw(FIGURE, {"format": "png"})
    there = tmp_path / "browser"
    there.write_text("#!/bin/sh\n")
    monkeypatch.setenv("BROWSER_PATH", str(there))
    assert jobs.browser() is None, "a file that nobody may run"
    there.chmod(0o700)
    assert jobs.browser() == str(there)
