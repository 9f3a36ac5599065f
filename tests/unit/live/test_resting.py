"""The session ``default`` rests while nobody looks and another trains; a user's pause stays."""

import os

import pytest

from t4dm.live import resting
from t4dm.live.resting import Resting, decide, mark

RESTS = {"state": "paused", "reason": resting.REASON.format(name="t")}


@pytest.mark.parametrize(
    ("status", "trains", "alone_s", "type"),
    [
        ({"state": "running"}, "t", 60.0, "pause"),
        ({"state": "running"}, "t", 59.9, None),
        ({"state": "running"}, "", 600.0, None),
        ({"state": "paused", "reason": ""}, "t", 0.0, None),  # a user's pause stays
        ({"state": "paused", "reason": ""}, "", 0.0, None),
        ({"state": "stepping"}, "t", 600.0, None),
        (RESTS, "t", 61.0, None),
        (RESTS, "t", 0.1, "run"),  # somebody looks
        (RESTS, "", 600.0, "run"),  # nothing trains any more
        ({}, "t", 600.0, None),
    ],
)
def test_what_is_decided(status, trains, alone_s, type):
    command = decide(status, trains, alone_s, 60.0)
    assert (command and command["type"]) == type
    if type == "pause":
        assert "nobody looks" in command["reason"] and "'t' trains" in command["reason"]


class Ring:
    def __init__(self, **status):
        self.status = status

    def get_status(self):
        return self.status


@pytest.fixture
def rests(tmp_path):
    """Resting of a run directory whose ``default`` runs; ``sent`` are the commands."""
    made = Resting(tmp_path, rest_s=60.0)
    ring, sent = Ring(state="running"), []
    made.client = type("Client", (), {
        "reader": lambda self: ring,
        "command": lambda self, command, who: sent.append((command["type"], who)),
    })()  # fmt: skip
    return made, ring, sent


def look(made, now, *others):
    made.look(now, others)
    if made._sending is not None:
        made._sending.join(5)


def test_it_counts_from_the_last_viewer(rests, tmp_path):
    made, _, sent = rests
    training = ("t", Ring(kind="training", state="running"))
    look(made, 0.0, training)
    look(made, 59.0, training)
    mark(tmp_path, "default")
    look(made, 59.5, training)
    look(made, 100.0, training)
    assert sent == []
    look(made, 119.5, ("a", Ring(kind="arena", state="running")), training)
    assert sent == [("pause", "supervisor")]


def test_a_paused_training_session_is_no_reason(rests):
    made, _, sent = rests
    look(made, 0.0)
    look(made, 1000.0, ("t", Ring(kind="training", state="paused")))
    assert sent == []


def test_it_goes_on_for_a_viewer(rests, tmp_path):
    made, ring, sent = rests
    look(made, 0.0)
    ring.status = RESTS
    training = ("t", Ring(kind="training", state="running"))
    look(made, 1000.0, training)
    assert sent == []
    mark(tmp_path, "default")
    look(made, 1000.2, training)
    assert sent == [("run", "supervisor")]


def test_a_pause_that_came_between_is_not_undone(rests, tmp_path):
    """The status is read again when the command goes out."""
    made, ring, sent = rests
    look(made, 0.0)
    statuses = iter([RESTS, {"state": "paused", "reason": ""}])
    ring.get_status = lambda: next(statuses)
    mark(tmp_path, "default")
    look(made, 1.0)
    assert sent == []


def test_a_mark_touches_a_private_file_once_a_second(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(resting.time, "monotonic", lambda: now[0])
    mark(tmp_path, "default")
    path = tmp_path / "default.seen"
    assert path.stat().st_mode & 0o077 == 0
    os.utime(path, (1, 1))
    now[0] += 0.5
    mark(tmp_path, "default")
    assert path.stat().st_mtime == 1
    now[0] += 0.6
    mark(tmp_path, "default")
    assert path.stat().st_mtime > 1
    mark(tmp_path, "other")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["default.seen"]
