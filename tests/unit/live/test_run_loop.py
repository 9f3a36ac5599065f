"""The loop of a run session: what stands in the ring, files on a thread, requests that do not wait."""

import json
import queue
import socket

import numpy as np
import pytest

from t4dm.commands import RUN_COMMAND_TYPES, parse_command
from t4dm.live import run_loop
from t4dm.live.checkpoint import CheckpointStore, Keeper
from t4dm.live.command_log import CommandLog
from t4dm.live.kept import KeptFiles, branched_from
from t4dm.live.record import Record, merge
from t4dm.live.registry import Limits, Registry, SessionSpec
from t4dm.live.ring_reader import RingReader
from t4dm.live.ring_writer import RingWriter
from t4dm.live.run_loop import RunWorker, rows_that_fit
from t4dm.live.run_session import RunSession
from t4dm.live.run_worker import first_values, limits_in_force
from t4dm.live.samples import Samples
from t4dm.live.server import CommandServer, Request
from t4dm.live.tree import ParamTree
from t4dm.training.params import LiveTrainParams
from tests.toy_run import SERIES, ToyParams, ToyRun


class Server:
    def __init__(self):
        self.requests = queue.SimpleQueue()


@pytest.fixture
def worker(tmp_path):
    """A worker on the toy engine with a real ring and real files."""
    folder = tmp_path / "sessions" / "t"
    folder.mkdir(parents=True)
    spec = SessionSpec("t", kind="training", options={"run": "tiny"})
    session = RunSession("t", "toy", ToyRun())
    ring = RingWriter(tmp_path / "ring", bytes=2 << 20, retain_steps=1 << 62)
    keeper = Keeper(CheckpointStore(folder), CommandLog(folder))
    kept = KeptFiles(folder, spec, tmp_path, tmp_path)
    made = RunWorker(session, ring, Server(), keeper, {}, kept, Samples(folder))
    yield made
    kept.close()
    keeper.close()
    ring.close()


def ask(worker, body, queued=False):
    """The answer to a command, with everything done that it waits for."""
    request = Request("commands", body, who="tab", queued=queued)
    worker.server.requests.put(request)
    worker._drain(0.0)
    while not request._ready.wait(0.01):
        worker._drain(0.0)
    return request.wait()


def held(tmp_path):
    reader = RingReader(tmp_path / "ring")
    return [Record.decode(data) for data in reader.since(0)]


def test_a_training_session_begins_with_the_learning_rate_of_the_environment(caplog):
    def begun(text, asked):
        tree = ParamTree(0, (ToyParams, LiveTrainParams))
        session = RunSession("t", "training", ToyRun(tree_=tree))
        told = first_values(session, asked, {"T4DM_LEARNING_RATE": text})
        assert caplog.messages == told
        caplog.clear()
        return session.tree.get("train.learning_rate"), told

    usual = LiveTrainParams().learning_rate
    assert begun("0.0001", {}) == (0.0001, [])
    assert begun("0.0001", {"train.learning_rate": 0.02, "train.clip": 2.0}) == (0.02, [])
    sentence = "T4DM_LEARNING_RATE: expected a number from 0 to 1, got 'fast'; left out"
    assert begun("fast", {}) == (usual, [sentence])


@pytest.mark.parametrize("asked", [
    [[{"type": "set", "path": "toy.gain", "value": 2.0}, {"type": "step", "n": 3}]],
    [{"type": "set", "path": "toy.gain", "value": 3.0}, {"type": "step", "n": 2}],
    [{"type": "step", "n": 3}, [{"type": "set", "path": "toy.gain", "value": 4.0}, {"type": "step"}]],
])  # fmt: skip
def test_no_line_of_the_log_counts_a_request_that_none_has_told(worker, asked):
    """A kill between two lines must leave a log that leads to where its last line stands."""
    lines = []
    promise = worker.keeper.line
    worker.keeper.line = lambda line, then: (lines.append(line), promise(line, then))
    ask(worker, {"type": "pause"})
    for body in asked:
        request = Request("commands", body)
        worker.server.requests.put(request)
        worker._drain(0.0)
        while not request._ready.wait(0.01):
            worker._work(0.0)
        assert request.wait()["ok"]
    told = set()
    for line in lines:
        told |= {request["n"] for request in line.done}
        assert told == set(range(1, line.applied + 1))
    assert told


def test_the_ring_begins_with_the_course_and_goes_on_step_by_step(worker, tmp_path):
    for _ in range(5):
        worker._work(0.0)
    records = held(tmp_path)
    assert [one.meta.get("course", False) for one in records] == [True] + [False] * 5
    assert merge(records[1:], SERIES).arrays["value"][:, 0].tolist() == [1, 2, 3, 4, 5]


def test_now_and_then_the_whole_course_is_told_again(worker, tmp_path, monkeypatch):
    monkeypatch.setattr(run_loop, "COURSE_EVERY", 4)
    for _ in range(10):
        worker._work(0.0)
    courses = [one for one in held(tmp_path) if one.meta.get("course")]
    assert [one.step1 for one in courses] == [0, 4, 8]
    assert len(courses[-1].arrays["value"]) == 8
    assert worker.status(0.0)["course"] == 1 + 4 + 1 + 4 + 1


def test_a_long_run_still_has_all_its_steps_in_a_small_ring(worker, tmp_path):
    big = np.zeros(400, np.float32)
    advance = worker.session.engine.advance

    def with_more():
        record = advance()
        record.arrays["newest"] = big
        return record

    worker.session.engine.advance = with_more
    for _ in range(1500):
        worker._work(0.0)
    reader = RingReader(tmp_path / "ring")
    course = worker.status(0.0)["course"]
    records = [Record.decode(reader.read(seq)) for seq in range(course, reader.latest + 1)]
    records = [records[0], *(one for one in records[1:] if not one.meta.get("course"))]
    assert merge(records, SERIES).arrays["steps"].tolist() == list(range(1500))
    assert reader.entry(reader.latest).seq > len(reader.entries(1, -1, 1 << 62)), (
        "nothing was let go"
    )


def test_a_course_always_fits_a_block_of_the_ring(worker, tmp_path):
    for _ in range(3000):
        worker._work(0.0)
    assert worker.session.course.every > 1
    worker._publish_course()
    assert (
        rows_that_fit({"x": {"per_step": True, "shape": [2, 9], "dtype": "f4"}}, 3 << 19) == 15_521
    )


def test_a_reset_begins_a_new_epoch_with_an_empty_course(worker, tmp_path):
    worker._work(0.0)
    answer = ask(worker, {"type": "reset", "seed": 2})
    assert answer["ok"] and answer["new"] == 2
    newest = held(tmp_path)[-1]
    assert newest.meta["course"] and newest.epoch == 2 and len(newest.steps) == 0


def test_steps_are_answered_when_they_are_done(worker):
    ask(worker, {"type": "pause"})
    request = Request("commands", {"type": "step", "n": 2})
    worker.server.requests.put(request)
    worker._drain(0.0)
    worker._work(0.0)
    assert not request._ready.is_set()
    worker._work(0.0)
    assert request._ready.wait(5) and request.wait()["step"] == 2


def test_a_queued_request_that_is_refused_is_told_as_an_event(worker):
    ask(worker, {"type": "set", "path": "toy.gain", "value": 99}, queued=True)
    last = worker.session.log[-1]
    assert last["type"] == "refused" and "toy.gain" in last["message"] and last["who"] == "tab"
    ask(worker, {"type": "set", "path": "toy.gain", "value": 98})
    assert worker.session.log[-1] == last


def test_a_socket_answers_a_queued_request_though_nobody_serves_it(tmp_path):
    """The loop may be in a step: the answer comes from the thread of the socket."""
    server = CommandServer(tmp_path / "s")
    server.where = lambda: {"rev": 7, "step": 3}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(tmp_path / "s"))
        request = {"op": "commands", "body": {"type": "pause"}, "ack": "queued"}
        connection.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(connection.makefile().readline())
    waiting = server.requests.get(timeout=5)
    server.close()
    assert answer == {"ok": True, "queued": True, "waiting": 1, "rev": 7, "step": 3}
    assert waiting.queued and waiting.body == {"type": "pause"}


@pytest.mark.parametrize(("answered", "queued"), [(True, False), (False, True)])
def test_a_request_is_answered_soon_or_told_to_wait(tmp_path, monkeypatch, answered, queued):
    """With its answer where that comes in time, else that it waits."""
    monkeypatch.setattr("t4dm.live.server.SOON_S", 60.0 if answered else 0.001)
    server = CommandServer(tmp_path / "s")
    server.where = lambda: {"rev": 7, "step": 3}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(tmp_path / "s"))
        request = {"op": "commands", "body": {"type": "pause"}, "ack": "soon"}
        connection.sendall(json.dumps(request).encode() + b"\n")
        if answered:
            waiting = server.requests.get(timeout=30)
            waiting.answer({"ok": True, "rev": 8})
        told = json.loads(connection.makefile().readline())
        if not answered:
            waiting = server.requests.get(timeout=30)
    server.close()
    assert told == (
        {"ok": True, "rev": 8}
        if answered
        else {"ok": True, "queued": True, "waiting": 1, "rev": 7, "step": 3}
    )
    assert waiting.was_queued() is queued


def test_a_refusal_is_told_once_either_as_the_answer_or_as_an_event(worker):
    """Whoever decides first: the sender who stops to wait, or the loop that refuses."""
    body = {"type": "set", "path": "toy.gain", "value": 11.0}
    late, early = (Request("commands", body, who="tab") for _ in range(2))
    assert late.wait_soon(0.0) is None
    for request in (late, early):
        worker.server.requests.put(request)
    worker._drain(0.0)
    assert early.wait_soon(0.0)["error"]["field"] == "toy.gain"
    told = [one for one in worker.session.log if one["type"] == "refused"]
    assert len(told) == 1 and "toy.gain" in told[0]["message"]
    assert early.was_queued() is False


def test_a_checkpoint_that_is_refused_later_is_told_as_an_event(worker):
    assert ask(worker, {"type": "checkpoint", "name": "one"})["ok"]
    assert not ask(worker, {"type": "checkpoint", "name": "one"}, queued=True)["ok"]
    event = worker.session.log[-1]
    assert event["type"] == "refused" and "'one' already" in event["message"]


def test_a_checkpoint_is_kept_listed_and_forgotten(worker):
    for _ in range(3):
        worker._work(0.0)
    answer = ask(worker, {"type": "checkpoint", "name": "good"})
    assert answer["ok"] and answer["new"] == {"checkpoint": "good", "step": 3}
    assert worker.status(0.0)["kept"] == [{"name": "good", "step": 3, "seed": 0}]
    assert worker.session.log[-1]["type"] == "checkpoint"
    again = ask(worker, {"type": "checkpoint", "name": "good"})
    assert again["error"]["field"] == "name" and "already" in again["error"]["message"]
    assert ask(worker, {"type": "forget", "checkpoint": "good"})["ok"]
    assert worker.status(0.0)["kept"] == []
    gone = ask(worker, {"type": "branch", "checkpoint": "good"})
    assert gone["error"]["field"] == "checkpoint"


def test_checkpoints_with_a_name_are_bounded(worker, monkeypatch):
    monkeypatch.setattr("t4dm.live.kept.MOST", 2)
    assert all(ask(worker, {"type": "checkpoint", "name": f"c{k}"})["ok"] for k in range(2))
    refused = ask(worker, {"type": "checkpoint", "name": "c2"})["error"]
    assert refused["hi"] == 2 and "forget one" in refused["message"]


def test_a_branch_is_a_session_that_begins_there(worker, tmp_path):
    for _ in range(4):
        worker._work(0.0)
    ask(worker, {"type": "set", "path": "toy.gain", "value": 3.0})
    ask(worker, {"type": "checkpoint", "name": "here"})
    worker._work(0.0)
    answer = ask(worker, {"type": "branch", "checkpoint": "here", "name": "b"})
    assert answer["new"] == {"checkpoint": "here", "step": 4, "session": "b"}
    assert Registry(tmp_path).load("b").options == {"run": "tiny"}
    assert (
        ask(worker, {"type": "branch", "checkpoint": "here", "name": "b"})["error"]["field"]
        == "name"
    )
    ask(worker, {"type": "forget", "checkpoint": "here"})
    origin = branched_from(tmp_path / "sessions" / "b")
    begun = RunSession("b", "toy", ToyRun())
    begun.take(origin)
    begun.advance()
    assert begun.engine.sum == 7.0 and len(begun.whole().steps) == 5
    assert worker.session.engine.step == 5, "the old one goes on"


def test_a_branch_is_one_of_the_sessions_that_may_be_created(worker, tmp_path):
    """The same limits as over REST, of number and of memory."""
    worker._work(0.0)
    ask(worker, {"type": "checkpoint", "name": "here"})
    branch = {"type": "branch", "checkpoint": "here", "name": "b"}
    worker.kept.limits = Limits(sessions=0)
    assert ask(worker, branch)["error"]["field"] == "sessions"
    worker.kept.limits = Limits(bytes=1 << 20)
    refused = ask(worker, branch)["error"]
    assert refused["field"] == "kind" and "1 MB are allowed in all" in refused["message"]
    assert Registry(tmp_path).names() == []
    worker.kept.limits = Limits()
    assert ask(worker, branch)["ok"] and Registry(tmp_path).names() == ["b"]


def test_the_limits_of_branches_are_those_of_the_environment(monkeypatch):
    monkeypatch.setenv("T4DM_MAX_SESSIONS", "3")
    monkeypatch.setenv("T4DM_MEMORY_MB", "100")
    assert limits_in_force() == Limits(3, 100 << 20)
    monkeypatch.setenv("T4DM_MAX_SESSIONS", "many")
    assert limits_in_force() == Limits()


def test_a_disk_that_refuses_is_told(worker, monkeypatch):
    def refuses(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("t4dm.live.kept.write_sealed", refuses)
    answer = ask(worker, {"type": "checkpoint", "name": "x"})
    assert not answer["ok"] and "No space" in answer["error"]["message"]


def test_texts_are_written_to_the_file_also_while_paused(worker, tmp_path):
    ask(worker, {"type": "pause"})
    ask(worker, {"type": "sample", "prompt": "a"})
    worker._idle()
    assert [one["prompt"] for one in worker.samples.read()] == ["a"]


def test_a_key_is_applied_once(worker):
    for _ in range(2):
        request = Request("commands", {"type": "note", "text": "x"}, key="k")
        worker.server.requests.put(request)
        worker._drain(0.0)
    assert len([e for e in worker.session.log if e["type"] == "note"]) == 1


def test_what_was_done_about_files_before_a_kill_is_found_by_its_key(worker, tmp_path):
    """The first one's file is there, its line in the log is not."""
    branch = {"type": "branch", "checkpoint": "here"}
    keep = {"type": "checkpoint", "name": "here"}
    worker._work(0.0)
    first, command = Request("commands", keep, key="k"), parse_command(keep, RUN_COMMAND_TYPES)
    kept = worker.kept._answered(command, worker.session.checkpoint(), first).answer["new"]
    worker._work(0.0)
    assert by_key(worker, keep, "k")["new"] == kept == {"checkpoint": "here", "step": 1}
    assert "already" in by_key(worker, keep, "other")["error"]["message"]
    first, command = Request("commands", branch, key="b"), parse_command(branch, RUN_COMMAND_TYPES)
    made = worker.kept._answered(command, None, first).answer["new"]
    assert by_key(worker, branch, "b")["new"] == made
    assert Registry(tmp_path).names() == [made["session"]] == ["session-2"]
    assert by_key(worker, branch, "c")["new"]["session"] == "session-3"
    forget = {"type": "forget", "checkpoint": "here"}
    first, command = Request("commands", forget, key="f"), parse_command(forget, RUN_COMMAND_TYPES)
    gone = worker.kept._answered(command, None, first).answer["new"]
    assert by_key(worker, forget, "f")["new"] == gone == {"checkpoint": "here"}
    assert by_key(worker, forget, "g")["error"]["field"] == "checkpoint"


def by_key(worker, body, key):
    """As :func:`ask`, with a key."""
    request = Request("commands", body, key=key)
    worker.server.requests.put(request)
    while not request._ready.wait(0.01):
        worker._drain(0.0)
    return request.wait()
