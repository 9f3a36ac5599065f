"""Population rate and membranes: units, bins, lanes, thresholds in force."""

from __future__ import annotations

import pytest

from dashboard.figures import membrane, rate
from tests.unit.dashboard.figure_values import THREE, texts, values


def test_rate_is_hz_per_neuron(window):
    figure = rate.figure(window([[0, 1]] * 10), {})
    # 10 spikes of 4 neurons in each 5 ms: 500 Hz
    assert values(figure["data"][0]["y"]).tolist() == [500.0, 500.0, 500.0]
    assert values(figure["data"][0]["x"]).tolist() == [0.0, 5.0, 10.0]
    assert figure["layout"]["yaxis"]["range"] == [0, 1000]


@pytest.mark.parametrize(("steps", "bin_steps"), [(300, 5), (501, 10), (1000, 10), (2500, 50)])
def test_rate_bins_grow_with_the_window(window, steps, bin_steps):
    assert rate.bin_width(window([[]] * steps)) == bin_steps


def test_rate_bins_never_reach_across_a_change(window):
    events = [{"type": "param", "step": 4, "path": "lif.v_thresh", "old": 1.0, "new": 2.0}]
    spikes = [[0, 1, 2, 3]] * 4 + [[]] * 6
    figure = rate.figure(window(spikes, events=events), {})
    assert values(figure["data"][0]["x"]).tolist() == [0.0, 4.0, 5.0, 10.0]
    assert values(figure["data"][0]["y"]).tolist() == [1000.0, 0.0, 0.0, 0.0]


def test_membrane_stacks_rows_and_draws_theta_in_force(window):
    figure = membrane.figure(window(THREE, theta=1.25), {})
    theta, trace = figure["data"][0], figure["data"][1]
    # a lane is 2.5 x 1.25 = 3.125 high, up to 3.25; the first of two lanes has its 0 at height 1
    assert values(trace["y"]).tolist() == pytest.approx([1 + 0.5 / 3.25] * 3)
    assert values(theta["y"]).tolist() == pytest.approx([1 + 1.25 / 3.25] * 3)
    assert "θ 1.25" in texts(figure)
    assert values(trace["customdata"]).tolist() == [0.5] * 3
    assert figure["layout"]["yaxis"]["ticktext"] == ["block 0 in #1", "block 1 in #1"]


def test_membranes_stay_in_their_lane_and_say_what_lies_beyond(window):
    given = window(THREE)
    given.u[:] = [[0.5, 0.5], [900.0, 0.5], [-900.0, 1.5]]
    figure = membrane.figure(given, {})
    lines = [t for t in figure["data"] if t["mode"] == "lines" and "theta" not in t["name"]]
    # lanes of 2.5: -1 to 1.5, thus 0.4 below and 0.6 above their 0
    assert values(lines[0]["y"]) == pytest.approx([1.2, 1.6, 0.6])
    assert values(lines[1]["y"]) == pytest.approx([0.2, 0.2, 0.6])
    assert values(lines[0]["customdata"]).tolist() == [0.5, 900.0, -900.0]
    spikes = [t for t in figure["data"] if t["name"].startswith("spikes of")]
    assert [values(t["x"]).tolist() for t in spikes] == [[1.0], [2.0]]
    marks = [t for t in figure["data"] if t["name"].startswith("beyond")]
    assert [t["marker"]["symbol"] for t in marks] == ["triangle-up", "triangle-down"]
    assert [values(t["x"]).tolist() for t in marks] == [[1.0], [2.0]]
    assert "each lane -1 to 1.5" in texts(figure)
    assert "triangles: 2 samples beyond it" in texts(figure)


def test_membranes_of_a_script_are_said_to_be_as_its_layers_give_them(window):
    words = "membrane as the layer gives it"
    assert words in texts(membrane.figure(window(THREE), {"membranes": words}))
    assert "u before reset" not in texts(membrane.figure(window(THREE), {}))


def test_membranes_tell_how_many_were_clamped(window):
    given = window(THREE)
    assert "clamped" not in texts(membrane.figure(given, {}))
    given.clamped[1:, 2] = 20
    assert "40 clamped at ±u_max in window" in texts(membrane.figure(given, {}))
