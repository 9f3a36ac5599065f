"""The real program for tests that need it whole: web, worker and jobs on a free port."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class LiveApp:
    """A running program: its address, its launcher's pid, its folders and what it printed."""

    url: str
    pid: int
    run_dir: Path
    data_dir: Path
    log: Path

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON answer to a request; raises HTTPError where it is refused."""
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.url + path, data, method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.load(answer)

    def tell(self, word: str) -> bool:
        """Have the default session ``run`` or ``pause``; False while its worker does not answer."""
        try:
            self.ask("POST", "/sessions/default/commands", {"type": word})
        except urllib.error.HTTPError as refusal:
            assert refusal.code == 503, refusal.read()
            return False
        return True

    def forget_sessions(self) -> None:
        """Delete the sessions that a test has left behind."""
        for entry in self.ask("GET", "/sessions")["entries"]:
            if entry["name"] != "default" and entry["owner"] != "external":
                with contextlib.suppress(urllib.error.HTTPError):  # it has gone meanwhile
                    self.ask("DELETE", f"/sessions/{entry['name']}")


@pytest.fixture(scope="module")
def live_app(program_started: LiveApp) -> Iterator[LiveApp]:
    """The whole program, its default session running, no other there.

    It stands while modules are tested that do not use it.
    """
    eventually(lambda: program_started.tell("run"), "an answer of the worker")
    yield program_started
    program_started.forget_sessions()
    eventually(lambda: program_started.tell("pause"), "an answer of the worker")


@pytest.fixture(scope="session")
def program_started() -> Iterator[LiveApp]:
    """The program started as ``make run`` starts it, with its own folders; ended by Ctrl-C."""
    folder = Path(tempfile.mkdtemp(prefix="t4dm-"))  # short: socket paths have a limit
    run_dir, data_dir, log = folder / "run", folder / "data", folder / "log"
    env = os.environ | {
        "PORT": str(free_port()),
        "T4DM_HOST": "127.0.0.1",
        "T4DM_RUN_DIR": str(run_dir),
        "T4DM_DATA_DIR": str(data_dir),
    }
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard.launch"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("t4dm is live at "), log.read_text(errors="replace")[-4000:]
        url = line.removeprefix("t4dm is live at ").strip()
        app = LiveApp(url, process.pid, run_dir, data_dir, log)
        _await_running(app, process)
        yield app
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        finally:
            process.kill()
            shutil.rmtree(folder, ignore_errors=True)


def _await_running(app: LiveApp, process: subprocess.Popen[str]) -> None:
    """Until the default session runs; the first start in fresh folders compiles and calibrates."""

    def runs() -> bool:
        assert process.poll() is None, app.log.read_text(errors="replace")[-4000:]
        told = app.ask("GET", "/healthz")["sessions"].get("default", {})
        return told.get("state") == "running"

    eventually(runs, "the default session", patience_s=280, every_s=0.1)
