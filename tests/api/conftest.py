"""A real worker process on the toy engine, and the real web app in this process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
HOST = {"Host": "localhost"}


@pytest.fixture(scope="session")
def folders() -> Iterator[Path]:
    """Run and data directories of this test run, in the environment of everything started here."""
    folder = Path(tempfile.mkdtemp(prefix="t4dm-"))  # short: socket paths have a limit
    patch = pytest.MonkeyPatch()
    patch.setenv("T4DM_RUN_DIR", str(folder / "run"))
    patch.setenv("T4DM_DATA_DIR", str(folder / "data"))
    patch.delenv("T4DM_API_KEY", raising=False)
    yield folder
    patch.undo()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def worker(folders: Path) -> Iterator[subprocess.Popen]:
    """One worker of the session ``default``, running."""
    command = [sys.executable, "-m", "t4dm.live.worker", "--fresh"]
    command += ["--engine", "tests.toy_engine:ToyEngine", "--ring-bytes", str(64 << 20)]
    process = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stderr=subprocess.DEVNULL)
    yield process
    process.terminate()
    process.wait(20)


@pytest.fixture(scope="session")
def app(folders: Path) -> Any:
    """The Flask server without a key."""
    from dashboard.server import create_app
    from dashboard.settings import Settings

    return create_app(Settings()).server


@pytest.fixture(scope="session")
def locked_app(folders: Path) -> Any:
    """The same with the key ``sesame``."""
    from dashboard.server import create_app
    from dashboard.settings import Settings

    return create_app(Settings(api_key="sesame")).server


@pytest.fixture
def bare(app: Any) -> FlaskClient:
    """A client of a server whose worker may not run."""
    return app.test_client()


@pytest.fixture
def client(app: Any, worker: subprocess.Popen) -> FlaskClient:
    """A client of a running session with default parameters and at least 600 steps of history."""
    client = app.test_client()

    def stepped() -> bool:
        assert worker.poll() is None, "the worker ended"
        line = healthz(client)
        return bool(line) and line["state"] != "down" and (line["step"] or 0) >= 600

    eventually(stepped, "the worker")
    assert post(client, [{"type": "replace", "values": {}}, {"type": "run"}]).status_code == 200
    return client


def healthz(client: FlaskClient) -> dict[str, Any]:
    return client.get("/healthz", headers=HOST).get_json()["sessions"]["default"]


def post(client: FlaskClient, body: Any, **headers: str) -> Any:
    """``body`` as a command request."""
    return client.post("/sessions/default/commands", json=body, headers=HOST | headers)
