"""The attention panel: lag by time on a fixed logarithmic scale, and the entropy under it."""

from dataclasses import replace

import numpy as np
import pytest

from dashboard.figures import attention, style, tables
from dashboard.panels.registry import panel_by_slug
from tests.unit.dashboard.figure_values import texts, values


@pytest.fixture
def looked(window):
    """12 steps: queries at 0, 4 and 8 with 1, 5 and 9 keys in sight; neuron 1 of LIF in fires."""
    made = window([[1]] * 12)
    rows = np.zeros((3, 64), "u1")
    rows[0, 63] = 255
    rows[1, 59:] = 51
    rows[2, 55:] = [0, 0, 0, 0, 0, 0, 0, 64, 191]
    keys = np.array([1, 5, 9], "u1")
    return replace(made, attention=rows, attention_keys=keys, attention_block=0)


def test_weights_stand_at_their_age_on_a_log_scale(looked):
    heat = attention.figure(looked, None)["data"][0]
    z = values(heat["z"])
    assert z.shape == (64, 3)
    assert z[0].tolist() == pytest.approx(np.log10([1.0, 0.2, 191 / 255]).tolist(), abs=1e-6)
    assert np.isnan(z[1:, 0]).all() and np.isnan(z[9:, 2]).all()
    assert z[2:9, 2].tolist() == pytest.approx([np.log10(1 / 255)] * 7)
    assert (heat["zmin"], heat["zmax"]) == (pytest.approx(np.log10(1 / 255)), 0.0)
    assert (heat["x0"], heat["dx"]) == (2.0, 4.0)
    assert np.array_equal(values(heat["customdata"])[0], [255, 51, 191])


def test_entropy_is_drawn_where_it_can_be_judged(looked):
    line = attention.figure(looked, None)["data"][1]
    told = values(line["y"])
    share = np.array([64, 191]) / 255
    assert np.isnan(told[:2]).all()
    assert told[2] == pytest.approx(-(share * np.log(share)).sum() / np.log(9), abs=1e-6)
    assert "now 0.26" in texts(attention.figure(looked, None))


def test_silent_queries_leave_a_gap(looked):
    quiet = replace(looked, rates=np.zeros_like(looked.rates))
    assert np.isnan(attention.entropy(quiet)).all()
    assert "none in this window" in texts(attention.figure(quiet, None))


def test_it_says_why_nothing_is_drawn(window):
    assert "waiting for the first frame" in texts(attention.figure(None, None))
    empty = window([[1]] * 2, step0=1)
    assert "sampled every 4 ms" in texts(attention.figure(empty, None))


def test_its_table_has_a_column_a_key(looked):
    columns = tables.attention(looked)
    assert columns["time_ms"].tolist() == [0.0, 4.0, 8.0]
    assert columns["keys"].tolist() == [1, 5, 9]
    assert columns["weight_0_ago"].tolist() == pytest.approx([1.0, 0.2, 191 / 255])
    assert columns["weight_1_ago"].tolist() == pytest.approx([0.0, 0.2, 64 / 255])
    assert {len(column) for column in columns.values()} == {3} and len(columns) == 67


def test_the_panel_needs_attention():
    panel = panel_by_slug("attention")
    assert panel.id == "panel-attention" and panel.needs == ("attention",)
    assert panel.to_json()["needs"] == {"attention": "this session publishes no spike attention"}


@pytest.fixture
def sampled(window):
    """Two heads at step 100: head 1 holds on to the key of step 60, head 2 to the query's own."""
    rows = np.zeros((2, 64, 64), "u1")
    for q in range(64):
        rows[0, q, min(63, 60 - (100 - 126 + q))] = 255  # its own key until then
        rows[1, q, 63] = 204
        rows[1, q, 62] = 51
    made = window([[1]] * 12)
    return replace(made, attention_heads=rows[None], meta=made.meta | {"attention_step": 100})


def matrix(given, theme="light"):
    return attention.figure(given, None, theme, attention_view="matrix")


def test_each_head_is_key_time_by_query_time(sampled):
    figure = matrix(sampled)
    first, second = figure["data"]
    weights = values(first["customdata"])
    assert weights.shape == (64, 127) and np.nansum(weights, axis=1) == pytest.approx(np.ones(64))
    when = first["x0"] + np.arange(127) * first["dx"]
    asked = first["y0"] + np.arange(64) * first["dy"]
    assert (when[0], when[-1], asked[0], asked[-1]) == (-26, 100, 37, 100)
    assert (when[np.nanargmax(weights[23:], axis=1)] == 60).all()
    assert (when[np.nanargmax(values(second["customdata"]), axis=1)] == asked).all()
    z = values(second["z"])
    assert z[5, 5 + 62 : 5 + 64].tolist() == pytest.approx(np.log10([0.2, 0.8]).tolist(), abs=1e-6)
    assert (first["zmin"], first["zmax"]) == (second["zmin"], second["zmax"])
    assert (first["xaxis"], second["xaxis"], second["yaxis"]) == ("x", "x2", "y2")
    assert "head 1 of 2" in texts(figure) and "head 2 of 2" in texts(figure)
    assert "Key time (ms)" in texts(figure) and "a row sums to 1" in texts(figure)


def test_keys_to_come_and_keys_out_of_sight_are_no_weights(sampled):
    weights = values(matrix(sampled)["data"][0]["customdata"])
    for q, row in enumerate(weights):
        seen = np.flatnonzero(np.isfinite(row))
        assert (seen[0], seen[-1]) == (max(q, 26), q + 63)  # step 0 is the first key there is


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_causal_triangle_has_a_shade_of_its_own(sampled, theme):
    figure = matrix(sampled, theme)
    shape = figure["layout"]["shapes"][1]
    assert (shape["xref"], shape["yref"]) == ("x2", "y2")
    assert shape["fillcolor"] == style.line_colour(theme) != figure["data"][0]["colorscale"][0][1]
    assert shape["path"].startswith("M100.5,36.5H37.5V37.5H38.5V38.5")
    assert shape["path"].endswith("H100.5V100.5Z")
    assert figure["layout"]["xaxis2"]["range"] == [-26.5, 100.5]
    assert figure["layout"]["yaxis"]["range"] == [100.5, 36.5]


def test_queries_that_were_not_recorded_are_blank_and_told(sampled):
    rows = sampled.attention_heads.copy()
    rows[:, :, :10] = 0
    cut = replace(sampled, attention_heads=rows)
    assert np.isnan(values(matrix(cut)["data"][1]["customdata"])[:10]).all()
    assert "10 of 64 queries not recorded" in texts(matrix(cut))


def test_one_head_is_head_1_of_1(sampled):
    alone = replace(sampled, attention_heads=sampled.attention_heads[:, :1])
    figure = matrix(alone)
    assert "head 1 of 1" in texts(figure) and len(figure["data"]) == 1
    assert figure["layout"]["xaxis"]["domain"] == [0, 1]


def test_without_a_sample_it_says_why(window):
    assert "waiting for the first frame" in texts(matrix(None))
    assert "every head is sampled every 1000 ms" in texts(matrix(window([[1]] * 12)))


def test_its_table_has_a_line_a_head_query_and_key(sampled):
    columns = tables.attention(sampled)
    assert list(columns) == ["query_ms", "key_ms", "head", "weight"]
    assert columns["weight"].sum() == pytest.approx(2 * 64)
    assert (columns["key_ms"] <= columns["query_ms"]).all() and columns["key_ms"].min() == 0
    mine = (columns["head"] == 1) & (columns["query_ms"] == 90)
    assert columns["key_ms"][mine][np.argmax(columns["weight"][mine])] == 60
