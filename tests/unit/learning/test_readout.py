"""Labels, answers and the score of a read-out, on numbers small enough to count."""

import math

import numpy as np
import pytest

from t4dm.learning.readout import Answer, Readout, Score


def taught(*items, memory=1e9):
    readout = Readout(3, 2, memory)
    for counts, label in items:
        readout.observe(np.array(counts), label)
    return readout


def test_a_neuron_gets_the_class_of_its_highest_mean_not_of_its_highest_sum():
    often = [([3, 0, 0], 0)] * 3
    readout = taught(*often, ([4, 1, 0], 1))
    assert readout.labels().tolist() == [1, 1, -1]


def test_votes_are_means_over_the_neurons_of_a_class():
    readout = taught(([1, 1, 0], 0), ([0, 0, 1], 1))
    assert readout.answer(np.array([2, 1, 2])) == Answer(1, pytest.approx(2 / 3.5))


def test_no_votes_no_answer():
    assert Readout(3, 2).answer(np.array([5, 0, 0])) == Answer(-1, 0.0)
    assert taught(([1, 0, 0], 0)).answer(np.array([0, 4, 4])) == Answer(-1, 0.0)


def test_old_responses_fade():
    readout = taught(([9, 0, 0], 0), *[([1, 0, 0], 1)] * 4, memory=1.0)
    assert readout.seen[0] == pytest.approx(math.exp(-4))
    assert readout.labels()[0] == 0  # a mean does not fade, only what it weighs
    for _ in range(40):
        readout.observe(np.array([0, 0, 0]), 1)
    assert readout.labels()[0] == -1


def test_score_is_the_share_of_the_last_answers():
    score = Score(window=4)
    assert math.isnan(score.accuracy)
    for right in (False, False, True, True, True):
        score.add(right, 0)
    assert score.accuracy == 0.75
    assert score.answers == 5


def test_course_halves_itself_when_it_is_full_and_stays_in_order():
    score = Score(window=1, points=8)
    for k in range(1, 101):
        score.add(k % 2 == 0, k, r_hat=k / 100)
    steps = score.curve[:, 0]
    every = int(score.numbers[2])
    assert 4 <= len(steps) <= 8
    assert np.array_equal(steps, every * np.arange(1, len(steps) + 1))
    assert score.curve[-1, 2] == steps[-1] / 100
