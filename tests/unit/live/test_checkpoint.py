"""What is on the disk: durable, verified, and usable after any damage."""

import os
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from t4dm.live.checkpoint import Checkpoint, CheckpointStore, Keeper
from t4dm.live.command_log import CommandLog, Line
from t4dm.store import files
from t4dm.store.files import sweep, write_durable
from t4dm.store.sealed import SealError, read_sealed, write_sealed


def checkpoint(step):
    return Checkpoint({"step": step}, {"w": np.full((3, 4), step, "f4"), "n": np.array(step)})


def wait_until_idle(keeper):
    while not keeper.idle:
        time.sleep(0.001)


def newest(log):
    return log.load().newest.settings


def load(folder):
    store = CheckpointStore(folder)
    return store.load(lambda c: None), store


def test_the_newest_is_loaded_and_one_before_is_kept(tmp_path):
    store = CheckpointStore(tmp_path)
    for step in range(5):
        store.save(checkpoint(step))
    found, _ = load(tmp_path)
    assert found.meta["step"] == 4 and (found.arrays["w"] == 4).all()
    assert len(list(tmp_path.iterdir())) == 2


def damage(data, how):
    if how == "empty":
        return b""
    if how == "half":
        return data[: len(data) // 2]
    if how == "longer":
        return data + b"\0"
    place = {"first": 3, "head": data.index(b"sha256") + 12, "last": len(data) - 40}[how]
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize("how", ["empty", "half", "longer", "first", "head", "last"])
def test_a_damaged_newest_is_put_aside_and_the_one_before_used(tmp_path, how):
    store = CheckpointStore(tmp_path)
    before = store.save(checkpoint(1))
    newest = store.save(checkpoint(2))
    newest.write_bytes(damage(newest.read_bytes(), how))
    found, again = load(tmp_path)
    assert found.meta["step"] == 1
    assert newest.with_suffix(".bad").exists() and not newest.exists()
    (told,) = again.refused
    assert told.startswith(f"checkpoint {newest.name} was not used: ")
    assert told.endswith(f"; {before.name}, from before it, is in use")


def test_where_no_checkpoint_is_good_none_is_said_to_be_in_use(tmp_path):
    store = CheckpointStore(tmp_path)
    for step in (1, 2):
        store.save(checkpoint(step)).write_bytes(b"")
    found, again = load(tmp_path)
    assert found is None and len(again.refused) == 2
    assert all(told.endswith("; none before it is in use") for told in again.refused)


def test_every_single_bit_is_covered(tmp_path):
    path = tmp_path / "a"
    write_sealed(path, "t", {"k": 1}, {"a": np.arange(4, dtype="u1")})
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        try:
            meta, arrays = read_sealed(path, "t")
        except (SealError, UnicodeDecodeError):
            continue
        assert meta == {"k": 1} and arrays["a"].tolist() == [0, 1, 2, 3], f"byte {place}"


def test_a_state_that_does_not_fit_is_put_aside(tmp_path):
    store = CheckpointStore(tmp_path)
    store.save(checkpoint(1))
    store.save(checkpoint(2))

    def accept(found):
        if found.meta["step"] == 2:
            raise ValueError("another network")

    assert store.load(accept).meta["step"] == 1
    assert "another network" in store.refused[0]


def test_no_object_is_ever_unpickled(tmp_path):
    with pytest.raises(ValueError, match=r"allow_pickle|[Oo]bject"):
        write_sealed(tmp_path / "a", "t", {}, {"a": np.array([{}], object)})


def test_a_failed_write_leaves_the_old_file_and_no_orphan(tmp_path, monkeypatch):
    path = tmp_path / "a"
    write_durable(path, b"old")

    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        write_durable(path, b"new")
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


CRASH = """
import sys
from pathlib import Path
from t4dm.store.files import write_durable
write_durable(Path(sys.argv[1]), b"new" * 1000)
"""


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_kill_at_any_operation_leaves_one_whole_file(tmp_path, at):
    path = tmp_path / "a"
    path.write_bytes(b"old" * 1000)
    env = os.environ | {"T4DM_CRASH_AT": str(at)}
    done = subprocess.run([sys.executable, "-c", CRASH, str(path)], env=env, check=False)
    assert done.returncode == -9
    assert path.read_bytes() in (b"old" * 1000, b"new" * 1000)
    assert (path.read_bytes() == b"new" * 1000) == (at == 4)
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_the_newest_whole_line_of_the_log_wins(tmp_path):
    log = CommandLog(tmp_path)
    assert log.load() is None
    for rev in range(4):
        log.append(Line({"rev": rev}))
    whole = log.path.read_bytes()
    assert newest(log) == {"rev": 3}
    last = whole.rindex(b"\n", 0, -1)
    for cut in range(last + 1, len(whole) - 1):
        log.path.write_bytes(whole[:cut])
        assert newest(log) == {"rev": 2}
    log.path.write_bytes(whole[:-4] + b"9" + whole[-3:])
    assert newest(log) == {"rev": 2}


def test_the_log_goes_on_after_a_torn_line(tmp_path):
    log = CommandLog(tmp_path)
    log.append(Line({"rev": 1}))
    with open(log.path, "ab") as file:
        file.write(b"deadbeef {torn")
    log.append(Line({"rev": 2}))
    assert newest(CommandLog(tmp_path)) == {"rev": 2}


def test_answers_outlive_a_log_that_is_written_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("t4dm.live.command_log.LOG_LIMIT", 1000)
    monkeypatch.setattr("t4dm.live.command_log.ANSWERS_BYTES", 400)
    log = CommandLog(tmp_path)
    for n in range(60):
        told = {"key": f"k{n}", "body": "0", "answer": {"ok": True, "step": n}}
        log.append(Line({"rev": n}, answers=(told,)))
    again = CommandLog(tmp_path)
    again.load()
    kept = [entry["key"] for entry in again.answers]
    assert kept == [f"k{n}" for n in range(60 - len(kept), 60)] and len(kept) >= 5
    assert log.path.stat().st_size < 1600


def test_the_log_stays_small(tmp_path, monkeypatch):
    monkeypatch.setattr("t4dm.live.command_log.LOG_LIMIT", 1000)
    log = CommandLog(tmp_path)
    for rev in range(200):
        log.append(Line({"rev": rev}))
    assert log.path.stat().st_size < 1100 and newest(log) == {"rev": 199}


def test_an_answer_follows_its_line_on_the_disk(tmp_path):
    log = CommandLog(tmp_path)
    keeper = Keeper(CheckpointStore(tmp_path), log)
    seen = []
    for rev in range(50):
        keeper.line(
            Line({"rev": rev}), lambda ok, rev=rev: seen.append((rev, ok, newest(log)["rev"]))
        )
    keeper.checkpoint(checkpoint(7))
    keeper.close()
    assert [rev for rev, _, _ in seen] == list(range(50))
    assert all(ok and on_disk >= rev for rev, ok, on_disk in seen)
    assert load(tmp_path)[0].meta["step"] == 7


def test_a_slow_disk_is_written_to_less_often(tmp_path, monkeypatch):
    store = CheckpointStore(tmp_path)
    clock = iter((100.0, 100.75))
    slow = SimpleNamespace(monotonic=lambda: next(clock))
    monkeypatch.setattr("t4dm.live.checkpoint.time", slow)
    keeper = Keeper(store, CommandLog(tmp_path), least_s=3.0)
    assert keeper.pause_s == 3.0
    keeper.checkpoint(checkpoint(1))
    keeper.close()
    assert keeper.pause_s == 15.0


@pytest.mark.parametrize("took", [0.0, 0.1, 0.75, 1.3])
def test_what_a_kill_costs_is_run_again_in_less_than_3_s_whatever_the_disk_takes(tmp_path, took):
    """Killed just before a checkpoint is on the disk, the engine repeats the time of two intervals."""
    keeper = Keeper(CheckpointStore(tmp_path), CommandLog(tmp_path))
    keeper.close()
    keeper._took_s = took
    busy = next(s for s in np.arange(0.0, 9.0, 0.01) if keeper.due(s, s, False, True))
    assert busy > 1.0 and busy + took < 2.75
    assert not keeper.due(0.5, 0.5, False, True)


def test_a_large_state_leaves_the_disk_alone_and_a_new_run_is_kept_early(tmp_path):
    keeper = Keeper(CheckpointStore(tmp_path), CommandLog(tmp_path))
    keeper.close()
    keeper._took_s = 0.5
    assert keeper.due(2.5, 2.5, False, True)
    assert not keeper.due(9.9, 9.9, False, False) and keeper.due(10.1, 9.9, False, False)
    keeper._took_s = 0.05
    assert not keeper.due(1.1, 0.0, False, True) and keeper.due(1.1, 0.0, True, True)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_state_that_is_not_finite_is_never_kept(tmp_path, bad):
    keeper = Keeper(CheckpointStore(tmp_path), CommandLog(tmp_path))
    sick = checkpoint(2)
    sick.arrays["w"][1, 2] = bad
    for each in (checkpoint(1), sick):
        keeper.checkpoint(each)
        wait_until_idle(keeper)
    keeper.close()
    assert load(tmp_path)[0].meta["step"] == keeper.saved_step == 1


def test_a_full_disk_is_told_and_heals(tmp_path, monkeypatch):
    keeper = Keeper(CheckpointStore(tmp_path), CommandLog(tmp_path))
    real = files.os.fsync

    def full(fd):
        raise OSError(28, "No space left on device")

    def ask(rev):
        answered, ready = [], threading.Event()
        keeper.line(Line({"rev": rev}), lambda ok: (answered.append(ok), ready.set()))
        assert ready.wait(10)
        return answered[0]

    monkeypatch.setattr(files.os, "fsync", full)
    assert ask(1) is False and "No space left" in keeper.error
    monkeypatch.setattr(files.os, "fsync", real)
    assert ask(2) is True and keeper.error == ""
    keeper.close()
