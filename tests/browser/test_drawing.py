"""What the canvas shows is the data: every count and sum of a window that the API gives too."""

import numpy as np
import pytest

from t4dm.live import frame
from tests.browser.one_tab import drawn, figure_of, hold, in_page, numbers, send, until

TIME_PANELS = ["raster", "membrane", "neuromod", "gate", "rate", "stimulus"]


@pytest.fixture
def held_window(board):
    """A drawn, standing window and the same steps as Python reads them from the API."""
    seen = hold(board)
    answer = board.request.get(
        f"/sessions/default/window?from_ms={seen['t0_ms']}&to_ms={seen['t1_ms']}"
    )
    assert answer.ok, answer.text()
    meta, arrays = frame.decode(answer.body())
    assert (meta["step0"], meta["step1"]) == (seen["step0"], seen["step1"])
    return meta, arrays


def stages_of(ids, meta):
    """The stage of each neuron id, from the sizes of the stages."""
    return np.searchsorted(np.cumsum(meta["sizes"]), ids, side="right")


def test_the_raster_shows_exactly_the_windows_spikes(board, held_window):
    meta, arrays = held_window
    shown = drawn(board, "raster")
    rows = np.asarray(meta["rows"])[arrays["spk_row"]]
    stages, counts = np.unique(stages_of(rows, meta), return_counts=True)
    assert shown["mode"] == "ticks"
    assert shown["ticks"] == len(rows) > 100
    expected = dict(zip(map(str, stages.tolist()), counts.tolist(), strict=True))
    assert {k: v for k, v in shown["per_group"].items() if v} == expected
    assert shown["first_step"] == meta["step0"] + int(arrays["spk_dt"][0])
    assert shown["last_step"] == meta["step0"] + int(arrays["spk_dt"][-1])


def test_the_density_counts_every_spike_of_all_neurons(board):
    board.evaluate("window.t4dm.app.setRows('all')")
    until(board, "window.t4dm.drawn('raster').rows > 1000 && window.t4dm.drawn('raster').ticks > 0")
    shown = hold(board)
    assert shown["mode"] == "density"
    url = f"/sessions/default/window?from_ms={shown['t0_ms']}&to_ms={shown['t1_ms']}"
    _, arrays = frame.decode(board.request.get(url).body())
    assert shown["ticks"] == int(arrays["rates"].sum())
    trace = figure_of(board, "raster")["data"][0]
    assert (trace["dx"], trace["dy"], trace["zmax"]) == (
        shown["bin_ms"], shown["bin_rows"], shown["bin_max"],
    )  # fmt: skip
    assert int(np.sum(numbers(trace["z"]))) == shown["ticks"]


def test_membranes_levels_gate_and_weights_are_the_windows(board, held_window):
    meta, arrays = held_window
    shown = {slug: drawn(board, slug) for slug in ("membrane", "neuromod", "gate", "weights", "stdp")}  # fmt: skip
    assert shown["membrane"]["neurons"] == meta["membrane"]
    assert shown["membrane"]["max"] == pytest.approx(float(np.nanmax(arrays["u"])), rel=1e-6)
    assert shown["membrane"]["sum"] == pytest.approx(float(np.nansum(arrays["u"])), rel=1e-4)
    stage = stages_of(meta["membrane"][0], meta)
    assert shown["membrane"]["theta_last"][0] == pytest.approx(
        float(arrays["theta"][-1, stage]), abs=2e-3
    )
    assert shown["neuromod"]["mean"] == pytest.approx(
        arrays["levels"].mean(axis=0).tolist(), rel=1e-4
    )
    assert shown["gate"]["sum"] == int(arrays["gate"].sum())
    assert shown["gate"]["columns"] == len(arrays["gate"])
    newest = arrays["hist_exc"][-1, meta["weights_block"]]
    assert shown["weights"]["exc_sum"] == int(newest.sum()) > 0
    assert shown["stdp"]["ltp"] == pytest.approx(float(arrays["gains"][-1, 2]), rel=1e-5)
    assert shown["stdp"]["pairs_sum"] == int(arrays["pairs"][-1, meta["weights_block"]].sum())


def test_membranes_far_beyond_their_lane_stay_in_it(board):
    """The film's pixels: no lane holds the colour of a block that is shown in another one."""
    send(
        board,
        {"type": "replace", "values": {"lif.u_max": 1000, "lif.beta": 0.0, "lif.alpha": 0.99}},
    )
    until(board, "window.t4dm.drawn('membrane').outside > 1000")
    hold(board)
    strangers = in_page(
        board,
        """const {blockColor} = await import('/assets/js/colors.mjs');
           const section = document.getElementById('panel-membrane');
           const film = section.querySelector('canvas.film'), ctx = film.getContext('2d');
           const plot = section.querySelector('.js-plotly-plot')._fullLayout;
           const scale = film.width / film.clientWidth;
           const ids = window.t4dm.drawn('membrane').neurons, n = window.t4dm.app.manifest.groups[0].n;
           const blocks = ids.map(id => Math.floor(id / n) >> 1);
           const laneH = plot.yaxis._length / ids.length;
           let strangers = 0, own = 0;
           ids.forEach((id, k) => {
             const top = Math.round((plot.yaxis._offset + k * laneH + 2) * scale);
             const {data} = ctx.getImageData(Math.round(plot.xaxis._offset * scale), top,
               Math.round(plot.xaxis._length * scale), Math.floor((laneH - 4) * scale));
             const rgb = blocks.map(b => blockColor(b, false));
             for (let i = 0; i < data.length; i += 4) {
               if (data[i + 3] < 255) continue;
               const hex = '#' + [0, 1, 2].map(c => data[i + c].toString(16).padStart(2, '0')).join('').toUpperCase();
               const at = rgb.indexOf(hex);
               if (at < 0) continue;
               if (blocks[at] === blocks[k]) own++; else strangers++;
             }
           });
           return {strangers, own};""",
    )
    assert strangers["own"] > 100
    assert strangers["strangers"] == 0


def test_all_time_panels_show_the_same_steps(board):
    hold(board)
    shown = {slug: drawn(board, slug) for slug in TIME_PANELS}
    assert len({(one["t0_ms"], one["t1_ms"]) for one in shown.values()}) == 1, shown


def test_an_injection_and_a_change_are_marked(board):
    send(
        board,
        {"type": "inject", "nt": "DA", "level": 0.4},
        {"type": "set", "path": "lif.v_thresh", "value": 1.05},
    )
    until(board, "window.t4dm.drawn('neuromod').injections >= 1")
    until(board, "window.t4dm.app.params.values['lif.v_thresh'] === 1.05")
    theta = drawn(board, "membrane")["theta_last"]
    assert all(value > 0.5 for value in theta)


def test_a_high_threshold_says_why_the_raster_is_empty(board):
    send(board, {"type": "set", "path": "lif.v_thresh", "value": 10})
    until(board, "window.t4dm.drawn('raster').ticks === 0")
    assert drawn(board, "raster")["why"].startswith("0 spikes in window")


def test_the_stdp_curve_follows_its_parameters(board):
    send(board, {"type": "set", "path": "stdp.a_plus", "value": 0.02})
    until(
        board,
        """() => { const {a_plus, ltp} = window.t4dm.drawn('stdp');
                   return Math.abs(a_plus - 0.02 * ltp) < 1e-9; }""",
    )
