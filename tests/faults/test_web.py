"""The web processes under their real settings: one that is killed comes back, all end together."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.ports import free_port
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
WEB = ["-m", "gunicorn", "-c", "dashboard/gunicorn_conf.py", "dashboard.server:server"]


@pytest.fixture
def web():
    """gunicorn as the Procfile starts it, and the address it answers on."""
    folder = Path(tempfile.mkdtemp(prefix="t4dm-"))
    port = free_port()
    env = os.environ | {"PORT": str(port), "T4DM_HOST": "127.0.0.1"}
    env |= {"T4DM_RUN_DIR": str(folder / "run"), "T4DM_DATA_DIR": str(folder / "data")}
    process = subprocess.Popen([sys.executable, *WEB], cwd=ROOT, env=env)
    yield process, f"http://127.0.0.1:{port}"
    if process.poll() is None:
        process.kill()
    process.wait(60)
    shutil.rmtree(folder, ignore_errors=True)


def sessions(url):
    """What /healthz says; None where nobody answers."""
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=30) as answer:
            return json.load(answer)["sessions"]
    except (urllib.error.URLError, OSError):
        return None


def workers(process):
    return psutil.Process(process.pid).children()


def test_a_killed_web_worker_comes_back_and_all_end_on_a_signal(web):
    process, url = web
    eventually(lambda: sessions(url) is not None, what="an answer")
    eventually(lambda: len(workers(process)) == 2, what="both workers")
    first = workers(process)
    first[0].kill()
    eventually(lambda: len({p.pid for p in workers(process)} - {first[0].pid}) == 2)
    first[1].kill()  # now only the one that was started again can answer
    eventually(lambda: sessions(url) is not None, what="an answer of the new one")
    family = workers(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    _, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []
