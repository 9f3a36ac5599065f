"""What the canvas shows equals the data: the codec, the store, and the figure of the same window."""

import json

import numpy as np
import pytest

from dashboard.figures import neuromod, style
from t4dm.live import frame

DTYPES = ["u1", "<u2", "<u4", "<i4", "<f4", "<f8"]
TIME_PANELS = ["raster", "membrane", "neuromod", "gate", "rate", "stimulus"]


def in_page(board, body, *args):
    """The value of an async function ``body`` in the page; ``args`` are its ``a``, ``b``, …"""
    names = "abcdefg"[: len(args)]
    return board.evaluate(f"async ([{','.join(names)}]) => {{ {body} }}", list(args))


def hold(board):
    """Pause the run and wait until the newest window is drawn; returns the raster's ``drawn``."""
    answer = board.request.post("/sessions/default/commands", data={"type": "pause"})
    assert answer.ok, answer.text()
    step = answer.json()["step"]
    board.wait_for_function("step => window.t4dm.drawn('raster')?.step1 === step", arg=step)
    return board.evaluate("window.t4dm.drawn('raster')")


@pytest.fixture(autouse=True)
def running_again(board):
    """Default parameters before each test, and the run goes on after it."""
    commands = [{"type": "replace", "values": {}}, {"type": "run"}]
    board.request.post("/sessions/default/commands", data=commands)
    board.wait_for_function("window.t4dm.stats().sim_step > 3000")
    yield
    board.request.post("/sessions/default/commands", data={"type": "run"})


@pytest.fixture
def held_window(board):
    """A drawn, standing window and the same steps as Python reads them from the API."""
    drawn = hold(board)
    answer = board.request.get(
        f"/sessions/default/window?from_ms={drawn['t0_ms']}&to_ms={drawn['t1_ms']}"
    )
    assert answer.ok, answer.text()
    meta, arrays = frame.decode(answer.body())
    assert (meta["step0"], meta["step1"]) == (drawn["step0"], drawn["step1"])
    return meta, arrays


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_page_decodes_what_python_encodes(board, dtype):
    values = np.arange(6, dtype=dtype).reshape(2, 3)
    data = frame.encode({"note": "é", "n": 1}, {"odd": np.arange(3, dtype="u1"), "x": values})
    got = in_page(
        board,
        """const wire = await import('/assets/js/wire.mjs');
           const f = wire.decode(new Uint8Array(a).buffer);
           return {meta: f.meta, shape: f.arrays.x.shape, data: [...f.arrays.x.data]};""",
        list(data),
    )
    assert got == {"meta": {"note": "é", "n": 1}, "shape": [2, 3], "data": [0, 1, 2, 3, 4, 5]}


@pytest.mark.parametrize("damage", [b"", b"XXXX\0\0\0\0", b"T4F1\xff\xff\0\0"])
def test_the_page_refuses_what_is_no_frame(board, damage):
    told = in_page(
        board,
        """const wire = await import('/assets/js/wire.mjs');
           try { wire.decode(new Uint8Array(a).buffer); return 'accepted'; }
           catch (error) { return error.message; }""",
        list(damage),
    )
    assert "frame" in told


def test_an_array_that_is_cut_short_is_named(board):
    data = frame.encode({}, {"spk_row": np.arange(8, dtype="<u2")})[:-8]
    told = in_page(
        board,
        """const wire = await import('/assets/js/wire.mjs');
           try { wire.decode(new Uint8Array(a).buffer); return 'accepted'; }
           catch (error) { return error.message; }""",
        list(data),
    )
    assert "spk_row" in told


STORE = """
const {Store} = await import('/assets/js/store.mjs');
const part = (kind, step0, step1, rows = [5, 9]) => {
  const T = step1 - step0, gates = Math.ceil(step1 / 4) - Math.ceil(step0 / 4);
  const col = (Type, n, w, f) => ({shape: [n, w], data: Type.from({length: n * w}, (_, i) => f(i))});
  return {
    meta: {kind, epoch: 1, step0, step1, rows, membrane: [7], events: [], hist_steps: []},
    arrays: {
      spk_row: {shape: [T], data: Uint16Array.from({length: T}, (_, i) => (step0 + i) % 2)},
      spk_dt: {shape: [T], data: Uint16Array.from({length: T}, (_, i) => i)},
      rates: col(Uint16Array, T, 2, i => step0 + (i >> 1)), u: col(Float32Array, T, 1, i => step0 + i),
      theta: col(Float32Array, T, 2, () => 1), levels: col(Float32Array, T, 4, () => 0.5),
      gains: col(Float32Array, T, 5, () => 1), stim: col(Uint8Array, T, 64, () => 0),
      gate: col(Uint8Array, gates, 3, i => Math.ceil(step0 / 4) + Math.floor(i / 3)),
      gate_mean: col(Float32Array, gates, 1, () => 1),
    },
  };
};
"""


def test_the_store_joins_parts_and_wraps_around(board):
    """Steps 10-25 in two parts, in a ring of 8: the last 8 stay, in their slots."""
    got = in_page(
        board,
        STORE
        + """const store = new Store(8);
        store.append(part('keyframe', 10, 17)); store.append(part('frame', 17, 25));
        const spikes = []; store.eachSpike(0, 99, (row, step) => spikes.push([row, step]));
        const u = []; for (let s = store.step0; s < store.step1; s++) u.push(store.u[s % 8]);
        return {step0: store.step0, step1: store.step1, spikes, u, n: store.countSpikes(20, 23),
                gate: [20, 24].map(s => store.gate[(s / 4 % 2) * 3])};""",
    )
    assert (got["step0"], got["step1"], got["n"]) == (17, 25, 3)
    assert got["u"] == list(range(17, 25))
    assert got["spikes"] == [[step % 2, step] for step in range(17, 25)]
    assert got["gate"] == [5, 6]


def test_the_store_takes_no_frame_after_a_hole_or_for_other_rows(board):
    got = in_page(
        board,
        STORE
        + """const store = new Store(64);
        store.append(part('keyframe', 0, 8));
        const hole = store.append(part('frame', 9, 12));
        const rows = store.append(part('frame', 8, 12, [1, 2]));
        const good = store.append(part('frame', 8, 12));
        store.append(part('keyframe', 40, 44));
        return [hole, rows, good, store.step0, store.step1];""",
    )
    assert got == [False, False, True, 40, 44]


def test_the_raster_shows_exactly_the_windows_spikes(board, held_window):
    meta, arrays = held_window
    drawn = board.evaluate("window.t4dm.drawn('raster')")
    rows = np.asarray(meta["rows"])[arrays["spk_row"]]
    stages, counts = np.unique(rows // meta["n_stage"], return_counts=True)
    assert drawn["mode"] == "ticks"
    assert drawn["ticks"] == len(rows) > 100
    expected = dict(zip(map(str, stages.tolist()), counts.tolist(), strict=True))
    assert {k: v for k, v in drawn["per_group"].items() if v} == expected
    assert drawn["first_step"] == meta["step0"] + int(arrays["spk_dt"][0])
    assert drawn["last_step"] == meta["step0"] + int(arrays["spk_dt"][-1])


def test_the_density_counts_every_spike_of_all_neurons(board):
    board.evaluate("window.t4dm.app.setRows('all')")
    board.wait_for_function(
        "window.t4dm.drawn('raster').rows > 1000 && window.t4dm.drawn('raster').ticks > 0"
    )
    drawn = hold(board)
    assert drawn["mode"] == "density"
    url = f"/sessions/default/window?from_ms={drawn['t0_ms']}&to_ms={drawn['t1_ms']}"
    _, arrays = frame.decode(board.request.get(url).body())
    assert drawn["ticks"] == int(arrays["rates"].sum())
    trace = board.evaluate("window.t4dm.app.panelFigure('raster')")["data"][0]
    assert (trace["dx"], trace["dy"], trace["zmax"]) == (
        drawn["bin_ms"], drawn["bin_rows"], drawn["bin_max"],
    )  # fmt: skip
    assert int(np.sum(_numbers(trace["z"]))) == drawn["ticks"]


def test_membranes_levels_gate_and_weights_are_the_windows(board, held_window):
    meta, arrays = held_window
    drawn = {slug: board.evaluate("s => window.t4dm.drawn(s)", slug) for slug in
             ("membrane", "neuromod", "gate", "weights", "stdp")}  # fmt: skip
    assert drawn["membrane"]["neurons"] == meta["membrane"]
    assert drawn["membrane"]["max"] == pytest.approx(float(np.nanmax(arrays["u"])), rel=1e-6)
    assert drawn["membrane"]["sum"] == pytest.approx(float(np.nansum(arrays["u"])), rel=1e-4)
    stage = meta["membrane"][0] // meta["n_stage"]
    assert drawn["membrane"]["theta_last"][0] == pytest.approx(
        float(arrays["theta"][-1, stage]), abs=2e-3
    )
    assert drawn["neuromod"]["mean"] == pytest.approx(
        arrays["levels"].mean(axis=0).tolist(), rel=1e-4
    )
    assert drawn["gate"]["sum"] == int(arrays["gate"].sum())
    assert drawn["gate"]["columns"] == len(arrays["gate"])
    newest = arrays["hist_exc"][-1, meta["weights_block"]]
    assert drawn["weights"]["exc_sum"] == int(newest.sum()) > 0
    assert drawn["stdp"]["ltp"] == pytest.approx(float(arrays["gains"][-1, 2]), rel=1e-5)
    assert drawn["stdp"]["pairs_sum"] == int(arrays["pairs"][-1, meta["weights_block"]].sum())


def test_the_figure_of_the_same_window_holds_the_same_ticks(board, held_window):
    """Python's ``figure(window)`` and the canvas: equal numbers of spikes, stage by stage."""
    drawn = board.evaluate("window.t4dm.drawn('raster')")
    figure = board.evaluate("window.t4dm.app.panelFigure('raster')")
    per_stage = [len(_numbers(trace["x"])) // 3 for trace in figure["data"]]
    assert per_stage == [n for n in drawn["per_group"].values() if n]


STDP_CASES = [
    {},
    {"stdp.mu": 0.5, "stdp.w_max": 2.0, "stdp.window_pre_to_post": 300},
    {"stdp.mode": "three_factor", "stdp.mu": 1.0},
    {"stdp.da_gate": 0.95},
    {"stdp.enabled": False},
]


@pytest.mark.parametrize("values", STDP_CASES, ids=str)
def test_the_stdp_figure_is_the_canvas_one(board, values):
    """Same axes, same amplitudes, same words, whatever is in force."""
    board.request.post("/sessions/default/commands", data={"type": "replace", "values": values})
    board.wait_for_function(
        "v => Object.entries(v).every(([k, x]) => window.t4dm.app.params.values[k] === x)",
        arg=values,
    )
    hold(board)
    board.wait_for_timeout(300)
    drawn = board.evaluate("window.t4dm.drawn('stdp')")
    figure = board.evaluate("window.t4dm.app.panelFigure('stdp')")
    assert figure["layout"]["xaxis"]["range"] == [-drawn["reach"], drawn["reach"]]
    assert figure["layout"]["yaxis"]["range"][1] == pytest.approx(drawn["top"])
    line = figure["data"][-1]
    dt, dw = np.asarray(_numbers(line["x"])), np.asarray(_numbers(line["y"]))
    for at, amplitude, tau in (
        (10.0, drawn["a_plus"], drawn["tau_plus"]), (-10.0, -drawn["a_minus"], drawn["tau_minus"]),
    ):  # fmt: skip
        assert dw[np.isclose(dt, at)] == pytest.approx(amplitude * np.exp(-10.0 / tau), rel=1e-4)
    told = [note["text"] for note in figure["layout"]["annotations"]]
    assert set(drawn["words"]) <= set(told)
    bars = figure["data"][0]
    assert int(np.sum(_numbers(bars["y"]))) == drawn["pairs_sum"]


def test_the_stimulus_and_weights_figures_are_the_canvas_ones(board, held_window):
    drawn = {slug: board.evaluate("s => window.t4dm.drawn(s)", slug) for slug in
             ("stimulus", "weights", "membrane")}  # fmt: skip
    figures = {slug: board.evaluate("s => window.t4dm.app.panelFigure(s)", slug) for slug in drawn}
    trace = _numbers(figures["stimulus"]["data"][0]["y"])
    assert float(np.sum(trace)) == pytest.approx(drawn["stimulus"]["mean_sum"], rel=1e-4)
    bars = figures["weights"]["data"]
    assert [int(np.sum(_numbers(part["y"]))) for part in bars[:2]] == [
        drawn["weights"]["inh_sum"], drawn["weights"]["exc_sum"],
    ]  # fmt: skip
    newest = np.reshape(_numbers(bars[2]["customdata"]), (-1, 128))[-1]
    assert newest.sum() == drawn["weights"]["inh_sum"] + drawn["weights"]["exc_sum"]
    lanes = figures["membrane"]["data"]
    told = " ".join(note["text"] for note in figures["membrane"]["layout"]["annotations"])
    assert f"each lane {-0.4 * drawn['membrane']['row']:g} to" in told
    if drawn["membrane"]["outside"]:
        assert f"triangles: {drawn['membrane']['outside']:,} samples" in told
    assert len([t for t in lanes if t["mode"] == "lines"]) == 2 * len(drawn["membrane"]["neurons"])


def test_membranes_far_beyond_their_lane_stay_in_it(board):
    """The film's pixels: no lane holds the colour of a block that is shown in another one."""
    commands = [{"type": "set", "path": "lif.u_max", "value": 1000},
                {"type": "set", "path": "lif.beta", "value": 0.0},
                {"type": "set", "path": "lif.alpha", "value": 0.99}]  # fmt: skip
    board.request.post("/sessions/default/commands", data=commands)
    board.wait_for_function("window.t4dm.drawn('membrane').outside > 1000", timeout=60_000)
    hold(board)
    board.wait_for_timeout(300)
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


def test_gains_say_where_they_act_and_which_do_not(board):
    values = {"stdp.mode": "three_factor"}
    board.request.post("/sessions/default/commands", data={"type": "replace", "values": values})
    board.wait_for_function("window.t4dm.app.params.values['stdp.mode'] === 'three_factor'")
    board.evaluate("window.t4dm.app.setView({neuromod_view: 'gains'})")
    board.wait_for_function("window.t4dm.drawn('neuromod').rows?.length === 5")
    hold(board)
    board.wait_for_timeout(300)
    rows = board.evaluate("window.t4dm.drawn('neuromod').rows")
    figure = board.evaluate("window.t4dm.app.panelFigure('neuromod')")
    board.evaluate("window.t4dm.app.setView({neuromod_view: 'levels'})")
    assert rows[2:4] == ["DA → LTP: not applied", "DA → LTD: not applied"]
    assert [t.replace("  ", " ") for t in figure["layout"]["yaxis"]["ticktext"]] == rows


@pytest.mark.parametrize("baseline", [0.5, 0.25, 0.9])
def test_levels_have_the_same_colours_in_the_figure(board, baseline):
    """The canvas's table for a baseline, and what Plotly makes of the figure's scale, by level."""
    table = in_page(
        board,
        """const {diverging} = await import('/assets/js/colors.mjs');
           return [...diverging(a)].map(word => [word & 255, word >> 8 & 255, word >> 16 & 255]);""",
        baseline,
    )
    levels = np.arange(256)[:, None] / 255
    place = neuromod.shade(levels, neuromod.LEVEL_RANGE, [baseline])[:, 0]
    at = [stop for stop, _ in style.DIVERGING]
    ends = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for _, c in style.DIVERGING])
    figure = np.stack([np.interp(place, at, ends[:, k]) for k in range(3)], axis=1)
    assert np.abs(np.array(table) - figure).max() <= 1


def test_all_time_panels_show_the_same_steps(board):
    hold(board)
    spans = {
        slug: board.evaluate(
            "s => { const d = window.t4dm.drawn(s); return [d.t0_ms, d.t1_ms]; }", slug
        )
        for slug in TIME_PANELS
    }
    assert len({json.dumps(span) for span in spans.values()}) == 1, spans


def test_an_injection_and_a_change_are_marked(board):
    commands = [
        {"type": "inject", "nt": "DA", "level": 0.4},
        {"type": "set", "path": "lif.v_thresh", "value": 1.05},
    ]
    answer = board.request.post("/sessions/default/commands", data=commands)
    assert answer.ok, answer.text()
    board.wait_for_function("window.t4dm.drawn('neuromod').injections >= 1")
    board.wait_for_function("window.t4dm.app.params.values['lif.v_thresh'] === 1.05")
    theta = board.evaluate("window.t4dm.drawn('membrane').theta_last")
    assert all(value > 0.5 for value in theta)


def test_a_high_threshold_says_why_the_raster_is_empty(board):
    board.request.post(
        "/sessions/default/commands", data={"type": "set", "path": "lif.v_thresh", "value": 10}
    )
    board.wait_for_function("window.t4dm.drawn('raster').ticks === 0", timeout=30_000)
    assert board.evaluate("window.t4dm.drawn('raster').why").startswith("0 spikes in window")


def test_the_stdp_curve_follows_its_parameters(board):
    before = board.evaluate("window.t4dm.drawn('stdp').a_plus / window.t4dm.drawn('stdp').ltp")
    board.request.post(
        "/sessions/default/commands", data={"type": "set", "path": "stdp.a_plus", "value": 0.02}
    )
    board.wait_for_function("window.t4dm.app.params.values['stdp.a_plus'] === 0.02")
    board.wait_for_function(
        "b => { const d = window.t4dm.drawn('stdp'); return d.a_plus / d.ltp > 1.9 * b; }",
        arg=before,
    )


def _numbers(typed):
    """The values of a Plotly array: a list, or base64 with its dtype."""
    import base64

    if isinstance(typed, list):
        return typed
    return np.frombuffer(base64.b64decode(typed["bdata"]), typed["dtype"])
