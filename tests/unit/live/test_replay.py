"""A run that was killed and brought back equals the one that was not: spikes, weights, all state."""

import json

import numpy as np
import pytest

from t4dm.live import handlers, replay
from t4dm.live.checkpoint import CheckpointStore
from t4dm.live.command_log import CommandLog
from t4dm.live.engine import Engine, StackConfig
from t4dm.live.replay import Replay
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from tests.toy_engine import ToyEngine

SMALL = StackConfig(n_blocks=2, n_neurons=64, n_heads=4, n_sensory=16)
SCRIPT = {
    0: [{"type": "set", "path": "stimulus.kind", "value": "noise"}],
    40: [{"type": "set", "path": "lif.v_thresh", "value": 0.8}, {"type": "inject", "nt": "DA", "level": 0.4}],
    40 + 1: [{"type": "reward", "value": -0.5}],
    130: [{"type": "set", "path": "stdp.tau_plus", "value": 33.0}],
    131: [{"type": "clear", "path": "lif.v_thresh"}],
    260: [{"type": "replace", "values": {"lif.beta": 0.4, "blocks.1.lif_in.v_thresh": 0.9}}],
    300: [{"type": "inject", "nt": "ACh", "level": -0.3}],
}  # fmt: skip
END = 400


def make(seed=3, engine=Engine):
    tree = ParamTree(2)
    return Session("t", engine(SMALL, tree, seed, None))


def ask(session, body, log):
    """One request as the worker's main loop takes it, acknowledged when it returns."""
    commands = handlers.parse(body)
    before = {"step": session.engine.step, "who": "t"}
    if any(command.type == "reset" for command in commands):
        before["values"] = session.tree.non_default()
    handlers.apply(session, commands, "t")
    session.note_applied(before | {"commands": replay.dynamic(commands, body)})
    log.append(session.line())


def run(session, log, upto, script=SCRIPT, n=24):
    """On to step ``upto``, each request at its step."""
    while session.engine.step < upto:
        at = session.engine.step
        for body in [script[at]] if at in script and session.asked < at else []:
            ask(session, body, log)
        session.asked = at
        ahead = [s for s in (*script, upto) if s > at]
        session.advance(min(n, min(ahead) - at))


def begin(folder, seed=3):
    session, log = make(seed), CommandLog(folder)
    session.asked = -1
    log.append(session.line())
    return session, log


def back(folder, asked=END):
    """The session as a new worker finds it; ``asked``: the step of the last request made."""
    history = CommandLog(folder).load()
    session, store = make(history.newest.settings["seed"]), CheckpointStore(folder)
    step = session.resume(store, history.newest.settings, Replay(history))
    log = CommandLog(folder)
    log.load()
    log.append(session.line())
    session.asked = asked
    return session, log, step, store.refused


def same(one, other):
    a, b = one.engine.state(), other.engine.state()
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a if k != "json")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run that nobody killed."""
    session, log = begin(tmp_path_factory.mktemp("whole"))
    run(session, log, END)
    return session


@pytest.mark.parametrize("kill_at", [1, 40, 41, 100, 131, 200, 299, 350])
@pytest.mark.parametrize("kept_at", [None, 24, 131])
def test_a_killed_run_ends_as_the_whole_one(tmp_path, whole, kept_at, kill_at):
    session, log = begin(tmp_path)
    if kept_at is not None and kept_at <= kill_at:
        run(session, log, kept_at)
        CheckpointStore(tmp_path).save(session.checkpoint())
    run(session, log, kill_at)
    log.append(session.line())  # the last word that was acknowledged
    again, log, step, told = back(tmp_path, session.asked)
    assert told == [] and again.engine.step == kill_at and same(again, session)
    assert step == (kept_at if kept_at and kept_at <= kill_at else None)
    run(again, log, END, n=64)
    assert again.engine.spike_hash() == whole.engine.spike_hash() and same(again, whole)
    assert again.tree.non_default() == whole.tree.non_default() and again.rev == whole.rev


def test_it_is_killed_again_and_again(tmp_path, whole):
    session, log = begin(tmp_path)
    for k, kill_at in enumerate(range(37, END, 41)):
        run(session, log, kill_at)
        if k % 3 == 1:
            CheckpointStore(tmp_path).save(session.checkpoint())
        log.append(session.line())
        session, log, _, told = back(tmp_path, session.asked)
        assert told == []
    run(session, log, END)
    assert same(session, whole)


def test_a_damaged_newest_checkpoint_costs_nothing_but_a_longer_replay(tmp_path, whole):
    session, log = begin(tmp_path)
    store = CheckpointStore(tmp_path)
    for upto in (50, 140):
        run(session, log, upto)
        newest = store.save(session.checkpoint())
    run(session, log, 270)
    log.append(session.line())
    newest.write_bytes(newest.read_bytes()[:-9])
    again, log, step, told = back(tmp_path, session.asked)
    assert step == 50 and len(told) == 1 and newest.name in told[0]
    run(again, log, END)
    assert same(again, whole)


def test_a_reset_before_the_first_checkpoint_after_it(tmp_path):
    script = SCRIPT | {150: [{"type": "reset", "seed": 11}]}
    session, log = begin(tmp_path)
    run(session, log, 120, script)
    CheckpointStore(tmp_path).save(session.checkpoint())
    run(session, log, 150, script)
    ask(session, script[150], log)
    assert (session.engine.step, session.engine.seed) == (0, 11)
    session.advance(40)
    ask(session, {"type": "set", "path": "lif.alpha", "value": 0.5}, log)
    session.advance(20)
    log.append(session.line())
    again, _, step, told = back(tmp_path)
    assert (step, told, again.engine.step) == (None, [], 60)
    assert same(again, session) and again.run_id == session.run_id


def test_a_request_lost_from_the_log_is_told_and_breaks_the_chain(tmp_path):
    session, log = begin(tmp_path)
    run(session, log, 24)
    CheckpointStore(tmp_path).save(session.checkpoint())
    run(session, log, 200)
    lines = log.path.read_bytes().split(b"\n")
    second = next(i for i, line in enumerate(lines) if b'"lif.v_thresh"' in line)
    lines[second] = lines[second].replace(b"0.4", b"0.5", 1)
    log.path.write_bytes(b"\n".join(lines))
    again, log, step, told = back(tmp_path)
    assert step == again.engine.step == 24
    assert len(told) == 1 and "missing from the log" in told[0]
    assert again.tree.non_default() == session.tree.non_default() and again.rev == session.rev
    again, _, _, told = back(tmp_path)
    assert told != []  # still no way from that checkpoint
    CheckpointStore(tmp_path).save(again.checkpoint())
    assert back(tmp_path)[3] == []


def test_a_change_applied_and_not_acknowledged_is_wholly_new(tmp_path):
    session, log = begin(tmp_path)
    run(session, log, 50)
    handlers.apply(session, handlers.parse({"type": "set", "path": "lif.beta", "value": 0.5}), "t")
    session.note_applied({"step": 50, "who": "t", "commands": []})
    session.advance(10)
    CheckpointStore(tmp_path).save(session.checkpoint())
    again, *_ = back(tmp_path)
    assert (again.engine.step, again.rev, again.tree.get("lif.beta")) == (60, session.rev, 0.5)
    assert same(again, session)


def test_progress_is_told(tmp_path):
    session, log = begin(tmp_path)
    run(session, log, 300)
    log.append(session.line())
    told = []
    make().resume(CheckpointStore(tmp_path), session.settings(), Replay(log.load(), told.append))
    assert [t["step"] for t in told] == sorted(t["step"] for t in told)
    assert told[-1] | {"left_s": 0} == {"from": 0, "to": 300, "step": 300, "left_s": 0}


def test_compaction_keeps_what_the_older_checkpoint_needs(tmp_path, monkeypatch):
    monkeypatch.setattr("t4dm.live.command_log.LOG_LIMIT", 4000)
    session = make(engine=lambda config, tree, seed, data: ToyEngine(None, tree, seed, data))
    log, store = CommandLog(tmp_path), CheckpointStore(tmp_path)
    floors = [0, 0]
    for k in range(60):
        ask(session, {"type": "set", "path": "lif.alpha", "value": 0.5 + k / 1000}, log)
        session.advance(8)
        if k % 10 == 9:
            store.save(session.checkpoint())
            floors = [floors[1], session.applied]
            log.floor = floors[0]
    history = CommandLog(tmp_path).load()
    assert log.path.stat().st_size < 16_000
    assert history.since(floors[0]) is not None and len(history.since(floors[0])) == 60 - floors[0]
    assert history.since(0) is None


def test_the_first_version_s_log_is_read(tmp_path):
    import zlib

    settings = make().settings() | {"rev": 4, "values": {"lif.beta": 0.5}}
    text = json.dumps(settings).encode()
    CommandLog(tmp_path).path.write_bytes(b"\n%08x %s\n" % (zlib.crc32(text), text))
    again, *_ = back(tmp_path)
    assert (again.rev, again.tree.get("lif.beta")) == (4, 0.5)
