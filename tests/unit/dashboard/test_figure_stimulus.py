"""The stimulus: its image in the margin, mean input of every step, rests."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dashboard.figures import stimulus, tables
from tests.unit.dashboard.figure_values import THREE, texts, values


def test_stimulus_shows_the_image_of_its_event(window):
    image = [0.0] * 63 + [1.0]
    events = [
        {"type": "stimulus", "step": 1, "kind": "digits", "label": "3", "index": 9, "image": image}
    ]
    figure = stimulus.figure(window(THREE, events=events), {})
    cells = image_cells(figure)
    assert len(cells) == 64
    assert {cell["fillcolor"] for cell in cells[:-1]} == {"#ffffff"}
    assert cells[-1]["fillcolor"] == stimulus.grey(1.0, "light") == "#1a1a1a"
    corner = max(cells, key=lambda cell: (cell["x1"], -cell["y0"]))
    assert corner is cells[-1]
    assert corner["x1"] < 0, "the image stands in the margin, left of the axes"
    assert 'digits "3" #9' in figure["layout"]["title"]["text"]
    assert 'digits "3"' in texts(figure)
    assert "“3”" in texts(figure)


def image_cells(figure):
    named = [s for s in figure["layout"]["shapes"] if s.get("name") == stimulus.IMAGE]
    return [shape for shape in named if "fillcolor" in shape]


def test_stimulus_draws_the_mean_input_of_every_step(window):
    given = window(THREE, step0=40)
    given.stim[1] = 255
    trace = stimulus.figure(given, {})["data"][0]
    assert values(trace["x"]).tolist() == [40.0, 41.0, 42.0]
    assert values(trace["y"]) == pytest.approx([0.2, 1.0, 0.2])


def test_stimulus_shades_rests_up_to_the_next_onset(window):
    events = [{"type": "rest", "step": 0}, {"type": "stimulus", "step": 2, "label": "3"}]
    shapes = stimulus.figure(window(THREE, events=events), {})["layout"]["shapes"]
    (shade,) = [s for s in shapes if s.get("opacity")]
    assert (shade["x0"], shade["x1"]) == (0.0, 2.0)


def test_stimulus_without_an_event_shows_the_mean_input(window):
    figure = stimulus.figure(window(THREE), {})
    assert {cell["fillcolor"] for cell in image_cells(figure)} == {stimulus.grey(0.2, "light")}
    assert "mean of 3 ms" in texts(figure)
    longer = window([[]] * 80)
    longer.stim[:30] = 255
    figure = stimulus.figure(longer, {})
    assert {cell["fillcolor"] for cell in image_cells(figure)} == {stimulus.grey(0.2, "light")}
    assert "mean of 50 ms" in texts(figure)


def test_an_input_with_one_thing_to_show_is_named_once(window):
    event = {"type": "stimulus", "step": 1, "kind": "constant", "label": "constant"}
    figure = stimulus.figure(window(THREE, events=[event | {"image": [0.5] * 64}]), {})
    told = texts(figure) + figure["layout"]["title"]["text"]
    assert told.count("constant") == 3  # title, caption, and where it begins
    assert '"constant"' not in told


def reaching(given, largest, smallest, mean):
    """``given`` with inputs between ``smallest`` and ``largest`` in every step."""
    rows = np.tile(np.array([largest, smallest, mean], "f4"), (given.n_steps, 1))
    return dataclasses.replace(given, stim_range=rows)


@pytest.mark.parametrize(
    ("inputs", "ends", "ticks"),
    [
        ((1.0, 0.0, 0.1), [0, 1.02], [0, 0.5, 1]),
        ((-0.5, -0.5, -0.5), [-0.52, 0.52], [-0.5, 0, 0.5]),
        ((5.0, 5.0, 5.0), [0, 5.1], [0, 2.5, 5]),
        ((0.3, -0.3, 2e-9), [-0.52, 0.52], [-0.5, 0, 0.5]),
        ((40.0, 0.0, 0.7), [0, 1.02], [0, 0.5, 1]),
        ((1.2, -1.1, 0.12), [-0.208, 0.208], [-0.2, 0, 0.2]),
    ],
)
def test_the_axis_follows_the_inputs_and_the_trace_is_their_mean(window, inputs, ends, ticks):
    given = reaching(window(THREE), *inputs)
    made = stimulus.figure(given, {})
    axis = made["layout"]["yaxis"]
    assert axis["range"] == pytest.approx(ends) and axis["tickvals"] == pytest.approx(ticks)
    assert values(made["data"][0]["y"]) == pytest.approx([inputs[2]] * 3, abs=1e-6)
    clipped = inputs[1] < 0 or inputs[0] > 1
    assert (stimulus.CLIPPED in texts(made)) == clipped


def test_the_table_has_the_mean_of_the_inputs_and_says_which_are_clipped(window):
    table = tables.stimulus(reaching(window(THREE), 0.5, -2.0, -0.5))
    assert list(table)[:5] == ["time_ms", "mean", "largest", "smallest", "pixel_0_clipped"]
    assert table["mean"] == pytest.approx([-0.5] * 3)
    plain = tables.stimulus(window(THREE))
    assert "largest" not in plain and plain["mean"] == pytest.approx([0.2] * 3)
