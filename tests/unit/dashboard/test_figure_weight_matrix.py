"""The weights one by one: which is where, on which scale, and what is said beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dashboard.figures import tables, weight_matrix, weights
from tests.unit.dashboard.figure_values import THREE, texts, values

GROUPS = [{"n": 4, "n_exc": 3}] * 4


@pytest.fixture
def given(window):
    """Block 1 of four neurons: pre 3 inhibits, pre 0 -> post 2 is the strongest."""
    cells = np.full((4, 4), 128, np.uint8)
    cells[0, 2], cells[1, 0], cells[3, 1] = 255, 191, 0
    made = window(THREE, weights_block=1)
    meta = made.meta | {"matrix_step": 12_000, "matrix_w_hi": 2.0}
    return replace(made, matrix=cells[None], meta=meta)


def test_columns_are_pre_and_rows_post_at_fixed_limits(given):
    figure = weights.figure(given, {"groups": GROUPS}, weights_view="matrix")
    (heat,) = figure["data"]
    z = values(heat["z"])  # row after row
    assert z[2, 0] == 2.0 and z[1, 3] == -1.0 and z[0, 1] == pytest.approx(63 / 127 * 2)
    assert np.count_nonzero(z) == 3 and (np.diagonal(z) == 0).all()
    assert (heat["zmin"], heat["zmax"]) == (-2.0, 2.0)
    assert (heat["x0"], heat["dx"], heat["y0"], heat["dy"]) == (0, 1, 0, 1)
    layout = figure["layout"]
    assert layout["xaxis"]["title"]["text"].startswith("Pre: column")
    assert layout["yaxis"]["title"]["text"].startswith("Post: row")
    assert layout["yaxis"]["range"] == [3.5, -0.5]
    (line,) = layout["shapes"]
    assert line["x0"] == line["x1"] == 2.5
    assert "at 12,000 ms · pre → column, post → row" in texts(figure) and "inhibitory" in texts(
        figure
    )


def test_cells_of_many_neurons_say_that_they_are_means(given):
    few = replace(given, matrix=given.matrix[:, :2, :2])
    figure = weights.figure(few, {}, weights_view="matrix")
    (heat,) = figure["data"]
    assert (heat["x0"], heat["dx"]) == (0.5, 2)
    assert "mean of 2 x 2 weights" in heat["hovertemplate"]
    assert "a cell is the mean of 2 x 2" in texts(figure)
    assert figure["layout"]["shapes"] == []


def test_without_a_sample_it_says_so(window):
    for empty, told in ((window(THREE), "none is held for this window"), (None, "waiting for")):
        figure = weights.figure(empty, {}, weights_view="matrix")
        assert told in texts(figure)
        assert all(trace["type"] != "heatmap" for trace in figure["data"])


def test_its_table_has_a_line_for_each_weight(given):
    columns = tables.weights(given)
    assert list(columns) == ["time_ms", "pre", "post", "neurons", "weight"]
    assert {len(column) for column in columns.values()} == {16}
    found = dict(
        zip(zip(columns["pre"], columns["post"], strict=True), columns["weight"], strict=True)
    )
    assert found[0, 2] == 2.0 and found[3, 1] == -1.0 and found[2, 0] == 0
    assert set(columns["time_ms"]) == {12_000.0} and set(columns["neurons"]) == {1}


def test_bytes_and_weights():
    assert weight_matrix.weights_of(np.array([0, 64, 128, 255], np.uint8), 2.0).tolist() == [
        -1.0,
        -0.5,
        0.0,
        2.0,
    ]
