"""The real engine, killed in the whole program: back within ten seconds with what was acknowledged."""

import os
import signal
import time

from t4dm.live.client import SessionClient


def test_the_real_worker_returns_with_what_was_acknowledged(live_app):
    client = SessionClient(live_app.run_dir)
    before = client.status()
    answer = client.command({"type": "set", "path": "blocks.1.lif_in.v_thresh", "value": 1.25})
    os.kill(before["pid"], signal.SIGKILL)
    killed = time.monotonic()
    while True:
        status = client.status()
        if status.get("state") == "running" and status["pid"] != before["pid"] and status["step"]:
            break
        assert time.monotonic() < killed + 60
        time.sleep(0.05)
    assert status["params_rev"] >= answer["rev"] and status["epoch"] > before["epoch"]
    assert client.params()["overrides"] == {"blocks.1.lif_in.v_thresh": 1.25}
    first = client.status()["step"]
    while client.status()["step"] < first + 100:
        assert time.monotonic() < killed + 60
        time.sleep(0.05)
    assert client.command({"type": "clear", "path": "blocks.1.lif_in.v_thresh"})["ok"]
