"""The sensory layer taught outside the engine, and the example that draws it."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from t4dm.live.lesson import Lessons, split_of, teach
from t4dm.params import ParamError

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels


def test_it_learns_more_than_chance_from_a_few_hundred_digits():
    curve = teach(0, 64, 1, [300])
    assert [shown for shown, _ in curve] == [300, 1438]
    assert curve[-1][1] > 0.6


def test_without_reward_or_stdp_it_learns_less():
    whole = teach(1, 64, 1, [])[-1][1]
    unrewarded = teach(1, 64, 1, [], {"sensory.reward": False})[-1][1]
    fixed = teach(1, 64, 1, [], {"sensory.stdp": False})[-1][1]
    assert whole > unrewarded + 0.05
    assert unrewarded > fixed + 0.02


def test_a_test_changes_nothing():
    train, kept = split_of(2)
    tested, straight = Lessons(32, 2), Lessons(32, 2)
    tested.show(train[:20], "train")
    tested.test(kept[:10])
    tested.show(train[20:30], "train")
    for part in (train[:20], train[20:30]):
        straight.show(part, "train")
    for name, array in tested.sensory.kept().items():
        assert np.array_equal(array, straight.sensory.kept()[name], equal_nan=True), name
    assert tested.r_hat == straight.r_hat


def test_held_out_digits_are_never_learnt_from():
    _, kept = split_of(3)
    lessons = Lessons(32, 3)
    before = lessons.sensory.arrays.weight.copy()
    lessons.show(kept[:12], "held_out")
    assert lessons.spikes > 0
    assert np.array_equal(lessons.sensory.arrays.weight, before)
    assert not lessons.sensory.arrays.theta_a.any()
    assert not lessons.sensory.readout.seen.any()
    assert lessons.sensory.score.answers == 12


def test_an_unknown_parameter_is_refused():
    with pytest.raises(ParamError, match="did you mean 'sensory.reward'"):
        Lessons(8, 0, {"sensory.rewards": False})


def test_the_example_draws_what_was_learnt(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    path = EXAMPLES / "digits_learned.py"
    assert len(path.read_text().splitlines()) <= 60
    spec = importlib.util.spec_from_file_location("digits_learned", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.main(tmp_path, passes=1, most=12, every=6)
    drawn = json.loads((tmp_path / "digits_learned.json").read_text())
    assert drawn["4 the layer on the left"][:2] == [2, 18.0]
    assert (tmp_path / "digits_learned.png").stat().st_size > 20_000
