"""The real program for tests that need it whole: web, worker and jobs on a free port."""

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

    def tell(self, word: str) -> bool:
        """Have the default session ``run`` or ``pause``; False while its worker does not answer."""
        body = json.dumps({"type": word}).encode()
        asked = urllib.request.Request(f"{self.url}/sessions/default/commands", body, method="POST")
        try:
            urllib.request.urlopen(asked, timeout=60).close()
        except urllib.error.HTTPError as refusal:
            assert refusal.code == 503, refusal.read()
            return False
        return True


@pytest.fixture(scope="module")
def live_app(program_started: LiveApp) -> Iterator[LiveApp]:
    """The whole program, its default session running; it stands while other modules are tested."""
    eventually(lambda: program_started.tell("run"), "an answer of the worker")
    yield program_started
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
        _await_running(url, process, log)
        yield LiveApp(url, process.pid, run_dir, data_dir, log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        finally:
            process.kill()
            shutil.rmtree(folder, ignore_errors=True)


def _await_running(url: str, process: subprocess.Popen[str], log: Path) -> None:
    """Until the default session runs; the first start in fresh folders compiles and calibrates."""

    def runs() -> bool:
        assert process.poll() is None, log.read_text(errors="replace")[-4000:]
        with urllib.request.urlopen(f"{url}/healthz", timeout=60) as answer:
            return json.load(answer)["sessions"].get("default", {}).get("state") == "running"

    eventually(runs, "the default session", patience_s=280, every_s=0.1)
