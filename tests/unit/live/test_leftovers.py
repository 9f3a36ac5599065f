"""Ring folders of ended programs go; those of live ones stay."""

import os
import subprocess

import pytest

from t4dm.live import leftovers, paths
from t4dm.live.client import SessionClient, WorkerDown
from t4dm.live.lifeline import take_lock
from t4dm.live.ring import Word
from t4dm.live.ring_writer import RingWriter

MINE = f"t4dm-{os.getuid()}-"


@pytest.fixture
def shared(tmp_path, monkeypatch):
    folder = tmp_path / "shm"
    folder.mkdir()
    monkeypatch.setattr(paths, "SHARED_MEMORY", folder)
    return folder


def ended_pid():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def ring(folder, pid):
    folder.mkdir()
    writer = RingWriter(folder / "default.ring", bytes=1 << 16, slots=8)
    writer._words[Word.PID] = pid
    writer.close()


def test_what_no_process_owns_is_removed(shared):
    (shared / f"{MINE}empty").mkdir()
    ring(shared / f"{MINE}killed", ended_pid())
    (shared / f"{MINE}killed" / leftovers.OWNER).touch()
    assert {path.name for path in leftovers.sweep(shared)} == {f"{MINE}empty", f"{MINE}killed"}
    assert list(shared.iterdir()) == []


def test_what_lives_or_is_not_ours_stays(shared):
    (shared / f"{MINE}owned").mkdir()
    lock = take_lock(shared / f"{MINE}owned" / leftovers.OWNER)
    ring(shared / f"{MINE}worker", os.getpid())
    (shared / f"{MINE}draft").mkdir()
    (shared / f"{MINE}draft" / f"default.ring.{os.getpid()}.new").touch()
    (shared / f"{MINE}foreign").mkdir()
    (shared / f"{MINE}foreign" / "letter.txt").touch()
    (shared / "t4dm-999999-other").mkdir()
    before = sorted(shared.rglob("*"))
    assert leftovers.sweep(shared) == []
    assert sorted(shared.rglob("*")) == before
    os.close(lock)
    assert [path.name for path in leftovers.sweep(shared)] == [f"{MINE}owned"]


def test_a_claimed_folder_is_left_empty_handed(shared, tmp_path):
    run = tmp_path / "run"
    lock = leftovers.claim(run)
    assert lock is not None and leftovers.sweep(shared) == []
    leftovers.release(run)
    os.close(lock)
    assert list(shared.iterdir()) == []


def test_a_worker_that_compiles_is_said_to_start(shared, tmp_path):
    client = SessionClient(tmp_path)
    with pytest.raises(WorkerDown, match="has not started yet"):
        client.manifest()
    told = '{"pid": %d, "sessions": {"default": {"state": "running"}}}'
    paths.supervisor_path(tmp_path).write_text(told % os.getpid())
    for ask in (client.manifest, client.params):
        with pytest.raises(WorkerDown, match=r"is starting \(the first start compiles"):
            ask()
    paths.supervisor_path(tmp_path).write_text(told % ended_pid())
    with pytest.raises(WorkerDown, match="is not running"):
        client.params()
