"""What a GET answers while nothing is held of the run as it is: after a reset, after a new start."""

from __future__ import annotations

import os
import signal

import pytest

from dashboard.api.sessions import client_named
from t4dm.live.frame import decode
from tests.api.conftest import healthz, post
from tests.api.test_rest_read import READS, get, still
from tests.supervised import Program
from tests.waiting import eventually


@pytest.fixture
def discarded(client):
    """A paused run whose steps a reset discarded; the epoch that they were of."""
    still(client)
    epoch = client_named("default").status()["epoch"]
    post(client, {"type": "reset"})
    yield epoch
    post(client, {"type": "run"})


def test_nothing_tells_of_a_run_that_a_reset_discarded_until_a_step_is_made(client, discarded):
    parts = ("window", "panels/raster.json", "panels/rate.csv")
    for path in (*READS, *(f"/sessions/default/{part}" for part in parts)):
        answer = get(client, path)
        assert answer.status_code == 409 and "Retry-After" not in answer.headers, path
        error = answer.get_json()["error"]
        assert error["code"] == "nothing_held"
        assert error["message"] == (
            "nothing of step 0 is held since the reset: run it or make a step"
        )  # fmt: skip
    meta, arrays = decode(get(client, "/sessions/default/frames").data)
    assert meta["kind"] == "status" and not arrays
    assert meta["epoch"] > discarded and meta["held"] == [0, 0]
    post(client, {"type": "step", "n": 1})
    for path in READS:
        told = eventually(lambda path=path: _ok(get(client, path)), path)
        assert told["epoch"] > discarded and told["step"] == 1


def _ok(answer):
    return answer.get_json() if answer.status_code == 200 else None


def test_a_run_that_goes_on_is_answered_at_once_after_a_reset(client, discarded):
    post(client, [{"type": "run"}, {"type": "reset"}])
    answer = get(client, "/spiking/stats")
    assert answer.status_code == 200 and answer.get_json()["epoch"] > discarded + 1


def test_a_paused_run_whose_worker_was_killed_says_what_to_do(monkeypatch):
    """Resumed, and nothing of it is held: not "try again in a second" for good."""
    program = Program()
    try:
        monkeypatch.setenv("T4DM_RUN_DIR", str(program.run))
        monkeypatch.setenv("T4DM_DATA_DIR", str(program.data))
        from dashboard.server import create_app
        from dashboard.settings import Settings

        client = create_app(Settings()).server.test_client()
        pid = program.live()["pid"]
        program.client.command([{"type": "pause"}, {"type": "step", "n": 40}])
        step = program.client.command({"type": "pause"})["step"]
        assert get(client, "/spiking/stats").status_code == 200
        os.kill(pid, signal.SIGKILL)
        program.live(not_pid=pid)
        answer = get(client, "/spiking/stats")
        assert answer.status_code == 409, answer.text
        assert answer.get_json()["error"]["message"] == (
            f"nothing of step {step} is held since the worker was started again: "
            "run it or make a step"
        )
        assert healthz(client)["step"] == step
        post(client, {"type": "step", "n": 1})
        assert get(client, "/spiking/stats").get_json()["step"] == step + 1
    finally:
        program.close()
