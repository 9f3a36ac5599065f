"""A seeded share of the hostile requests of ``benchmarks/bench_fuzz.py``, against a real worker."""

import random

import pytest

from tests.fuzzing import Report, Target, callback_inputs, hostile_inputs
from tests.hostile import VALUES
from tests.killing import Killed

SEED = 20


@pytest.fixture(scope="module")
def target():
    patch = pytest.MonkeyPatch()
    patch.delenv("T4DM_API_KEY", raising=False)
    session = Killed(checkpoint_s=1000.0)
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
