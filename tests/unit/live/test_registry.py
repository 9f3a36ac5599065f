"""The sessions that were asked for: bounds, limits, and what is on the disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from signal import SIGKILL

import pytest

from t4dm.live import orphans, registry, worker
from t4dm.live.marks import KeyReused, mark
from t4dm.live.registry import DELETED, SPEC, Registry, SessionSpec
from t4dm.params import ParamError
from t4dm.store.sealed import SealError
from t4dm.store.sealed_json import write_json


@pytest.fixture
def kept(tmp_path):
    return Registry(tmp_path)


def test_what_was_asked_for_is_on_the_disk(kept):
    asked = SessionSpec("one", 2, 64, 7, {"lif.v_thresh": 1.1})
    assert kept.create(asked, ["default"]) == asked
    assert Registry(kept.folder.parent).load("one") == asked
    assert kept.names() == ["one"] and kept.ending() == []


def test_a_session_without_a_name_gets_the_next_free_one(kept):
    names = [kept.create(SessionSpec("", 1, 16), ["default", "session-3"]).name for _ in range(2)]
    assert names == ["session-2", "session-4"]


def test_a_request_that_made_a_session_finds_it_again(kept):
    limits = registry.Limits(sessions=1)
    asked = SessionSpec("", 1, 16, asked=mark("sessions", "k", {"n": 16}))
    made = kept.create(asked, [], limits)
    assert made.name == "session-2" and kept.kept("session-2") == made
    assert kept.create(asked, [made.name], limits) == made and kept.names() == ["session-2"]
    with pytest.raises(KeyReused) as refused:
        kept.create(SessionSpec("", 1, 32, asked=mark("sessions", "k", {"n": 32})), [], limits)
    assert refused.value.field == "Idempotency-Key" and refused.value.code == "key_reused"
    others = [mark("sessions", "other", {}), mark("elsewhere", "k", {"n": 16}), ""]
    for number, other in enumerate(others, 3):
        name = kept.create(SessionSpec("", 1, 16, asked=other), []).name
        assert name == f"session-{number}"
    for name in kept.names():
        kept.delete(name)
    assert kept.create(asked, []).name == "session-6", "a deleted one is not found"


def test_only_a_session_with_a_mark_is_of_the_newest_format(kept):
    formats = {"": 1, "k": registry.FORMAT}
    for key, version in formats.items():
        name = kept.create(SessionSpec("", 1, 16, asked=mark("", key, {})), []).name
        assert json.loads((kept.folder / name / SPEC).read_text())["format"] == version


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (SessionSpec("x", blocks=0), "blocks"),
        (SessionSpec("x", blocks=33), "blocks"),
        (SessionSpec("x", n=8), "n"),
        (SessionSpec("x", n=2064), "n"),
        (SessionSpec("x", n=100), "n"),
        (SessionSpec("x", seed=-1), "seed"),
        (SessionSpec("x", blocks=32, n=1024), "n"),
        (SessionSpec("x", blocks=15, n=2048), "n"),
        (SessionSpec("taken"), "name"),
    ],
)
def test_what_is_refused_leaves_nothing(kept, spec, field):
    with pytest.raises(ParamError) as refused:
        kept.create(spec, ["taken"])
    assert refused.value.field == field
    assert kept.names() == []


def test_the_bound_of_memory_names_a_size_that_fits(kept):
    with pytest.raises(ParamError) as refused:
        kept.create(SessionSpec("big", 15, 2048), [])
    fits = SessionSpec("big", 15, int(refused.value.hi))
    assert kept.create(fits, []) == fits
    with pytest.raises(ParamError) as refused:
        kept.create(SessionSpec("more", 6, 1024), [])
    assert "are allowed in all" in refused.value.message


def test_the_number_of_sessions_is_bounded(kept):
    for number in range(registry.DEFAULT_LIMITS.sessions):
        kept.create(SessionSpec(f"s{number}", 1, 16), [])
    with pytest.raises(ParamError) as refused:
        kept.create(SessionSpec("more", 1, 16), [])
    assert (
        refused.value.field == "sessions" and refused.value.hi == registry.DEFAULT_LIMITS.sessions
    )
    assert kept.delete("s0")
    assert kept.create(SessionSpec("more", 1, 16), []).name == "more"


def test_limits_are_those_that_are_set(kept):
    with pytest.raises(ParamError) as refused:
        kept.create(SessionSpec("one", 1, 16), [], registry.Limits(sessions=0))
    assert refused.value.field == "sessions" and refused.value.hi == 0
    beside = registry.SessionSpec("default").bytes
    little = registry.Limits(bytes=beside + SessionSpec("one", 1, 256).bytes)
    with pytest.raises(ParamError) as refused:
        kept.create(SessionSpec("one", 1, 512), [], little)
    assert refused.value.field == "n" and refused.value.hi == 256
    assert kept.create(SessionSpec("one", 1, 256), [], little).n == 256


def test_the_default_session_counts_with_the_history_that_its_worker_holds(kept):
    ring = worker.arguments([]).ring_bytes
    default, created = SessionSpec("default"), SessionSpec("one")
    assert (default.ring_bytes, created.ring_bytes) == (ring, registry.RING_BYTES)
    assert default.bytes - created.bytes == ring - registry.RING_BYTES > 0
    enough = default.bytes + created.bytes
    with pytest.raises(ParamError, match="are allowed in all"):
        kept.create(created, [], registry.Limits(bytes=enough - 1))
    assert kept.create(created, [], registry.Limits(bytes=enough)) == created


def test_the_memory_that_is_allowed_holds_as_many_sessions_of_the_usual_size(kept):
    for number in range(registry.DEFAULT_LIMITS.sessions):
        kept.create(SessionSpec(f"s{number}"), [])
    with pytest.raises(ParamError) as refused:
        kept.create(SessionSpec("more"), [])
    assert refused.value.field == "sessions"


def test_deleting_marks_first_and_removes_last(kept):
    kept.create(SessionSpec("one", 1, 16), [])
    (kept.folder / "one" / "checkpoint-000001.t4c").write_bytes(b"x")
    assert kept.delete("one") and not kept.delete("one") and not kept.delete("never")
    assert kept.names() == [] and kept.ending() == ["one"] and kept.load("one") is None
    with pytest.raises(ParamError):
        kept.create(SessionSpec("one", 1, 16), [])  # its files are still there
    kept.forget("one")
    assert not (kept.folder / "one").exists() and kept.ending() == []


def test_files_of_another_session_are_not_taken_over(kept):
    (kept.folder / "old").mkdir(parents=True)
    (kept.folder / "old" / "checkpoint-000001.t4c").write_bytes(b"x")
    with pytest.raises(ParamError) as refused:
        kept.create(SessionSpec("old", 1, 16), [])
    assert refused.value.field == "name"
    assert [path.name for path in (kept.folder / "old").iterdir()] == ["checkpoint-000001.t4c"]


KILLED = """
import os, sys
from pathlib import Path
from t4dm.live.registry import BRANCH, Limits, Registry, SessionSpec
from t4dm.store.files import fault_point

def place(folder):
    (folder / BRANCH).write_bytes(b"a state")
    fault_point()

for name, how in (("new", {}), ("branched", {"place": place})):
    for point in range(1, 7):
        if (child := os.fork()) == 0:
            os.environ["T4DM_CRASH_AT"] = str(point)
            asked = SessionSpec(f"{name}-{point}", 1, 16, seed=point)
            Registry(Path(sys.argv[1])).create(asked, [], Limits(99, 1 << 40), **how)
            os._exit(0)
        print(os.waitpid(child, 0)[1])
"""


def test_a_creation_that_is_killed_leaves_its_name_free_or_a_session(kept):
    data, limits = kept.folder.parent, registry.Limits(99, 1 << 40)
    command = [sys.executable, "-c", KILLED, str(data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    ends = [int(line) for line in done.stdout.split()]
    assert ends == [SIGKILL] * 4 + [0] * 2 + [SIGKILL] * 5 + [0]
    there = [f"new-{point}" for point in (4, 5, 6)] + ["branched-5", "branched-6"]
    assert kept.names() == sorted(there)
    for name in there:
        assert kept.kept(name).seed == int(name[-1])
    for name in ("new-1", "new-2", "branched-1", "branched-3"):  # while the program runs
        asked = SessionSpec(name, 1, 16, 50)
        assert kept.create(asked, [], limits) == kept.kept(name) == asked
        assert [path.name for path in (kept.folder / name).iterdir()] == [SPEC]
    gone = {path.name for path in orphans.sweep_data(data, [])}  # and at its next start
    assert gone == {"new-3", "branched-2", "branched-4"}
    assert {path.name for path in kept.folder.glob("*/")} == {*kept.names()}


def test_the_sweep_at_the_start_takes_what_nobody_writes_and_nothing_else(kept):
    data, old = kept.folder.parent, time.time() - 3600
    kept.create(SessionSpec("mine", 1, 16), [])
    for name in ("mine", "damaged", "newer", "stranger", "default", "begun"):
        (kept.folder / name).mkdir(exist_ok=True)
    (kept.folder / "damaged" / SPEC).write_text("{")
    write_json(kept.folder / "newer" / SPEC, {"tiles": 3}, registry.FORMAT + 7)
    stay = [
        kept.folder / name / "checkpoint-1.t4c.9.tmp" for name in ("damaged", "newer", "stranger")
    ]
    stay += [kept.folder / "default" / "session.json.9.tmp", data / "login.secret.8.tmp"]
    go = [data / "login.secret.9.tmp", data / "sets" / "a.json.9.tmp", data / "uploads" / "b.9.tmp"]
    for path in (*stay, *go):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
        os.utime(path, (old, old))
    os.utime(data / "login.secret.8.tmp")  # it is being written
    (kept.folder / "empty").mkdir()
    os.utime(kept.folder / "empty", (old, old))
    assert {*orphans.sweep_data(data, ["default"])} == {*go, kept.folder / "empty"}
    assert all(path.exists() for path in stay)
    assert (kept.folder / "mine" / SPEC).exists() and (kept.folder / "begun").is_dir()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"format": 2}', '{"format": 1, "blocks": 0}', '{"format": 1, "blocks": "a"}',
     '{"format": 1, "more": 1}'],
)  # fmt: skip
def test_a_damaged_file_is_no_session(kept, text):
    (kept.folder / "bad").mkdir(parents=True)
    (kept.folder / "bad" / SPEC).write_text(text)
    assert kept.load("bad") is None
    with pytest.raises(SealError):
        kept.kept("bad")


def test_names_that_are_none_are_passed_over(kept):
    for name in ("..x", "-x", "a b"):
        (kept.folder / name).mkdir(parents=True)
        (kept.folder / name / SPEC).write_text(json.dumps({"format": 1}))
        (kept.folder / name / DELETED).write_text("")
    assert kept.names() == [] and kept.ending() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("asked", 7), ("asked", None), ("asked", ["k"]), ("params", []), ("params", "x"),
     ("blocks", 2.5), ("blocks", True), ("seed", 0.5), ("dt", "1"), ("options", [])],
)  # fmt: skip
def test_a_field_of_another_type_is_a_damaged_file(kept, name, value):
    made = kept.create(SessionSpec("one", 1, 16, asked=mark("sessions", "k", {})), [])
    path = kept.folder / "one" / SPEC
    sound = json.loads(path.read_text())
    assert kept.kept("one") == made
    body = next(v for v in sound.values() if isinstance(v, dict))
    write_json(path, body | {name: value}, registry.FORMAT)
    with pytest.raises(SealError, match=name):
        kept.kept("one")
    asked = SessionSpec("two", 1, 16, asked=mark("sessions", "other", {}))
    assert kept.create(asked, []).name == "two", "the damaged one stops nobody"
