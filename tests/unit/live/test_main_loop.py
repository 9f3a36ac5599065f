"""The worker's main loop, without threads, sockets or a disk: what is told, and in which order."""

from __future__ import annotations

import queue
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from t4dm.live.main_loop import Worker, fitting, longest_chunk
from t4dm.live.segment import Segment
from t4dm.live.server import Request
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from tests.toy_engine import ToyEngine


@pytest.fixture
def told():
    """Everything that leaves the worker, in order: statuses as (name, rev, step, state), answers."""
    return []


@pytest.fixture
def worker(told):
    """A worker on the toy engine whose ring and keeper only take notes."""
    session = Session("default", ToyEngine(tree=ParamTree(6)))

    def status(now):
        told.append(("status", now["params_rev"], now["step"], now["state"]))

    ring = SimpleNamespace(append=lambda *_: None, status=status, block=4 << 20)
    keeper = SimpleNamespace(
        answers=[],
        pause_s=5.0,
        rest_s=0.0,
        idle=True,
        saved_step=None,
        error="",
        line=lambda _, then: then(True),
    )
    server = SimpleNamespace(requests=queue.SimpleQueue())
    return Worker(session, ring, server, keeper, {})


class NotedRequest(Request):
    """A request whose answer is noted instead of sent."""

    def __init__(self, body, told):
        super().__init__("commands", body)
        self.told = told

    def answer(self, answer):
        self.told.append(("answer", answer))


def ask(worker, told, *bodies):
    """Queue commands and have them answered."""
    for body in bodies:
        worker.server.requests.put(NotedRequest(body, told))
    worker._drain(0.0)


def test_a_status_with_the_change_is_out_before_its_answer(worker, told):
    ask(worker, told, {"type": "set", "path": "lif.beta", "value": 0.5}, {"type": "pause"})
    kinds = [kind for kind, *_ in told]
    assert kinds == ["status", "answer", "answer"]
    assert told[0] == ("status", 1, 0, "paused")
    assert [answer["ok"] for kind, answer, *_ in told if kind == "answer"] == [True, True]


def test_a_status_with_the_last_step_is_out_before_the_steps_are_answered(worker, told):
    ask(worker, told, [{"type": "pause"}, {"type": "step", "n": 3}])
    assert [kind for kind, *_ in told] == ["status"]
    worker._chunk(8)
    assert told[1] == ("status", 0, 3, "paused")
    assert told[2][0] == "answer" and told[2][1]["step"] == 3


def test_a_refusal_changes_nothing_and_is_answered(worker, told):
    ask(worker, told, {"type": "set", "path": "lif.beta", "value": 99})
    assert told[0] == ("status", 0, 0, "running")
    assert told[1][1]["error"]["field"] == "lif.beta"


@pytest.mark.parametrize(
    ("n_total", "block", "steps"),
    [(3328, 4 << 20, 64), (3328, 256 << 10, 16), (65_535, 3 << 19, 8), (65_535, 1 << 16, 8)],
)
def test_a_chunk_is_no_longer_than_a_record_has_room_for(n_total, block, steps):
    """Also where every neuron fires in every step."""
    assert longest_chunk(n_total, block) == steps


def test_a_small_ring_makes_the_chunks_of_an_unpaced_run_short(told, worker, monkeypatch):
    taken = []
    monkeypatch.setattr(worker, "_chunk", taken.append)
    monkeypatch.setattr(worker, "_longest", 16)
    worker.session.speed = None
    worker._work(0.0)
    worker.session.engine.step += 3
    worker._work(0.0)
    assert taken == [16, 13]


def test_matrices_give_way_where_a_block_has_no_room_for_them():
    heads = np.ones((1, 6, 2, 64, 64), np.uint8)
    segment = replace(
        ToyEngine().advance(64), matrix=np.ones((1, 6, 64, 64), np.uint8), attention_heads=heads
    )
    whole = segment.encode()
    assert fitting(segment, len(whole)) == whole
    rest = Segment.decode(fitting(segment, len(whole) - 1))
    assert rest.matrix.shape[:2] == (1, 0) and len(rest.encode()) < len(whole) - 3 * 24_000
    assert rest.attention_heads.shape[:2] == (1, 0)
    assert np.array_equal(rest.spk_id, segment.spk_id) and rest.crop(8, 16).matrix.shape[1] == 0
