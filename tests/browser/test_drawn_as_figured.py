"""What each canvas is given to draw and the figure that Python makes of the same window hold the same."""

from itertools import pairwise

import numpy as np
import pytest

from tests.browser.one_tab import drawn, figure_of, hold, numbers, send, until
from tests.browser.recorded import colours, picture, points, record
from tests.waiting import eventually

SPAN = 200  # ms, fewer than a plot has pixels: every step has a column of its own
PANELS = ("membrane", "neuromod", "gate", "rate", "stdp", "stimulus", "weights")
SHADES = 3  # of 255, two roundings to a table of 256 colours apart


@pytest.fixture(scope="module")
def held(tab):
    """A standing run in a tall window, so that every panel is drawn; dopamine moved a little before."""
    tab.set_viewport_size({"width": 1600, "height": 4000})
    send(tab, {"type": "replace", "values": {}}, {"type": "inject", "nt": "DA", "level": 0.3})
    tab.evaluate("span => { window.t4dm.app.liveView(); window.t4dm.app.setSpan(span); }", SPAN)
    step = tab.evaluate("window.t4dm.stats().sim_step")
    until(tab, "step => window.t4dm.stats().sim_step > step + 1300", step, patience_s=60)
    hold(tab)
    tab.wait_for_timeout(400)
    yield tab
    send(tab, {"type": "run"})


@pytest.fixture(scope="module")
def told(held):
    """What the canvases were given in one drawing."""
    made = eventually(lambda: one_drawing(held), "a drawing that its axis has followed")
    assert made["step1"] - made["step0"] == SPAN == made["span"]
    return made


def one_drawing(held):
    """A drawing of these panels; None where the rate's axis, which follows it, has not done so yet."""
    made = record(held, *PANELS)
    return (
        made if made["boxes"]["rate"]["yaxis"]["range"][1] == drawn(held, "rate")["top"] else None
    )


def figure(held, slug):
    """Traces of a panel's figure by name, and its layout."""
    made = figure_of(held, slug)
    return {trace.get("name", ""): trace for trace in made["data"]}, made


def steps_of(told, x, w):
    """The steps at which points lie, from their place in a plot of ``w`` pixels."""
    return np.rint(told["t0"] + np.asarray(x) / w * told["span"]).astype(int)


def column_of(told, steps, w):
    """The pixel column in the middle of each step."""
    return ((np.asarray(steps) + 0.5 - told["t0"]) / told["span"] * w).astype(int)


def test_membranes_and_thresholds(held, told):
    """Each lane's trace and dashed threshold, step by step, as shares of the lane's height."""
    lines, shown = points(told["found"]["membrane"]), drawn(held, "membrane")
    traces = [t for t in figure_of(held, "membrane")["data"] if t["mode"] == "lines"]
    count = len(shown["neurons"])
    h = told["found"]["membrane"]["lines"][0]["h"]
    w = told["found"]["membrane"]["lines"][0]["w"]
    assert len(lines) == len(traces) == 2 * count > 8
    for k in range(count):
        theta, u = (numbers(t["y"]) for t in traces[2 * k : 2 * k + 2])
        for line, values in ((lines[2 * k], u), (lines[2 * k + 1], theta)):
            at = steps_of(told, line[:, 0], w) - told["step0"]
            inside = at < SPAN
            height = count - line[inside, 1] * count / h - 0.4
            given = dict(zip(at[inside].tolist(), height.tolist(), strict=True))
            assert set(given) <= set(range(SPAN)) and 0 in given
            for step, value in given.items():
                assert value == pytest.approx(
                    values[step], abs=0.02 if line is lines[2 * k + 1] else 2e-4
                )
        assert len(np.unique(lines[2 * k][:, 0])) == SPAN


@pytest.mark.parametrize("view", ["levels", "gains"])
def test_neuromodulators(held, view):
    """The colour of every row and step."""
    held.evaluate("view => window.t4dm.app.setView({neuromod_view: view})", view)
    until(held, "view => window.t4dm.drawn('neuromod').view === view", view)
    told = record(held, "neuromod")
    shown = picture(told["found"]["neuromod"])
    (heat,) = [t for t in figure_of(held, "neuromod")["data"] if t["type"] == "heatmap"]
    held.evaluate("window.t4dm.app.setView({neuromod_view: 'levels'})")
    rows = len(heat["text"])
    z = numbers(heat["z"]).reshape(rows, SPAN)
    wanted = colours(z, heat["colorscale"])
    columns = column_of(told, told["step0"] + np.arange(SPAN), shown.shape[1])
    for row in range(rows):
        y = round((row + 0.4) * shown.shape[0] / rows)
        assert np.abs(shown[y, columns] - wanted[row]).max() <= SHADES
    assert len(np.unique(wanted[0], axis=0)) > 10  # dopamine decays in it


def test_neuromodulators_as_lines(held):
    held.evaluate("window.t4dm.app.setView({neuromod_view: 'lines'})")
    until(held, "window.t4dm.drawn('neuromod').view === 'lines'")
    told = record(held, "neuromod")
    traces = figure_of(held, "neuromod")["data"]
    held.evaluate("window.t4dm.app.setView({neuromod_view: 'levels'})")
    box = told["boxes"]["neuromod"]
    paths = [
        np.array(p["points"]) for p in told["found"]["neuromod"]["paths"] if len(p["points"]) > SPAN
    ]
    assert len(paths) == len(traces) == 4
    for path, trace in zip(paths, traces, strict=True):
        x = path[:, 0] - box["xaxis"]["at"]
        steps = (
            np.floor(told["t0"] + (x + 1) / np.floor(box["xaxis"]["length"]) * told["span"]).astype(
                int
            )
            - 1
        )
        level = 1 - (path[:, 1] - box["yaxis"]["at"]) / box["yaxis"]["length"]
        place = np.clip(steps - told["step0"], 0, SPAN - 1)
        near = np.abs(
            numbers(trace["y"])[np.clip(place[:, None] + np.arange(-1, 2), 0, SPAN - 1)]
            - level[:, None]
        )
        assert near.min(axis=1).max() < 1e-5


def test_gate_channels_and_mean(held, told):
    """The colour of every channel at every sample (a pixel is the mean of its channels), and the line."""
    by_name, made = figure(held, "gate")
    heat = made["data"][0]
    means = numbers(by_name["mean openness"]["y"])
    first = round(float(numbers(by_name["mean openness"]["x"])[0]))
    z = numbers(heat["z"]).reshape(-1, len(means))
    shown = picture(told["found"]["gate"])
    h, w, _ = shown.shape
    edges = np.floor(np.arange(h + 1) * len(z) / h).astype(int)
    pixels = np.stack([z[a : max(b, a + 1)].mean(axis=0) for a, b in pairwise(edges)])
    at = np.arange(1, len(means) - 1)  # those at the ends are cut
    columns = column_of(told, first + 4 * at + 1, w)
    wanted = colours(pixels[:, at] / 1.5, heat["colorscale"])
    assert np.abs(shown[:, columns] - wanted).max() <= SHADES
    (line,) = points(told["found"]["gate"])
    h = told["found"]["gate"]["lines"][0]["h"]
    assert 1.5 * (1 - line[::2, 1] / h) == pytest.approx(means, abs=1e-5)


def test_population_rates(held, told):
    """Each group's steps: where they begin and how high they are."""
    lines, traces = points(told["found"]["rate"]), figure_of(held, "rate")["data"]
    w, h = (told["found"]["rate"]["lines"][0][name] for name in "wh")
    top = told["boxes"]["rate"]["yaxis"]["range"][1]
    assert len(lines) == len(traces) == 13
    for line, trace in zip(lines, traces, strict=True):
        edges, hz = numbers(trace["x"]), numbers(trace["y"])[:-1]
        assert steps_of(told, line[::2, 0], w).tolist() == edges[:-1].tolist()
        assert steps_of(told, line[1::2, 0], w).tolist() == edges[1:].tolist()
        assert line[::2, 1] == pytest.approx(line[1::2, 1])
        assert top * (1 - line[::2, 1] / h) == pytest.approx(hz, abs=top * 1e-4)
    assert max(numbers(t["y"]).max() for t in traces) > 20


def test_stdp_window_and_observed_pairs(held, told):
    """The bars of the pairs by dt, and the curve at every point that it goes through."""
    by_name, made = figure(held, "stdp")
    panel, box = told["found"]["stdp"], told["boxes"]["stdp"]
    bars = [rect for rect in panel["rects"] if rect[0] in ("#0072b2", "#e69f00")]
    counts = numbers(by_name["observed pairs"]["y"])
    heights = np.array([rect[4] for rect in bars])
    assert len(bars) == len(counts) == 201 and counts.max() > 100
    assert heights / heights.max() == pytest.approx(counts / counts.max(), abs=1e-6)
    assert [rect[0] for rect in bars[:100]] == ["#0072b2"] * 100
    line = made["data"][-1]
    dt, dw = numbers(line["x"]), np.nan_to_num(numbers(line["y"]))
    paths = [
        np.array(p["points"]) for p in panel["paths"] if p["width"] == 2.5 and len(p["points"]) > 20
    ]
    assert len(paths) == 2
    (lo, hi), (low, high) = box["xaxis"]["range"], box["yaxis"]["range"]
    for sign, path in zip((-1, 1), paths, strict=True):
        at = lo + (path[:, 0] - box["xaxis"]["at"]) / box["xaxis"]["length"] * (hi - lo)
        change = high - (path[:, 1] - box["yaxis"]["at"]) / box["yaxis"]["length"] * (high - low)
        inside = (np.abs(at) > 0.5) & (np.abs(at) < 99)
        assert inside.sum() > 100 and (np.sign(at[inside]) == sign).all()
        assert change[inside] == pytest.approx(np.interp(at[inside], dt, dw), abs=high * 2e-3)


def test_stimulus_trace_and_image(held, told):
    """The mean input of every step; the 8 x 8 image cell by cell."""
    by_name, made = figure(held, "stimulus")
    panel = told["found"]["stimulus"]
    (line,) = points(panel)
    h = panel["lines"][0]["h"]
    assert len(line) == 2 * SPAN
    assert 1.02 * (1 - line[::2, 1] / h) == pytest.approx(
        numbers(by_name["mean input"]["y"]), abs=1e-6
    )
    cells = [s for s in made["layout"]["shapes"] if s.get("name") == "aside" and "fillcolor" in s]
    wanted = np.array([int(cell["fillcolor"][1:3], 16) for cell in cells]).reshape(8, 8)
    image = picture(panel)
    middle = ((np.arange(8) + 0.5) * len(image) / 8).astype(int)
    assert np.abs(image[np.ix_(middle, middle)][..., 0].astype(int) - wanted).max() <= 1


def test_weight_counts(held, told):
    """The height of every bar that is there, on the log axis, excitatory and inhibitory."""
    _, made = figure(held, "weights")
    panel, box = told["found"]["weights"], told["boxes"]["weights"]
    low, high = box["yaxis"]["range"]
    for trace, colour in zip(made["data"][:2], ("#0072b2", "#d55e00"), strict=True):
        counts = numbers(trace["y"])
        bars = [rect for rect in panel["rects"] if rect[0] == colour]
        height = np.array([rect[4] for rect in bars]) / box["yaxis"]["length"]
        assert 10 ** (low + height * (high - low)) == pytest.approx(counts[counts > 0], rel=1e-6)
    assert len(bars) > 10


@pytest.fixture
def below(held):
    """What the panels of the last row were given, which are drawn while they are in view."""
    held.evaluate("document.getElementById('panel-isi').scrollIntoView()")
    held.wait_for_timeout(400)
    yield record(held, "isi", "regularity")
    held.evaluate("document.getElementById('panel-raster').scrollIntoView()")


def test_intervals_and_their_chance(held, below):
    """The height of every bar, and of the dashed line at every length."""
    bars, chance = (numbers(trace["y"]) for trace in figure_of(held, "isi")["data"])
    panel, box = below["found"]["isi"], below["boxes"]["isi"]
    top, high = box["yaxis"]["range"][1], box["yaxis"]["length"]
    drawn_bars = np.array([rect[4] for rect in panel["rects"] if rect[0] == "#0072b2"]) / high * top
    assert drawn_bars == pytest.approx(bars[bars > 0]) and len(drawn_bars) > 10
    (line,) = [np.array(p["points"]) for p in panel["paths"] if len(p["points"]) == 100]
    expected = top * (1 - (line[:, 1] - box["yaxis"]["at"]) / high)
    assert expected == pytest.approx(np.minimum(chance, top), abs=top * 1e-6)


def test_regularity_and_synchrony(held, below):
    """CV and Fano factor of every group; where the diamonds stand."""
    cv, fano = (numbers(trace["y"]) for trace in figure_of(held, "regularity")["data"])
    shown = drawn(held, "regularity")
    known = np.isfinite(cv)
    assert np.array(shown["cv"], float)[known] == pytest.approx(cv[known])
    panel, box = below["found"]["regularity"], below["boxes"]["regularity"]
    tops = np.array([p["points"][0][1] for p in panel["paths"] if len(p["points"]) == 4])
    height = (box["yaxis"]["at"] + box["yaxis"]["length"] - (tops + 5.5)) / box["yaxis"]["length"]
    assert 10 ** (3 * height - 1) == pytest.approx(fano[np.isfinite(fano)], rel=1e-5)
    assert len(tops) == np.isfinite(fano).sum() >= 6  # a stage may be silent in so short a window
