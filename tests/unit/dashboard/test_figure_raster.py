"""The raster: ticks at step and row, groups with their rates, density when crowded."""

from __future__ import annotations

import numpy as np

from dashboard.figures import raster
from tests.unit.dashboard.figure_values import THREE, texts, values


def test_raster_ticks_stand_at_step_and_row(window):
    figure = raster.figure(window(THREE, step0=100), {})
    points = [
        point
        for trace in figure["data"]
        for point in zip(values(trace["x"]).tolist(), values(trace["y"]).tolist(), strict=True)
    ]
    assert sorted(points) == [(100.0, 0), (102.0, 5), (102.0, 14)]
    paths = [s["path"] for s in figure["layout"]["shapes"] if s.get("name") == raster.TICKS]
    assert paths == ["M100,-0.4V0.4", "M102,4.6V5.4", "M102,13.6V14.4"]


def test_raster_ticks_keep_their_time_in_a_long_run(window):
    figure = raster.figure(window([[0]], step0=123_456_789), {})
    (path,) = [s["path"] for s in figure["layout"]["shapes"] if s.get("name") == raster.TICKS]
    assert path == "M123456789,-0.4V0.4"


def test_raster_draws_inhibitory_neurons_fainter(window):
    told = {"groups": [{"n_exc": 3}] + [{"n_exc": None}] * 3}
    figure = raster.figure(window([[0, 3, 7]]), told)
    ticks = [s for s in figure["layout"]["shapes"] if s.get("name") == raster.TICKS]
    colours = {round(float(s["path"][3:].split("V")[0]) + 0.4): s["line"]["color"] for s in ticks}
    assert colours == {0: "#D55E00", 3: "#a87046", 7: "#D55E00"}


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
    x, rows = (values(figure["data"][0][k]) for k in ("x", "y"))
    assert sorted(rows.tolist()) == [0, 0, 0, 1]
    assert x[rows == 1].tolist() == [0.0]


def test_raster_orders_rows_by_first_spike(window):
    figure = raster.figure(window([[3], [2], []]), {}, order="latency")
    x, rows = (values(figure["data"][0][k]).tolist() for k in ("x", "y"))
    assert dict(zip(x, rows, strict=True)) == {0.0: 0, 1.0: 1}


def test_raster_turns_to_a_stated_density_when_crowded(window):
    crowded = [list(range(16))] * 3200
    figure = raster.figure(window(crowded), {})
    trace = figure["data"][0]
    assert trace["type"] == "heatmap"
    assert int(values(trace["z"]).sum()) == 16 * 3200
    assert "6 ms x 1 neuron a bin" in texts(figure)
    assert trace["zmax"] == 2


def test_how_much_fires_hardly_decides_between_ticks_and_density():
    assert not any(raster.is_dense(200, 1000, fired) for fired in (0, 19_000, 21_000, 50_000))
    assert all(raster.is_dense(200, 2000, fired) for fired in (0, 19_000, 21_000))
    assert raster.is_dense(257, 10, 0) and raster.is_dense(10, 10, 50_001)


def test_raster_bins_lie_on_the_absolute_grid_of_steps(window):
    figure = raster.figure(window([list(range(16))] * 3200, step0=1001), {})
    counts = values(figure["data"][0]["z"])
    # bins of 6 steps start at 996: the first holds 1001 alone
    assert figure["data"][0]["x0"] == 999.0
    assert counts[0, :2].tolist() == [1, 6]


def test_empty_raster_says_why(window):
    figure = raster.figure(window([[], [], []]), {})
    assert "0 spikes in window · closest watched: u 0.50 < θ 1.00 (block 0 LIF in)" in texts(figure)


def test_membranes_are_compared_with_the_threshold_of_their_own_group(window):
    """Of the neurons watched, 1 of group 0 and 9 of group 2, the one that came closest to firing."""
    made = window([[], [], []])
    made.theta[:] = [8.0, 0.1, 2.5, 0.1]
    made.u[:] = [[3.0, 0.5], [4.9, 1.0], [4.0, 0.0]]
    assert "closest watched: u 1.00 < θ 2.50 (block 1 LIF in)" in texts(raster.figure(made, {}))
    made.theta[:, 2] = np.nan
    assert "closest watched: u 4.90 < θ 8.00 (block 0 LIF in)" in texts(raster.figure(made, {}))
    made.theta[:, 0] = np.nan
    assert "0 spikes in window · max u 4.90 (watched neurons)" in texts(raster.figure(made, {}))
    made.u[:] = np.nan
    assert "max u" not in texts(raster.figure(made, {}))
