"""Segments: encoding, cropping and the absolute grids."""

import numpy as np
import pytest

from t4dm.live.frame import FrameError, encode
from t4dm.live.segment import ARRAYS, Segment, grid
from t4dm.live.tree import ParamTree
from tests.toy_engine import ToyEngine


@pytest.fixture
def segments():
    engine = ToyEngine(tree=ParamTree(6), seed=3)
    return [engine.advance(n) for n in (64, 64, 64, 64)]


def test_encoding_keeps_every_array_and_the_meta(segments):
    back = Segment.decode(segments[3].encode())
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(back, name), getattr(segments[3], name))
    assert (back.step0, back.step1, back.epoch) == (192, 256, 0)
    assert back.meta["watch"] == segments[3].meta["watch"]
    assert back.meta["hist_steps"] == [250]


def test_a_frame_that_is_no_segment_is_refused():
    with pytest.raises(FrameError):
        Segment.decode(encode({"step0": 0}, {}))


def test_grid_holds_absolute_steps():
    assert grid(1, 9, 4).tolist() == [4, 8]
    assert grid(8, 9, 4).tolist() == [8]
    assert grid(1, 4, 4).tolist() == []


def test_two_crops_hold_what_the_whole_holds(segments):
    whole = segments[3]
    a, b = whole.crop(0, 201), whole.crop(201, 1000)
    assert (a.step0, a.step1, b.step0, b.step1) == (192, 201, 201, 256)
    for name in ARRAYS:
        joined = np.concatenate([getattr(a, name), getattr(b, name)])
        np.testing.assert_array_equal(joined, getattr(whole, name))
    assert a.meta["hist_steps"] == [] and b.meta["hist_steps"] == [250]
    assert len(a.spk_id) == a.spk_n.sum()


def test_events_are_cropped_by_step(segments):
    first = segments[0]
    assert [e["step"] for e in first.crop(0, 10).meta["events"]] == [0]
    assert first.crop(1, 10).meta["events"] == []


def test_a_crop_outside_is_refused(segments):
    with pytest.raises(ValueError, match="outside"):
        segments[0].crop(64, 100)
