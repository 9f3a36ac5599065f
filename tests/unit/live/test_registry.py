"""The sessions that were asked for: bounds, limits, and what is on the disk."""

from __future__ import annotations

import json

import pytest

from t4dm.live import registry
from t4dm.live.registry import DELETED, SPEC, Registry, SessionSpec
from t4dm.params import ParamError
from t4dm.store.sealed import SealError


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
    with pytest.raises(ParamError) as refused:
        kept.create(SessionSpec("old", 1, 16), [])
    assert refused.value.field == "name"


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
