"""Commands on a session: applied wholly or not at all, and resumed as they were acknowledged."""

import json

import numpy as np
import pytest

from t4dm.commands import COMMAND_TYPES
from t4dm.live import handlers
from t4dm.live.checkpoint import CheckpointStore
from t4dm.live.frame import dump, newest
from t4dm.live.handlers import Refused
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from t4dm.params import ParamError
from t4dm.stimuli.file import load_stimulus_file
from tests.toy_engine import ToyEngine

HOSTILE = [
    None, "", " ", "abc", "1", "NaN", "null", [], [1], {}, {"a": 1}, True, float("nan"), float("inf"),
    -float("inf"), 1e999, -1e308, 1e308, 10**400, -(10**400), -1, 2**63, "1e999", "\x00", "💥" * 500,
]  # fmt: skip


def new_session(seed=0):
    return Session("t", ToyEngine(tree=ParamTree(6), seed=seed))


def do(session, body, who="tab"):
    commands = handlers.parse(body)
    handlers.validate(session, commands)
    return handlers.apply(session, commands, who)


def snapshot(session):
    return json.dumps(
        [session.settings(), session.engine.step, session.params()["values"]], default=str
    )


def test_setting_what_is_in_force_is_no_change():
    session = new_session()
    do(session, {"type": "set", "path": "neuromod.DA", "value": None})
    do(session, {"type": "replace", "values": {}})
    assert session.rev == 0 and session.pending == []
    do(session, {"type": "set", "path": "blocks.2.lif_in.v_thresh", "value": 1.0})
    assert session.rev == 1 and len(session.pending) == 1  # an override, though of the same value


def test_set_answers_old_and_new_and_writes_an_event():
    session = new_session()
    assert do(session, {"type": "set", "path": "lif.v_thresh", "value": 2}) == [(1.0, 2.0)]
    assert session.rev == 1 and session.tree.get("lif.v_thresh") == 2.0
    event = session.advance(4).meta["events"][-1]
    assert (event["path"], event["old"], event["new"], event["who"]) == (
        "lif.v_thresh",
        1.0,
        2.0,
        "tab",
    )
    assert event["rev"] == 1 and event["step"] == 0


@pytest.mark.parametrize("path", [spec.path for spec in ParamTree(6).specs()])
def test_hostile_values_leave_everything_as_it_was(path):
    session = new_session()
    before = snapshot(session)
    for value in HOSTILE:
        try:
            session.tree.check(path, value)
        except ParamError:
            with pytest.raises(Refused) as refusal:
                do(session, {"type": "set", "path": path, "value": value})
            assert refusal.value.error["code"] == "invalid"
            assert refusal.value.error["field"] in (path, "value")
            json.dumps(refusal.value.error, allow_nan=False)
    assert snapshot(session) == before


def test_a_refusal_names_field_and_range():
    with pytest.raises(Refused) as refusal:
        do(new_session(), {"type": "set", "path": "lif.v_thresh", "value": 99})
    error = refusal.value.error
    assert (error["field"], error["lo"], error["hi"]) == ("lif.v_thresh", 0.05, 10.0)


@pytest.mark.parametrize("kind", COMMAND_TYPES)
@pytest.mark.parametrize("junk", [{"extra": 1}, {"n": 1e999}, {"value": "x"}, {"neurons": [-1]}])
def test_junk_in_any_command_changes_nothing(kind, junk):
    session = new_session()
    before = snapshot(session)
    with pytest.raises(Refused):
        do(session, {"type": kind, **junk, "more": None})
    assert snapshot(session) == before


def test_a_list_is_applied_wholly_or_not_at_all():
    session = new_session()
    before = snapshot(session)
    good = {"type": "set", "path": "lif.alpha", "value": 0.5}
    for bad in (
        {"type": "set", "path": "lif.alpha", "value": 2.0}, {"type": "break_off", "id": 3},
        {"type": "watch", "neurons": [3072]}, {"type": "step", "n": 1},
    ):  # fmt: skip
        with pytest.raises(Refused) as refusal:
            do(session, [good, {"type": "run"}, bad])
        assert refusal.value.error["index"] == 2
        assert snapshot(session) == before
    assert len(do(session, [good, {"type": "pause"}, {"type": "step", "n": 3}])) == 3
    assert session.goal == 3


@pytest.mark.parametrize("body", [[], "x", 3, None, [{}], {"type": []}, [{"type": "run"}] * 257])
def test_a_body_that_is_no_command_is_refused(body):
    with pytest.raises(Refused):
        do(new_session(), body)


SINE = {"type": "set", "path": "stimulus.kind", "value": "sine"}
BEFORE_THE_REFUSAL = [
    {"type": "set", "path": "lif.alpha", "value": 0.5},
    {"type": "clear", "path": "lif.beta"},
    {"type": "replace", "values": {"stdp.mu": 0.5}},
    {"type": "pause"},
    {"type": "speed", "value": 3},
    {"type": "inject", "nt": "DA", "level": 0.3},
    {"type": "reward", "value": 1},
    {"type": "reset", "seed": 9},
    {"type": "break_on", "kind": "membrane", "neuron": 700, "bound": 9},
    {"type": "break_off"},
    {"type": "watch", "neurons": [500]},
    {"type": "note", "text": "so far"},
]


def everything(session):
    run = [session.state, session.speed, session.goal, session.epoch, session.rev, session.finite]
    return json.dumps([snapshot(session), run, session.engine.watch, list(session.log)])


def engine_that_refuses_sine(session, monkeypatch):
    def refuse_sine(paths):
        if session.tree.get("stimulus.kind") == "sine":
            raise ParamError("stimulus.kind", "no such stimulus")

    monkeypatch.setattr(session.engine, "params_changed", refuse_sine)


@pytest.mark.parametrize("first", BEFORE_THE_REFUSAL, ids=lambda command: command["type"])
def test_nothing_of_a_list_stays_when_the_engine_refuses_its_end(first, monkeypatch):
    session, twin = new_session(seed=2), new_session(seed=2)
    engine_that_refuses_sine(session, monkeypatch)
    for each in (session, twin):
        do(each, [{"type": "set", "path": "lif.beta", "value": 0.5}])
        do(each, {"type": "break_on", "kind": "membrane", "neuron": 900, "bound": 99})
        each.advance(40)
    before = everything(session)
    with pytest.raises(Refused) as refusal:
        do(session, [first, {"type": "run"}, SINE])
    assert refusal.value.error["field"] == "stimulus.kind"
    assert refusal.value.error["index"] == 2
    assert everything(session) == before == everything(twin)
    ours, theirs = session.advance(20), twin.advance(20)
    assert ours.meta == theirs.meta and ours.encode() == theirs.encode()


def test_a_single_refused_change_is_taken_back(monkeypatch):
    session = new_session()
    engine_that_refuses_sine(session, monkeypatch)
    before = everything(session)
    for body in (SINE, {"type": "replace", "values": {"stimulus.kind": "sine", "lif.beta": 0}}):
        with pytest.raises(Refused):
            do(session, body)
        assert everything(session) == before


def test_a_run_that_is_not_finite_goes_on_only_after_a_reset():
    session = new_session()
    session.pause("blocks.0.u is not finite at step 3")
    session.finite = False
    do(session, {"type": "pause"})
    for body in (
        {"type": "run"},
        {"type": "step", "n": 1},
        [{"type": "note", "text": "x"}, {"type": "run"}],
    ):
        with pytest.raises(Refused, match="not finite at step 3; reset the run first"):
            do(session, body)
    do(session, [{"type": "reset"}, {"type": "run"}])
    assert (session.state, session.reason, session.finite) == ("running", "", True)


def test_steps_stop_at_their_goal():
    session = new_session()
    do(session, {"type": "pause"})
    do(session, {"type": "step", "n": 100})
    while session.state == "stepping":
        session.advance(64)
    assert (session.engine.step, session.state) == (100, "paused")


def test_reset_repeats_the_spikes_and_keeps_parameters():
    session = new_session(seed=5)
    first = [session.advance(64).spk_id for _ in range(3)]
    do(session, {"type": "set", "path": "stdp.a_plus", "value": 0.02})
    epoch = session.epoch
    assert do(session, {"type": "reset"}) == [(5, 5)]
    again = [session.advance(64) for _ in range(3)]
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate([s.spk_id for s in again]))
    assert again[0].epoch == epoch + 1 and session.tree.get("stdp.a_plus") == 0.02
    assert do(session, {"type": "reset", "seed": 6}) == [(5, 6)]
    assert not np.array_equal(session.advance(64).spk_id, first[0])


def test_an_injection_is_one_event_with_its_author():
    session = new_session()
    do(session, {"type": "inject", "nt": "DA", "level": 0.3})
    events = [e for e in session.advance(8).meta["events"] if e["type"] == "inject"]
    assert [(e["nt"], e["level"], e["who"], e["step"]) for e in events] == [("DA", 0.3, "tab", 0)]


def test_replace_and_clear_undo():
    session = new_session()
    do(session, {"type": "set", "path": "blocks.2.lif_in.v_thresh", "value": 3})
    assert do(session, {"type": "clear", "path": "blocks.2.lif_in.v_thresh"}) == [(3.0, 1.0)]
    old, new = do(session, {"type": "replace", "values": {"lif.beta": 0.5}})[0]
    assert (old, new) == ({}, {"lif.beta": 0.5})


def test_watching_is_bounded_and_keeps_what_breakpoints_need():
    session = new_session()
    do(session, {"type": "break_on", "kind": "membrane", "neuron": 999, "bound": 100})
    for first in (0, 64, 200):
        do(session, {"type": "watch", "neurons": list(range(first, first + 64))})
    watch = session.engine.watch
    assert watch[:6] == session.default_watch and 999 in watch and 263 in watch and 3 not in watch
    assert len(watch) == len(set(watch)) <= 6 + 1 + 64


def test_resume_takes_the_checkpoint_and_the_newer_settings(tmp_path):
    session = new_session(seed=2)
    do(session, {"type": "speed", "value": "max"})
    session.advance(64)
    store = CheckpointStore(tmp_path)
    store.save(session.checkpoint())
    do(session, [{"type": "set", "path": "lif.beta", "value": 0.5}, {"type": "pause"}])
    do(session, {"type": "break_on", "kind": "spike", "neuron": 7})
    settings = json.loads(json.dumps(session.settings()))

    back = new_session(seed=0)
    assert back.resume(CheckpointStore(tmp_path), settings) == 64
    assert (back.engine.step, back.engine.seed, back.rev) == (64, 2, session.rev)
    assert back.epoch == session.epoch + 1
    assert back.settings() | {"epoch": 0} == session.settings() | {"epoch": 0}


def test_a_run_reset_since_its_checkpoint_begins_anew(tmp_path):
    session = new_session(seed=2)
    session.advance(64)
    CheckpointStore(tmp_path).save(session.checkpoint())
    do(session, {"type": "reset", "seed": 9})
    back = new_session(seed=0)
    assert back.resume(CheckpointStore(tmp_path), session.settings()) is None
    assert (back.engine.step, back.engine.seed) == (0, 9)


def test_a_value_that_this_version_refuses_is_left_out(tmp_path):
    session = new_session()
    settings = session.settings() | {"values": {"lif.beta": 0.5, "lif.gone": 1, "lif.alpha": 7}}
    session.resume(CheckpointStore(tmp_path), settings)
    assert session.tree.non_default() == {"lif.beta": 0.5}


def test_reset_forgets_why_the_run_stood_still():
    session = new_session()
    do(session, {"type": "break_on", "kind": "spike", "neuron": 77})
    while session.state == "running":
        session.advance(64)
    assert "neuron 77 fired" in session.reason
    do(session, {"type": "reset"})
    assert (session.engine.step, session.state, session.reason) == (0, "paused", "")


def test_a_file_stimulus_needs_its_file(tmp_path):
    engine = ToyEngine(tree=ParamTree(6), seed=0, data_dir=tmp_path)
    session = Session("t", engine)
    file_id = load_stimulus_file(b"time_ms,unit\n1,2\n", "a.csv").save(tmp_path)
    to_file = {"type": "set", "path": "stimulus.kind", "value": "file"}
    for body in (
        to_file,
        [{"type": "set", "path": "stimulus.file_id", "value": "0" * 16}, to_file],
        {"type": "replace", "values": {"stimulus.kind": "file"}},
        {"type": "replace", "values": {"stimulus.kind": "file", "stimulus.file_id": "gone"}},
    ):
        with pytest.raises(Refused, match="upload a file first") as refusal:
            do(session, body)
        assert refusal.value.error["field"] == "stimulus.file_id"
        assert session.tree.non_default() == {} and session.rev == 0
    do(session, [{"type": "set", "path": "stimulus.file_id", "value": file_id}, to_file])
    with pytest.raises(Refused, match="upload a file first"):
        do(session, {"type": "clear", "path": "stimulus.file_id"})
    assert session.tree.get("stimulus.file_id") == file_id


def test_a_run_whose_file_is_gone_resumes(tmp_path):
    values = {"stimulus.kind": "file", "stimulus.file_id": "0" * 16}
    session = new_session()
    session.resume(CheckpointStore(tmp_path), session.settings() | {"values": values})
    assert session.tree.non_default() == values


def test_events_have_their_own_numbers_until_a_segment_carries_them(tmp_path):
    session = new_session()
    do(session, [{"type": "pause"}, {"type": "inject", "nt": "DA"}, {"type": "note", "text": "x"}])
    waiting = session.pending
    assert [e["type"] for e in waiting] == ["state", "inject", "note"]
    session.advance(1)
    do(session, {"type": "reset"})
    numbers = [e["n"] for e in [*waiting, *session.pending]]
    assert session.pending != waiting and len(set(numbers)) == len(numbers) == 4
    back = new_session()
    back.resume(CheckpointStore(tmp_path), session.settings())
    back.event("note", text="y")
    assert back.pending[0]["n"] > max(numbers)


def test_the_status_holds_the_newest_events_that_fit():
    session = new_session()
    for number in range(100):
        do(session, {"type": "note", "text": f"{number} " + "💥" * 490})
    for events in (session.log, session.pending):
        kept = newest(events, 16_000)
        assert kept[-1]["text"].startswith("99 ") and kept == list(events)[-len(kept) :]
        assert 0 < len(dump(kept)) <= 16_000


def test_speed_and_breakpoints_are_events_that_name_who():
    """What changes nothing says nothing; the spikes are those of a run that heard none of it."""
    session, plain = new_session(), new_session()
    rate = {"type": "break_on", "kind": "rate", "group": 1, "bound": 900.0}
    do(session, {"type": "speed", "value": 2}, "maria")
    do(session, {"type": "speed", "value": 2}, "maria")
    do(session, {"type": "speed", "value": "max"}, "script")
    do(session, rate, "maria")
    do(session, {"type": "break_off", "id": 1}, "script")
    do(session, {"type": "break_off"}, "script")
    told = [e for e in session.advance(20).meta["events"] if "who" in e]
    assert [(e["type"], e["who"]) for e in told] == [
        ("speed", "maria"), ("speed", "script"), ("break_on", "maria"), ("break_off", "script"),
    ]  # fmt: skip
    assert [(e["old"], e["new"]) for e in told[:2]] == [(1.0, 2.0), (2.0, "max")]
    assert told[2]["breakpoint"] == told[3]["breakpoints"][0]
    assert told[2]["breakpoint"]["bound"] == 900.0 and told[2]["breakpoint"]["id"] == 1
    plain.advance(20)
    assert session.engine.spike_hash() == plain.engine.spike_hash()


def test_a_list_sees_the_breakpoints_as_they_are_by_then():
    session = new_session()
    spike = {"type": "break_on", "kind": "spike", "neuron": 7}
    do(session, spike)
    do(session, [{"type": "break_off", "id": 1}, spike])
    with pytest.raises(Refused, match="breakpoint 3 is set"):
        do(session, [{"type": "break_on", "kind": "spike", "neuron": 8}] * 2)
    assert [point["id"] for point in session.breakpoints.to_json()] == [2]
