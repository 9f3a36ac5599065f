"""What a request is told where nothing of a session is held."""

import json

import pytest

from dashboard.api import held
from t4dm.live import paths
from t4dm.live.client import SessionClient, WorkerDown


def test_a_worker_that_is_started_no_more_is_told_with_the_reason(tmp_path):
    client = SessionClient(tmp_path)
    assert held.nothing(client).code == "no_frames"
    child = {"state": "gave_up", "message": "its files are of a newer version"}
    told = {"pid": 1, "sessions": {"default": child}}
    paths.supervisor_path(tmp_path).write_text(json.dumps(told))
    with pytest.raises(WorkerDown, match="is not running: its files are of a newer version"):
        held.nothing(client)
