"""A seeded share of the hostile requests of ``benchmarks/bench_fuzz.py``, against a real worker."""

import json
import random
from contextlib import contextmanager

import pytest

from tests.fuzzing import WELL, Input, Report, Target, callback_inputs, hostile_inputs
from tests.hostile import VALUES
from tests.killing import Killed

SEED = 20


@pytest.fixture(scope="module")
def target():
    with target_of(Killed(engine=WELL, checkpoint_s=1000.0)) as made:
        yield made


@contextmanager
def target_of(session):
    patch = pytest.MonkeyPatch()
    patch.delenv("T4DM_API_KEY", raising=False)
    patch.setenv("T4DM_RUN_DIR", str(session.run))
    patch.setenv("T4DM_DATA_DIR", str(session.data))
    made = Target(session)
    yield made
    made.close()
    patch.undo()


def judge(target, inputs):
    report = Report()
    for request in inputs:
        target.send(request, report)
    assert report.troubles == []
    assert report.tried == len(inputs)
    assert target.unharmed()
    return report


def test_the_hand_list_is_long_enough():
    assert len({repr(value) for value in VALUES}) >= 120


def test_hostile_values_in_every_operation(target):
    every = list(hostile_inputs(target.document))
    report = judge(target, random.Random(SEED).sample(every, 700))
    assert report.answers[422] > 50


def test_mutated_callback_bodies(target):
    report = judge(target, list(callback_inputs(random.Random(SEED), 400)))
    assert report.accepted == 0 and max(report.answers) < 500 and min(report.answers) >= 400


def test_a_change_by_a_refused_request_is_seen():
    """The check itself, on an engine that changes a level by a billionth before it refuses."""
    with target_of(Killed(engine="tests.sick_engine:LeakyEngine", checkpoint_s=1000.0)) as target:
        assert target.unharmed()
        body = json.dumps({"type": "set", "path": "lif.u_max", "value": 7.0}).encode()
        report = Report()
        target.send(Input("POST", "/sessions/default/commands", "leak", body), report)
        assert report.answers == {422: 1}
        assert not target.unharmed()
