"""A worker that cannot read which network its session is leaves everything as it lies."""

import os
import subprocess
import sys

import pytest

from t4dm.live.registry import FORMAT, SPEC, Registry, SessionSpec
from t4dm.live.supervisor import DAMAGED, NEWER, UNREADABLE
from t4dm.store.sealed_json import write_json


def newer(path):
    write_json(path, {"blocks": 1, "n": 16, "tiles": 3}, FORMAT + 7)


def damaged(path):
    path.write_bytes(path.read_bytes().replace(b'"n": 16', b'"n": 17'))


@pytest.mark.parametrize(("spoil", "code"), [(newer, NEWER), (damaged, DAMAGED)])
def test_saved_states_of_an_unreadable_session_are_left_untouched(tmp_path, spoil, code):
    registry = Registry(tmp_path / "data")
    registry.create(SessionSpec("so", 1, 16), [])
    folder = registry.folder / "so"
    spoil(folder / SPEC)
    (folder / "checkpoint-000001.t4c").write_bytes(b"a state of that network")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    env = {"T4DM_DATA_DIR": str(tmp_path / "data"), "T4DM_RUN_DIR": str(tmp_path / "run")}
    done = subprocess.run(
        [sys.executable, "-m", "t4dm.live.worker", "--session", "so"],
        env=os.environ | env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert SPEC in done.stderr and "Traceback" not in done.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert "left untouched" in UNREADABLE[code].format("so")
