"""Figures are pure functions: tested with three numbers, and with Plotly's own validation."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from dashboard.figures import gate, membrane, neuromod, raster, rate, stdp, stimulus, style, weights
from dashboard.panels.registry import all_panels

ROOT = Path(__file__).resolve().parents[3]
THREE = [[0], [], [5, 14]]


def values(array: Any) -> np.ndarray:
    """A typed array of a figure as NumPy."""
    if not isinstance(array, dict):
        return np.asarray(array)
    flat = np.frombuffer(base64.b64decode(array["bdata"]), np.dtype("<" + array["dtype"]))
    shape = array.get("shape")
    return flat.reshape([int(n) for n in shape.split(",")]) if shape else flat


def texts(figure: dict[str, Any]) -> str:
    return " | ".join(note["text"] for note in figure["layout"]["annotations"])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("panel", all_panels(), ids=lambda panel: panel.slug)
def test_every_figure_is_valid_plotly(panel, theme, window):
    events = [
        {"type": "param", "step": 1, "path": "lif.v_thresh", "old": 1.0, "new": 1.1},
        {"type": "inject", "step": 2, "nt": "DA", "level": 0.3},
        {"type": "stimulus", "step": 0, "kind": "digits", "label": "7", "index": 3},
    ]
    for given in (None, window(THREE), window(THREE, events=events), window([[]])):
        figure = panel.figure(given, {}, theme)
        go.Figure(figure)
        for name in ("paper_bgcolor", "plot_bgcolor"):
            assert figure["layout"][name] == "rgba(0,0,0,0)"
        assert figure["layout"]["uirevision"] == panel.slug


def test_time_panels_align(window):
    plots = [p.figure(window(THREE), {}) for p in all_panels() if p.axis == "time"]
    assert len(plots) >= 5
    margins = {(f["layout"]["margin"]["l"], f["layout"]["margin"]["r"]) for f in plots}
    ranges = {tuple(f["layout"]["xaxis"]["range"]) for f in plots}
    assert len(margins) == 1
    assert ranges == {(0.0, 3.0)}
    assert all(f["layout"]["xaxis"]["title"]["text"] == "Time (ms)" for f in plots)


def test_raster_ticks_stand_at_step_and_row(window):
    figure = raster.figure(window(THREE, step0=100), {})
    found = []
    for trace in figure["data"]:
        x, y = values(trace["x"]).reshape(-1, 3), values(trace["y"]).reshape(-1, 3)
        assert np.isnan(x[:, 2]).all()
        assert (x[:, 0] == x[:, 1]).all()
        found += list(zip(x[:, 0].tolist(), ((y[:, 0] + y[:, 1]) / 2).tolist(), strict=True))
    assert sorted(found) == [(100.0, 0.0), (102.0, 5.0), (102.0, 14.0)]


def test_raster_names_groups_with_n_and_rate(window):
    figure = raster.figure(window(THREE), {})
    labels = figure["layout"]["yaxis"]["ticktext"]
    # 1 spike of 4 neurons in 3 ms: 83.3 Hz, 8.3 % a ms; stage 2 is silent and still there
    assert labels[0] == "b0 in n=4 83 Hz (8.3 %/ms)"
    assert labels[2] == "b1 in n=4 0 Hz (0.0 %/ms)"
    assert "showing 16 of 16 neurons" in texts(figure)


def test_raster_title_says_what_which_when(window):
    figure = raster.figure(window([[0]] * 500, step0=12_000, rows="block:1"), {})
    assert figure["layout"]["title"]["text"] == "Spike raster · block 1 · 12.0-12.5 s"


def test_raster_orders_rows_by_rate(window):
    spikes = [[2, 3], [3], [3]]
    figure = raster.figure(window(spikes), {}, order="rate")
    x, y = (values(figure["data"][0][k]).reshape(-1, 3) for k in ("x", "y"))
    rows = np.round((y[:, 0] + y[:, 1]) / 2).astype(int)
    assert sorted(rows.tolist()) == [0, 0, 0, 1]
    assert x[rows == 1, 0].tolist() == [0.0]


def test_raster_orders_rows_by_first_spike(window):
    figure = raster.figure(window([[3], [2], []]), {}, order="latency")
    x, y = (values(figure["data"][0][k]).reshape(-1, 3) for k in ("x", "y"))
    rows = np.round((y[:, 0] + y[:, 1]) / 2).astype(int).tolist()
    assert dict(zip(x[:, 0].tolist(), rows, strict=True)) == {0.0: 0, 1.0: 1}


def test_raster_turns_to_a_stated_density_when_crowded(window):
    crowded = [list(range(16))] * 1300
    figure = raster.figure(window(crowded), {})
    trace = figure["data"][0]
    assert trace["type"] == "heatmap"
    assert int(values(trace["z"]).sum()) == 16 * 1300
    assert "3 ms x 1 neuron a bin" in texts(figure)
    assert trace["zmax"] == 1


def test_raster_bins_lie_on_the_absolute_grid_of_steps(window):
    figure = raster.figure(window([list(range(16))] * 1300, step0=1001), {})
    counts = values(figure["data"][0]["z"])
    # bins of 3 steps start at 999: the first holds 1001 alone
    assert figure["data"][0]["x0"] == 1000.0
    assert counts[0, :2].tolist() == [1, 3]


def test_empty_raster_says_why(window):
    figure = raster.figure(window([[], [], []]), {})
    assert "0 spikes in window; max u 0.50 < v_thresh 1.00" in texts(figure)


def test_rate_is_hz_per_neuron(window):
    figure = rate.figure(window([[0, 1]] * 10), {})
    # 20 spikes of 4 neurons in 10 ms: 500 Hz
    assert values(figure["data"][0]["y"]).tolist() == [500.0, 500.0]
    assert values(figure["data"][0]["x"]).tolist() == [0.0, 10.0]


def test_rate_bins_never_reach_across_a_change(window):
    events = [{"type": "param", "step": 4, "path": "lif.v_thresh", "old": 1.0, "new": 2.0}]
    spikes = [[0, 1, 2, 3]] * 4 + [[]] * 6
    figure = rate.figure(window(spikes, events=events), {})
    assert values(figure["data"][0]["x"]).tolist() == [0.0, 4.0, 10.0]
    assert values(figure["data"][0]["y"]).tolist() == [1000.0, 0.0, 0.0]


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
    marks = [t for t in figure["data"] if t["mode"] == "markers"]
    assert [t["marker"]["symbol"] for t in marks] == ["triangle-up", "triangle-down"]
    assert [values(t["x"]).tolist() for t in marks] == [[1.0], [2.0]]
    assert "each lane -1 to 1.5" in texts(figure)
    assert "triangles: 2 samples beyond it" in texts(figure)


def test_membranes_tell_how_many_were_clamped(window):
    given = window(THREE)
    assert "clamped" not in texts(membrane.figure(given, {}))
    given.clamped[1:, 2] = 20
    assert "40 clamped at ±u_max in window" in texts(membrane.figure(given, {}))


def test_neuromod_limits_are_fixed_and_boluses_marked(window):
    events = [{"type": "inject", "step": 2, "nt": "NE", "level": 0.3}]
    figure = neuromod.figure(window(THREE, events=events), {})
    heat, marks = figure["data"]
    assert (heat["zmin"], heat["zmax"]) == (0.0, 1.0)
    assert heat["colorbar"]["ticktext"] == ["0", "0.5", "1"]
    assert values(heat["customdata"]) == pytest.approx(np.full((4, 3), 0.5))
    assert marks["marker"]["symbol"] == "triangle-up"
    assert marks["x"] == [2.0]
    assert 1.5 < marks["y"][0] < 2.5  # NE's row
    assert marks["text"] == ["NE +0.3"]


def test_neuromod_is_white_at_each_modulators_baseline(window):
    shown = {"values": {"neuromod.DA_baseline": 0.5, "neuromod.ACh_baseline": 0.25,
                        "neuromod.NE_baseline": 0.75, "neuromod.5HT_baseline": 0.0}}  # fmt: skip
    heat = neuromod.figure(window(THREE), shown)["data"][0]
    # every level is 0.5: ACh is a third of the way from its baseline to 1, NE two thirds to its own
    place = [0.5, 0.5 + 0.5 / 3, 1 / 3, 1 - 0.5 * 0.5 / 0.95]
    assert values(heat["z"])[:, 0] == pytest.approx(place, rel=1e-5)
    assert heat["colorbar"]["ticktext"] == ["0", "base", "1"]


def test_neuromod_ends_stay_fixed_whatever_the_baseline():
    levels = np.array([[0.0, 0.0], [0.2, 0.8], [1.0, 1.0]], np.float32)
    placed = neuromod.shade(levels, neuromod.LEVEL_RANGE, [0.2, 0.8])
    assert placed == pytest.approx(np.array([[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]))


@pytest.mark.parametrize(
    ("python", "page"), [("DIVERGING", "DIVERGING"), ("SEQUENTIAL", "CIVIDIS")]
)
def test_colour_scales_are_those_of_the_canvas(python, page):
    code = (ROOT / "assets" / "js" / "colors.mjs").read_text()
    body = re.search(rf"{page}_STOPS = \[(.*?)\];", code, re.DOTALL)
    stops = re.findall(r'\[([\d.]+), "(#\w{6})"\]', body[1])
    assert [[float(at), colour] for at, colour in stops] == getattr(style, python)


def test_neuromod_second_view_shows_gains(window):
    figure = neuromod.figure(window(THREE), {}, view="gains")
    heat = figure["data"][0]
    assert values(heat["z"]) == pytest.approx(np.full((5, 3), 0.5))  # every gain is 1: white
    assert heat["colorbar"]["ticktext"] == ["0", "1", "2"]
    assert figure["layout"]["yaxis"]["ticktext"] == [
        "ACh → thalamic gate  1.00", "NE → LIF in, LIF out  1.00", "DA → LTP (LIF in rec.)  1.00",
        "DA → LTD (LIF in rec.)  1.00", "5-HT → RWKV decay  1.00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "idle", [{"stdp.mode": "three_factor"}, {"stdp.da_gate": 0.9}, {"stdp.enabled": False}]
)
def test_neuromod_gains_without_effect_are_left_out(window, idle):
    figure = neuromod.figure(window(THREE), {"values": idle}, view="gains")
    names = figure["layout"]["yaxis"]["ticktext"]
    assert names[2:4] == ["DA → LTP: not applied", "DA → LTD: not applied"]
    drawn = np.isfinite(values(figure["data"][0]["z"])).all(axis=1)
    assert drawn.tolist() == [True, True, False, False, True]


def test_gate_is_scaled_to_one_and_a_half(window):
    figure = gate.figure(window([[]] * 5), {})
    heat = figure["data"][0]
    assert values(heat["z"]) == pytest.approx(np.full((4, 2), 1.0))
    assert heat["zmax"] == 1.5
    assert values(figure["data"][-1]["y"]).tolist() == [1.0, 1.0]


def test_weights_keep_inhibitory_apart_and_print_bounds(window):
    figure = weights.figure(window(THREE), {})
    inhibitory, excitatory, drift = figure["data"]
    assert values(inhibitory["y"])[3] == 14
    assert values(excitatory["y"])[3] == 7
    assert excitatory["x0"] == pytest.approx(1 / 128)
    assert figure["layout"]["yaxis"]["type"] == "log"
    assert "25.0 % at 0, 25.0 % at w_max 1" in texts(figure)
    assert values(drift["z"]).shape == (1, 128)
    assert values(drift["customdata"])[0, [3, 64 + 3]].tolist() == [14, 7]
    edges = values(drift["x"])
    assert edges[[0, 64, 128]].tolist() == [-1.0, 0.0, 1.0]
    assert "drift: 0.000-0.000 s, 1 sample" in texts(figure)


def test_weights_say_when_no_sample_falls_in_the_window(window):
    assert "none falls in this window" in texts(weights.figure(window(THREE, step0=1), {}))


def test_stdp_window_follows_the_parameters(window):
    shown = {"values": {"stdp.a_plus": 0.2, "stdp.tau_plus": 10.0, "stdp.window_pre_to_post": 50}}
    figure = stdp.figure(window(THREE), shown)
    bars, line = figure["data"]
    dt, dw = values(line["x"]), values(line["y"])
    assert dw[np.isclose(dt, 10.0)] == pytest.approx(0.2 * np.exp(-1.0))
    assert (dw[dt > 50] == 0).all()
    assert (dw[(dt < 0)] < 0).all()
    assert "A+ 0.2 x 1.00" in texts(figure)
    assert values(bars["y"])[110] == 5  # dt = +10 ms
    assert bars["x0"] == -100


def stdp_line(figure: dict[str, Any]) -> tuple[float, float]:
    """The curve's amplitudes just right and left of 0, scaled back to dt = 0."""
    line = figure["data"][-1]
    dt, dw = values(line["x"]), values(line["y"])
    right, left = (float(dw[np.isclose(dt, at)][0]) for at in (0.5, -0.5))
    return right * np.exp(0.5 / 20), left * np.exp(0.5 / 20)


@pytest.mark.parametrize("off", [{"stdp.enabled": False}, {"stdp.learning_rate": 0.0}])
def test_stdp_switched_off_is_flat_and_says_so(off):
    figure = stdp.figure(None, {"values": off})
    assert not values(figure["data"][0]["y"]).any()
    assert "STDP off" in texts(figure)
    assert figure["layout"]["yaxis"]["range"] == pytest.approx([-0.02, 0.02])


def test_stdp_below_the_gate_is_flat_and_says_so(window):
    assert "gated off" not in texts(stdp.figure(window(THREE), {"values": {"stdp.da_gate": 0.5}}))
    figure = stdp.figure(window(THREE), {"values": {"stdp.da_gate": 0.9}})
    assert not values(figure["data"][-1]["y"]).any()
    assert "gated off: DA 0.50 < gate 0.90" in texts(figure)


def test_stdp_with_weight_dependence_is_drawn_at_half_of_w_max(window):
    shown = {"stdp.mu": 1.0, "stdp.w_max": 3.0}
    figure = stdp.figure(window(THREE), {"values": shown})
    assert stdp_line(figure) == pytest.approx((0.005, -0.00525))
    assert "at w = w_max/2 = 1.5" in texts(figure)
    assert "w_max 3" in texts(figure)


def test_stdp_in_three_factor_mode_leaves_dopamine_to_the_second_rule(window):
    given = window(THREE)
    given.gains[:, 2:4], given.levels[:, 0] = (1.5, 0.7), 0.2
    modulated = stdp.figure(given, {"values": {}})
    assert stdp_line(modulated) == pytest.approx((0.015, -0.0105 * 0.7))
    shown = {"stdp.mode": "three_factor", "stdp.learning_rate": 7.0}
    figure = stdp.figure(given, {"values": shown})
    assert stdp_line(figure) == pytest.approx((0.01, -0.0105))
    assert "dw = rate * eligibility * (DA - 0.5), now -0.30" in texts(figure)
    assert figure["layout"]["yaxis"]["title"]["text"] == "de (1)"


@pytest.mark.parametrize(("rate", "windows", "reach"), [(1.0, 100, 100), (99.0, 500, 500)])
def test_stdp_axes_are_finite_and_hold_the_whole_curve(rate, windows, reach):
    shown = {"stdp.learning_rate": rate, "stdp.window_pre_to_post": windows, "stdp.a_plus": 0.99}
    layout = stdp.figure(None, {"values": shown})["layout"]
    assert layout["xaxis"]["range"] == [-reach, reach]
    assert 0.99 * rate * 1.5 <= layout["yaxis"]["range"][1] < 3 * 0.99 * rate * 1.5


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


def test_changes_are_labelled_vertical_lines_on_every_time_plot(window):
    events = [{"type": "param", "step": 1, "path": "lif.v_thresh", "old": 1.0, "new": 1.1}]
    for panel in all_panels():
        if panel.axis != "time":
            continue
        figure = panel.figure(window(THREE, events=events), {})
        assert "lif.v_thresh 1 → 1.1" in texts(figure), panel.slug
        assert any(s["x0"] == s["x1"] == 1.0 for s in figure["layout"]["shapes"]), panel.slug


def test_user_text_cannot_become_markup(window):
    events = [{"type": "note", "step": 1, "text": '<a href="https://example.org">x</a>'}]
    shown = texts(rate.figure(window(THREE, events=events), {}))
    assert "<a" not in shown
    assert "&lt;a" in shown


def test_typed_arrays_keep_values_and_shape():
    array = np.arange(6, dtype=np.int64).reshape(2, 3)
    encoded = style.typed(array)
    assert encoded["dtype"] == "i4"
    assert encoded["shape"] == "2, 3"
    assert (values(encoded) == array).all()
    with pytest.raises(ValueError, match="no typed array"):
        style.typed(np.array(["a"]))


def test_every_axis_with_ticks_has_a_unit(window):
    for panel in all_panels():
        layout = panel.figure(window(THREE), {})["layout"]
        for name, axis in layout.items():
            if not name.startswith(("xaxis", "yaxis")) or axis.get("visible") is False:
                continue
            named = axis["title"]["text"]
            labelled = axis.get("ticktext") or axis.get("showticklabels") is False
            assert labelled or "(" in named or named in ("Channel", "Pairs in 1 s"), (
                panel.slug,
                name,
            )
