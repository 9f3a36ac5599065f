"""The attention panel: lag by time on a fixed logarithmic scale, and the entropy under it."""

from dataclasses import replace

import numpy as np
import pytest

from dashboard.figures import attention, tables
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
