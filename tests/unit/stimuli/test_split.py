"""The split into training and held-out digits."""

import numpy as np

from t4dm.stimuli.digits import digit_images
from t4dm.stimuli.split import held_out


def test_a_fifth_of_every_class_is_held_out():
    labels = digit_images()[1]
    kept = held_out(labels, 0)
    for label in range(10):
        mine = labels == label
        assert kept[mine].sum() == round(0.2 * mine.sum())


def test_one_seed_one_split():
    labels = digit_images()[1]
    assert np.array_equal(held_out(labels, 4), held_out(labels, 4))
    assert (held_out(labels, 4) != held_out(labels, 5)).any()


def test_small_classes_are_rounded():
    assert held_out(np.array([7, 7, 3]), 1, share=0.5).sum() == 1
