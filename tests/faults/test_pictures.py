"""The jobs process with a Chromium that does not start, one that never answers, and one that dies."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from dashboard import pictures
from dashboard.api.errors import ApiError
from tests.waiting import eventually
from tools.find_chromium import find_chromium

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def browser(monkeypatch):
    """Make the program that ``BROWSER_PATH`` names: a shell script of the given line."""
    with tempfile.TemporaryDirectory(prefix="t4dm-") as folder:
        path = Path(folder) / "chromium"
        monkeypatch.setenv("BROWSER_PATH", str(path))
        monkeypatch.setenv("T4DM_RUN_DIR", f"{folder}/run")
        monkeypatch.setenv("T4DM_DATA_DIR", f"{folder}/data")
        pictures.queue.cache_clear()

        def made(line):
            path.write_text(f"#!/bin/sh\n{line}\n")
            path.chmod(0o700)
            return path

        yield made
        pictures.queue.cache_clear()
        shutil.rmtree(f"{folder}/run", ignore_errors=True)


@pytest.fixture
def process(browser):
    """A jobs process that runs."""
    started = subprocess.Popen([sys.executable, "-m", "dashboard.jobs"], cwd=ROOT)
    eventually(pictures.jobs_running, "the jobs process")
    yield started
    started.kill()
    started.wait(60)


def draw(title):
    figure = {"data": [], "layout": {"title": {"text": title}}}
    return pictures.picture(figure, "png", 300, 200, 1.0)


def end(process):
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_a_browser_that_does_not_start_is_told_and_one_that_is_mended_draws(browser, process):
    path = browser("exit 127")
    for title in ("first", "second"):
        with pytest.raises(ApiError) as refused:
            draw(title)
        assert refused.value.status == 501
        assert f"the one at {path} did not start" in refused.value.message
        assert "apt install chromium" in refused.value.message
    browser(f'exec {find_chromium()} "$@"')
    assert draw("first").startswith(b"\x89PNG")
    end(process)


def test_a_browser_that_is_killed_is_started_again(browser, process):
    browser(f'exec {find_chromium()} "$@"')
    assert draw("first").startswith(b"\x89PNG")
    started = psutil.Process(process.pid).children()
    for leader in started:
        os.killpg(leader.pid, signal.SIGKILL)
    assert started and psutil.wait_procs(started, timeout=60)[1] == []
    assert draw("second").startswith(b"\x89PNG")
    end(process)


def test_a_browser_that_never_answers_does_not_keep_the_process(browser, process):
    begun = browser("").with_name("begun")
    browser(f"touch {begun}; trap '' TERM; sleep 500; sleep 500")
    pictures.queue(pictures.paths.run_dir()).push(
        '{"name": "a", "job": "{\\"figure\\": {}, \\"size\\": {}}"}', prefix=pictures.QUEUE
    )
    eventually(begun.exists, "the browser")
    helpers = psutil.Process(process.pid).children(recursive=True)
    end(process)
    _, alive = psutil.wait_procs(helpers, timeout=60)
    assert alive == []
