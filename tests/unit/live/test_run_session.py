"""A run session without a worker: steps, commands, health, what is kept and what comes back."""

import pytest

from t4dm.commands import RUN_COMMAND_TYPES
from t4dm.live import run_handlers
from t4dm.live.checkpoint import CheckpointStore
from t4dm.live.command_log import CommandLog
from t4dm.live.handlers import Refused
from t4dm.live.replay import dynamic
from t4dm.live.run_replay import RunReplay
from t4dm.live.run_session import RunSession
from tests.toy_run import ToyRun

SET = {"type": "set", "path": "toy.gain", "value": 2.0}


@pytest.fixture
def session():
    return RunSession("t", "toy", ToyRun())


def do(session, body, who="tab"):
    """As the loop does it."""
    commands = run_handlers.read(session, body, None)
    before = {"step": session.engine.step, "who": who}
    if any(command.type == "reset" for command in commands):
        before["values"] = session.tree.non_default()
    done = run_handlers.apply(session, commands, who)
    if changing := dynamic(commands, body):
        session.note_applied(before | {"commands": changing})
    return done


def run(session, n):
    for _ in range(n):
        session.advance()


def seen(session):
    names = ("rev", "epoch", "run_id", "state", "reason", "goal")
    held = {name: getattr(session, name) for name in names}
    return held | {"values": session.tree.non_default(), "log": list(session.log)}


def values(session):
    return session.whole().arrays["value"].tobytes()


def test_a_step_is_signed_and_in_the_course(session):
    do(session, SET)
    record = session.advance()
    assert (record.step0, record.step1, record.epoch) == (0, 1, 1)
    assert record.meta["params_rev"] == 1
    assert [event["type"] for event in record.meta["events"]] == ["param"]
    run(session, 9)
    whole = session.whole()
    assert whole.arrays["value"][:, 0].tolist() == [2.0 * k for k in range(1, 11)]
    assert [event["type"] for event in whole.meta["events"]] == ["param", "tick"]
    numbers = [event["n"] for event in whole.meta["events"]]
    assert numbers == sorted(set(numbers))


def test_stepping_ends_at_its_goal(session):
    do(session, [{"type": "pause"}, {"type": "step", "n": 3}])
    run(session, 3)
    assert (session.state, session.engine.step, session.goal) == ("paused", 3, None)


def test_an_engine_may_pause_with_a_sentence(session):
    session.engine.stop_at = 4
    run(session, 4)
    assert (session.state, session.reason) == ("paused", "enough")
    assert session.log[-1]["reason"] == "enough"


def test_what_is_found_comes_and_goes_as_events(session):
    run(session, 100)
    assert session.health.status()["severity"] == "ok"
    run(session, 3)
    status = session.health.status()
    assert status["severity"] == "warning"
    assert status["findings"][0]["since_step"] == 101, "where it began is not forgotten"
    do(session, {"type": "reset"})
    assert session.health.status()["findings"] == []
    run(session, 101)
    session.engine.sum = 0.0
    session.advance()
    told = [e["state"] for e in session.whole().meta["events"] if e["type"] == "finding"]
    assert told == ["found", "cleared"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "inject", "nt": "DA"}, "type"),
        ({"type": "speed"}, "type"),
        ({"type": "set", "path": "toy.gain", "value": 99}, "toy.gain"),
        ({"type": "set", "path": "lif.beta", "value": 0.5}, "lif.beta"),
        ({"type": "set", "path": "toy.least", "value": 5}, "toy.least"),
        ({"type": "step"}, "type"),
        ({"type": "sample", "prompt": ""}, "prompt"),
        ({"type": "checkpoint", "name": "../x"}, "name"),
        ([SET, {"type": "checkpoint", "name": "x"}], "type"),
        ([{"type": "reset"}, SET], "type"),
        ([SET, {"type": "pause"}, {"type": "set", "path": "toy.least", "value": 5}], "toy.least"),
        ([SET, {"type": "note", "text": "x"}, {"type": "sample", "prompt": ""}], "prompt"),
    ],
)
def test_a_refusal_names_its_field_and_changes_nothing(session, body, field):
    run(session, 3)
    before = seen(session)
    with pytest.raises(Refused) as refusal:
        do(session, body)
    assert refusal.value.error["field"] == field
    assert seen(session) == before
    run(session, 1)
    assert session.engine.sum == 4.0


@pytest.mark.parametrize("kind", RUN_COMMAND_TYPES)
def test_junk_in_any_command_is_refused(session, kind):
    before = seen(session)
    with pytest.raises(Refused):
        do(session, {"type": kind, "more": None})
    assert seen(session) == before


def test_a_list_is_one_change(session):
    done = do(
        session,
        [
            SET,
            {"type": "clear", "path": "toy.gain"},
            {"type": "replace", "values": {"toy.gain": 3.0}},
        ],
    )
    assert done[0] == (1.0, 2.0) and done[1] == (2.0, 1.0)
    assert session.rev == 3 and session.tree.get("toy.gain") == 3.0


def test_a_pause_has_the_reason_that_was_given(session):
    do(session, {"type": "pause", "reason": "to look"})
    assert (session.state, session.reason) == ("paused", "to look")


def test_only_what_is_asked_for_happens_while_paused(session):
    do(session, {"type": "pause"})
    assert session.advance(paused=True) is None
    do(session, {"type": "sample", "prompt": "a"})
    record = session.advance(paused=True)
    assert record.step0 == record.step1 == 0
    assert record.meta["events"][-1]["prompt"] == "a"


def log_of(session, log):
    log.append(session.line())


def killed(folder, at):
    """A session that wrote a checkpoint at step ``at``, took commands later, and was killed at 30."""
    folder.mkdir()
    log, store = CommandLog(folder), CheckpointStore(folder)
    session = RunSession("t", "toy", ToyRun())
    log_of(session, log)
    run(session, at)
    store.save(session.checkpoint())
    run(session, 12 - at)
    do(session, SET)
    log_of(session, log)
    run(session, 8)
    do(session, {"type": "set", "path": "toy.gain", "value": 0.5})
    log_of(session, log)
    run(session, 10)
    log.close()
    return session


def resumed(folder):
    log, store = CommandLog(folder), CheckpointStore(folder)
    history = log.load()
    session = RunSession("t", "toy", ToyRun())
    step = session.resume(store, history.newest.settings, RunReplay(history))
    return session, step, store


@pytest.mark.parametrize("at", [0, 5, 11])
def test_what_was_killed_goes_on_the_same(tmp_path, at):
    whole = killed(tmp_path / "k", at)
    session, step, store = resumed(tmp_path / "k")
    assert (step, store.refused) == (at, [])
    assert session.engine.step == 20 and session.epoch == whole.epoch + 1
    assert (session.rev, session.state) == (2, "running")
    run(session, 10)
    assert values(session) == values(whole)


def test_a_reset_that_no_checkpoint_knows_is_done_again(tmp_path):
    folder = tmp_path / "k"
    session = killed(folder, 5)
    log = CommandLog(folder)
    log.load()
    do(session, {"type": "reset", "seed": 3})
    log_of(session, log)
    again, step, _ = resumed(folder)
    assert step is None and again.engine.seed == 3 and again.engine.step == 0
    assert again.tree.get("toy.gain") == 0.5
    run(again, 2)
    assert again.engine.sum == 2 * 0.5 * 4 and again.run_id == 1


def test_an_engine_that_waits_is_not_waited_for(tmp_path):
    killed(tmp_path / "k", 5)
    log, store = CommandLog(tmp_path / "k"), CheckpointStore(tmp_path / "k")
    history = log.load()
    session = RunSession("t", "toy", ToyRun())
    session.engine.idle_at = 7
    session.resume(store, history.newest.settings, RunReplay(history))
    assert session.engine.step == 5 and "nothing to do" in store.refused[0]


def test_a_checkpoint_of_another_kind_is_refused(session):
    other = RunSession("o", "other", ToyRun())
    with pytest.raises(ValueError, match="other"):
        session.take(other.checkpoint())
