"""Receptive fields and held-out accuracy: what the figures say of windows one can check."""

import base64
from dataclasses import replace

import numpy as np
import pytest

from dashboard.figures import accuracy, receptive, tables

LABELS = [3, 255, 0, 3]


def decoded(typed):
    shape = [int(n) for n in typed["shape"].split(",")] if "shape" in typed else -1
    return np.frombuffer(base64.b64decode(typed["bdata"]), typed["dtype"]).reshape(shape)


def texts(figure):
    return " | ".join(note["text"] for note in figure["layout"]["annotations"])


@pytest.fixture
def taught(window):
    """Four neurons whose weights are their number, and a course of two points."""
    fields = np.tile(np.arange(4, dtype=np.uint8) * 51, (1, 64, 1))
    course = np.full((1, 4, 3), np.nan, np.float32)
    course[0, :2] = [[20_000, 0.25, -0.5], [42_000, 0.75, 0.5]]
    events = [
        {"type": "answer", "split": "train", "step": 1, "t_ms": 1.0, "delta": 1.5, "r": 1.0},
        {"type": "answer", "split": "held_out", "step": 2, "t_ms": 2.0},
    ]
    made = window([[0], [], [5, 14]], events=events)
    meta = made.meta | {
        "w_shown": 2.0,
        "learned": {"accuracy": 0.75, "scored": 240, "window": 100},
    }
    labels = np.array([LABELS], np.uint8)
    return replace(made, receptive=fields, neuron_labels=labels, course=course, meta=meta)


def test_every_field_stands_in_the_row_of_its_label(taught):
    figure = receptive.figure(taught, None)
    image = decoded(figure["data"][0]["z"])
    assert image.shape == (9 * 11, 9 * 32)
    assert (image[27:35, 0:8] == pytest.approx(0.0)) and (image[27:35, 9:17] > 1.1).all()
    assert image[0:8, 0:8].mean() == pytest.approx(2 * 51 * 2 / 255)
    assert image[90:98, 0:8].mean() == pytest.approx(51 * 2 / 255)
    assert np.isnan(image[8, :]).all() and np.isnan(image[0:8, 9:]).all()
    axis = figure["layout"]["yaxis"]
    assert axis["ticktext"][0] == "0 (1)" and axis["ticktext"][3] == "3 (2)"
    assert axis["ticktext"][10] == "none (1)"
    assert "showing 4 of 4 neurons" in texts(figure)


def test_the_colours_are_fixed_by_the_length_of_the_weights(taught):
    trace = receptive.figure(taught, None)["data"][0]
    assert (trace["zmin"], trace["zmax"]) == (0, 2.0)
    assert "weight" in trace["colorbar"]["title"]["text"]


def test_a_window_without_a_sample_says_so(window):
    empty = window([[0], []], step0=1)
    assert "every 250 ms" in texts(receptive.figure(empty, None))
    assert "held out" in texts(accuracy.figure(empty, None))
    assert "waiting" in texts(accuracy.figure(None, None))


def test_accuracy_is_drawn_in_percent_over_the_run_with_chance(taught):
    figure = accuracy.figure(taught, None)
    score, expected, deltas = figure["data"]
    assert decoded(score["x"]).tolist() == [20.0, 42.0]
    assert decoded(score["y"]).tolist() == [25.0, 75.0]
    assert decoded(expected["y"]).tolist() == [-0.5, 0.5]
    assert decoded(deltas["y"]).tolist() == [1.5]
    assert figure["layout"]["xaxis"]["range"] == [0, 50.0]
    line = next(s for s in figure["layout"]["shapes"] if s["type"] == "line")
    assert line["y0"] == line["y1"] == 10.0
    title = figure["layout"]["title"]["text"]
    assert "75 % (66 to 82 %) of the last 100, 240 scored" in title


@pytest.mark.parametrize(
    ("share", "n", "lo", "hi"), [(0.5, 100, 0.4038, 0.5962), (0, 10, 0, 0.2775)]
)
def test_interval_is_wilsons(share, n, lo, hi):
    assert accuracy.interval(share, n) == pytest.approx((lo, hi), abs=1e-4)


def test_tables_hold_every_weight_and_every_point(taught):
    columns = tables.receptive(taught)
    assert len(columns["weight"]) == 4 * 64
    assert columns["weight"][64:128] == pytest.approx(51 * 2 / 255)
    assert columns["label"][::64].tolist() == [3, -1, 0, 3]
    assert columns["neuron"][::64].tolist() == [0, 1, 2, 3]
    course = tables.accuracy(taught)
    assert course["time_ms"].tolist() == [20_000, 42_000]
    assert course["held_out_accuracy"].tolist() == [0.25, 0.75]
