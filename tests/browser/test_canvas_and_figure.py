"""The canvas and the figure that Python makes of the same window show the same."""

import re
from itertools import pairwise

import numpy as np
import pytest

from dashboard.figures import neuromod, raster, style
from tests.browser.one_tab import drawn, figure_of, hold, in_page, numbers, send, settle, until

# What the raster's label canvas writes, with the right end, the middle and the width of each line.
WRITTEN = """
const found = [], context = CanvasRenderingContext2D.prototype, was = context.fillText;
context.fillText = function (text, x, y) {
    if (this.canvas.closest('#panel-raster') && this.textAlign === 'right') found.push({text, x, y, w: this.measureText(text).width});
    return was.apply(this, arguments);
};
try {
    for (let i = 0; i < 100 && !found.length; i++) {
        window.t4dm.app.emit('theme');
        await new Promise(requestAnimationFrame);
    }
} finally { context.fillText = was; }
return found;
"""


def test_the_figure_of_the_same_window_holds_the_same_ticks(board):
    """Python's ``figure(window)`` and the canvas: equal numbers of spikes, stage by stage."""
    shown = hold(board)
    figure = figure_of(board, "raster")
    per_stage = [len(numbers(trace["x"])) for trace in figure["data"]]
    assert per_stage == [n for n in shown["per_group"].values() if n]
    ticks = [s["path"] for s in figure["layout"]["shapes"] if s.get("name") == "ticks"]
    assert sum(path.count("M") for path in ticks) == shown["ticks"]


LABEL = re.compile(r"(.+ n=\d+) (\d+) Hz \(?(\d+(?:\.\d)?) %/ms\)?")


def labels(told: list[str]) -> tuple[list[str], np.ndarray]:
    """Names and neurons of groups, and (G, 2) their Hz and percent of a ms; each must have both."""
    found = [LABEL.fullmatch(text) for text in told]
    assert all(found), told
    parts = [one.groups() for one in found if one]
    return [name for name, *_ in parts], np.array([numbers for _, *numbers in parts], float)


def test_group_labels_are_those_of_the_figure(board):
    """Name, neurons, Hz and percent of every group; a number that ends in a half may be rounded either way."""
    hold(board)
    settle(board)
    names, told = labels(drawn(board, "raster")["labels"])
    wanted, values = labels(figure_of(board, "raster")["layout"]["yaxis"]["ticktext"])
    assert names == wanted and len(names) == 13
    assert (np.abs(told - values) <= [1, 0.1 + 1e-9]).all() and values.max() > 20
    assert told[:, 0] / 10 == pytest.approx(told[:, 1], abs=0.11)


@pytest.mark.parametrize(("width", "height"), [(1600, 1000), (390, 844)])
def test_group_labels_stand_apart_and_inside_their_margin(board, width, height):
    """As they are written: no two in the same place, none beyond the left edge of the panel."""
    board.set_viewport_size({"width": width, "height": height})
    hold(board)
    settle(board)
    names, _ = labels(drawn(board, "raster")["labels"])
    assert len(names) == 13
    written = in_page(board, WRITTEN)
    lines = sorted(
        (one for one in written if "Hz" in one["text"] or "n=" in one["text"]),
        key=lambda one: one["y"],
    )
    assert len(lines) >= 13
    assert all(one["x"] - one["w"] >= 0 for one in lines)
    assert all(b["y"] - a["y"] >= 12 for a, b in pairwise(lines))


def test_the_canvas_and_the_figure_turn_to_a_density_alike(board):
    cases = [[rows, steps, spikes] for rows in (1, 200, 256, 257) for steps in (1, 1171, 1172, 1500, 1501)
             for spikes in (0, 50_000, 50_001)]  # fmt: skip
    canvas = in_page(
        board,
        """const {isDense} = await import('/assets/js/marks/raster.mjs');
           return a.map(one => isDense(...one));""",
        cases,
    )
    assert canvas == [raster.is_dense(*one) for one in cases]


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
    send(board, {"type": "replace", "values": values})
    until(
        board,
        "v => Object.entries(v).every(([k, x]) => window.t4dm.app.params.values[k] === x)",
        arg=values,
    )
    hold(board)
    shown = drawn(board, "stdp")
    figure = figure_of(board, "stdp")
    assert figure["layout"]["xaxis"]["range"] == [-shown["reach"], shown["reach"]]
    assert figure["layout"]["yaxis"]["range"][1] == pytest.approx(shown["top"])
    line = figure["data"][-1]
    dt, dw = np.asarray(numbers(line["x"])), np.asarray(numbers(line["y"]))
    for at, amplitude, tau in (
        (10.0, shown["a_plus"], shown["tau_plus"]), (-10.0, -shown["a_minus"], shown["tau_minus"]),
    ):  # fmt: skip
        assert dw[np.isclose(dt, at)] == pytest.approx(amplitude * np.exp(-10.0 / tau), rel=1e-4)
    told = " ".join(note["text"].replace("<br>", " ") for note in figure["layout"]["annotations"])
    assert all(words.replace("<", "&lt;") in told for words in shown["words"])
    bars = figure["data"][0]
    assert int(np.sum(numbers(bars["y"]))) == shown["pairs_sum"]


def test_the_stimulus_and_weights_figures_are_the_canvas_ones(board):
    hold(board)
    shown = {slug: drawn(board, slug) for slug in ("stimulus", "weights", "membrane")}  # fmt: skip
    figures = {slug: figure_of(board, slug) for slug in shown}
    trace = numbers(figures["stimulus"]["data"][0]["y"])
    assert float(np.sum(trace)) == pytest.approx(shown["stimulus"]["mean_sum"], rel=1e-4)
    bars = figures["weights"]["data"]
    assert [int(np.sum(numbers(part["y"]))) for part in bars[:2]] == [
        shown["weights"]["inh_sum"], shown["weights"]["exc_sum"],
    ]  # fmt: skip
    newest = np.reshape(numbers(bars[2]["customdata"]), (-1, 128))[-1]
    assert newest.sum() == shown["weights"]["inh_sum"] + shown["weights"]["exc_sum"]
    lanes = figures["membrane"]["data"]
    told = " ".join(note["text"] for note in figures["membrane"]["layout"]["annotations"])
    assert f"each lane {-0.4 * shown['membrane']['row']:g} to" in told
    if shown["membrane"]["outside"]:
        assert f"triangles: {shown['membrane']['outside']:,} samples" in told
    assert len([t for t in lanes if t["mode"] == "lines"]) == 2 * len(shown["membrane"]["neurons"])


def test_gains_say_where_they_act_and_which_do_not(board):
    values = {"stdp.mode": "three_factor"}
    send(board, {"type": "replace", "values": values})
    until(board, "window.t4dm.app.params.values['stdp.mode'] === 'three_factor'")
    board.evaluate("window.t4dm.app.setView({neuromod_view: 'gains'})")
    until(board, "window.t4dm.drawn('neuromod').rows?.length === 5")
    hold(board)
    rows = drawn(board, "neuromod")["rows"]
    figure = figure_of(board, "neuromod")
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
