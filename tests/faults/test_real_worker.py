"""The real engine, killed in the whole program: it comes back with what was acknowledged."""

import os
import signal

from t4dm.live.client import SessionClient
from tests.waiting import eventually


def test_the_real_worker_returns_with_what_was_acknowledged(live_app):
    client = SessionClient(live_app.run_dir)
    before = client.status()
    answer = client.command({"type": "set", "path": "blocks.1.lif_in.v_thresh", "value": 1.25})
    os.kill(before["pid"], signal.SIGKILL)

    def back():
        status = client.status()
        anew = status.get("state") == "running" and status["pid"] != before["pid"]
        return status if anew and status["step"] else None

    status = eventually(back, "the worker")
    assert status["params_rev"] >= answer["rev"] and status["epoch"] > before["epoch"]
    assert client.params()["overrides"] == {"blocks.1.lif_in.v_thresh": 1.25}
    first = client.status()["step"]
    eventually(lambda: client.status()["step"] >= first + 100, "a hundred steps")
    assert client.command({"type": "clear", "path": "blocks.1.lif_in.v_thresh"})["ok"]
