"""Records: what a run session publishes, joined and thinned out without losing what is rare."""

import numpy as np
import pytest

from t4dm.live.frame import FrameError, encode
from t4dm.live.record import Course, Record, merge
from tests.toy_run import SERIES, ToyRun


def records(n, first=0):
    engine = ToyRun()
    made = [engine.advance() for _ in range(first + n)]
    return made[first:]


def same(a, b):
    return a.tobytes() == b.tobytes()


def test_a_record_goes_through_the_wire():
    record = records(1)[0]
    back = Record.decode(record.encode(epoch=4, more=1))
    assert (back.step0, back.step1, back.epoch, back.meta["more"]) == (0, 1, 0, 1)
    assert same(back.arrays["value"], record.arrays["value"])


def test_a_frame_without_steps_is_no_record():
    with pytest.raises(FrameError):
        Record.decode(encode({"step0": 1}, {}))


def test_rows_are_joined_and_of_the_rest_the_newest_counts():
    made = records(12)
    made.insert(3, Record(3, 3, 0, {"events": [{"type": "news", "step": 3}]}))
    joined = merge(made, SERIES)
    assert (joined.step0, joined.step1) == (0, 12)
    assert joined.arrays["value"].shape == (12, 2) and joined.arrays["newest"] == [12]
    assert joined.arrays["steps"].tolist() == list(range(12))
    assert [event["type"] for event in joined.meta["events"]] == ["news", "tick"]


def test_nothing_cannot_be_joined():
    with pytest.raises(ValueError, match="no record"):
        merge([], SERIES)


def test_a_short_course_is_kept_row_by_row():
    course = Course(SERIES, max_rows=50)
    for record in records(50):
        course.take(record)
    whole = course.record(9)
    assert whole.epoch == 9 and course.every == 1 and len(course) == 50
    assert same(whole.arrays["value"], merge(records(50), SERIES).arrays["value"])


def test_a_long_course_is_thinned_out_and_keeps_what_is_rare():
    course = Course(SERIES, max_rows=100)
    for record in records(300):
        course.take(record)
        assert len(course) <= 100
    whole = course.record(0)
    steps = whole.steps.tolist()
    assert course.every == 8
    assert steps == sorted({*range(0, 300, 8), *range(0, 300, 7)})
    assert whole.step1 == 300 and whole.arrays["newest"] == [300]
    sums = dict(zip(steps, whole.arrays["value"][:, 0], strict=True))
    assert sums[16] == 17 and sums[294] == 295


def test_where_the_rare_is_not_rare_it_is_thinned_out_too():
    course = Course(SERIES, max_rows=20)
    for record in records(2000):
        course.take(record)
        assert len(course) <= 20
    steps = course.record(0).steps.tolist()
    assert steps == sorted(set(steps)) and steps[0] == 0 and steps[-1] >= 1800


def test_a_course_survives_as_bytes():
    course, again = Course(SERIES, max_rows=50), Course(SERIES, max_rows=50)
    for record in records(80):
        course.take(record)
    state = course.state()
    assert all(array.dtype == np.uint8 for array in state.values())
    again.load_state(state)
    for record in records(40, first=80):
        course.take(record)
        again.take(record)
    assert again.every == course.every and len(again) == len(course)
    for name, array in course.record(0).arrays.items():
        assert same(again.record(0).arrays[name], array)


def test_an_empty_course_is_a_record_too():
    course, again = Course(SERIES), Course(SERIES)
    assert course.record(3).step1 == 0 and len(course.record(3).steps) == 0
    again.load_state(course.state())
    assert len(again) == 0
