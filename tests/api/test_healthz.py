"""``GET /healthz`` while a worker lives, and after the last one has died."""

from __future__ import annotations

import pytest

from tests.api.conftest import HOST
from tests.supervised import Program
from tests.waiting import eventually


@pytest.fixture
def program(monkeypatch):
    """A supervisor with its worker, in the folders that the server of this process looks into."""
    started = Program()
    monkeypatch.setenv("T4DM_RUN_DIR", str(started.run))
    monkeypatch.setenv("T4DM_DATA_DIR", str(started.data))
    yield started
    started.close()


def test_it_is_not_ok_and_tells_no_numbers_when_every_worker_is_down(bare, program):
    def asked():
        answer = bare.get("/healthz", headers=HOST)
        assert answer.status_code == 200
        return answer.get_json()

    live = program.live()
    told = asked()
    assert told["ok"] is True and told["sessions"]["default"]["pid"] == live["pid"]
    program.process.kill()
    program.process.wait(60)
    down = eventually(lambda: not (now := asked())["ok"] and now, "the end of the worker")
    line = down["sessions"]["default"]
    assert line.pop("state") == "down"
    assert line == dict.fromkeys(("pid", "step", "params_rev", "t_ms", "speed", "ratio"))
