"""The whole program and a browser for benchmarks that need them: own folders, a free port."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.find_chromium import find_chromium

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


@dataclass(frozen=True)
class Program:
    """A running program: where its page is and which process started it."""

    url: str
    pid: int


@contextlib.contextmanager
def program(folder: Path | None = None) -> Iterator[Program]:
    """The program started for this run and ended afterwards; ``folder`` keeps its data if given."""
    home = folder or Path(tempfile.mkdtemp(prefix="t4dm-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = os.environ | {"PORT": str(port), "T4DM_RUN_DIR": str(home / "run"),
                        "T4DM_DATA_DIR": str(home / "data")}  # fmt: skip
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # a later start finds byte code, as a user's does
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboard.launch"], cwd=ROOT, env=env, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("t4dm is live at "):
            raise SystemExit("the program did not start")
        yield Program(line.removeprefix("t4dm is live at ").strip(), process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        if folder is None:
            shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def viewer() -> Iterator[Page]:
    """An empty tab of 1600 x 1000 in headless Chromium without a GPU."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield browser.new_page(viewport={"width": 1600, "height": 1000}, bypass_csp=True)
        browser.close()


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def session(base: str) -> dict[str, Any]:
    """What /healthz says of the default session."""
    return json.loads(get(f"{base}/healthz"))["sessions"].get("default", {})


def await_running(base: str, limit_s: float = 180) -> None:
    """Until the default session runs; raises SystemExit if it does not."""
    until = time.monotonic() + limit_s
    while session(base).get("state") != "running":
        if time.monotonic() > until:
            raise SystemExit(f"the session did not run within {limit_s} s")
        time.sleep(0.2)


def command(base: str, body: Any) -> None:
    """Send a command or a list; raises HTTPError if it is refused."""
    request = urllib.request.Request(
        f"{base}/sessions/default/commands",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()
