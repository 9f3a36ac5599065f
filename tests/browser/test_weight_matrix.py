"""The weights one by one: on the canvas, under the pointer, as traces, as files; only when asked for."""

import io

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import drawn, figure_of, hold, numbers, send, until, wait_traces
from tests.browser.recorded import colours, picture, record

SHADES = 3  # of 255, two roundings to a table of 256 colours apart
SHOWN = "block => (d => d.view === 'matrix' && d.block === block && d.step !== null)(window.t4dm.drawn('weights'))"


@pytest.fixture
def matrix(board):
    """The board with the matrix of block 2 in the weights panel; the histogram again afterwards."""
    panel = board.locator("#panel-weights")
    panel.get_by_label("What to show").select_option("matrix")
    panel.get_by_label("Block", exact=True).select_option("2")
    until(board, SHOWN, 2)
    yield board
    board.evaluate("window.t4dm.app.setView({weights_view: 'histogram', weights_block: 0})")


def weights(page) -> np.ndarray:
    """The matrix of the figure, post x pre."""
    heat = figure_of(page, "weights")["data"][0]
    assert heat["type"] == "heatmap"
    return numbers(heat["z"]).reshape(256, 256)


def test_the_canvas_shows_the_figures_weights(matrix):
    """Sum of all, and the colour of every pixel: the mean of the weights that it holds."""
    hold(matrix)
    z = weights(matrix)
    shown = drawn(matrix, "weights")
    assert shown["sum"] == pytest.approx(float(z.sum()), rel=1e-4)
    assert z.min() < -0.9 and z.max() > 0.9 and (np.diagonal(z) == 0).all()
    told = record(matrix, "weights")
    image = picture(told["found"]["weights"])
    for axis in (0, 1):
        edges = np.floor(np.arange(image.shape[axis] + 1) * 256 / image.shape[axis]).astype(int)
        ends = np.maximum(edges[1:], edges[:-1] + 1)
        parts = [
            z.take(range(a, b), axis=axis).mean(axis=axis)
            for a, b in zip(edges, ends, strict=False)
        ]
        z = np.stack(parts, axis=axis)
    wanted = colours((z + 1) / 2, figure_of(matrix, "weights")["data"][0]["colorscale"])
    assert np.abs(image - wanted).max() <= SHADES + 1


def test_the_pointer_tells_the_weight_it_is_on(matrix):
    hold(matrix)
    box = record(matrix, "weights")["boxes"]["weights"]
    plot = matrix.locator("#panel-weights .panel-plot")
    plot.scroll_into_view_if_needed()
    place = plot.bounding_box()
    pre, post = 40, 200
    x = place["x"] + box["xaxis"]["at"] + (pre + 0.5) / 256 * box["xaxis"]["length"]
    y = place["y"] + box["yaxis"]["at"] + (post + 0.5) / 256 * box["yaxis"]["length"]
    matrix.mouse.move(x, y)
    tip = matrix.locator("#panel-weights .film-tip")
    expect(tip).to_contain_text("pre 40 → post ")
    told = tip.inner_text()
    row = int(told.split("post ")[1].split(":")[0])
    assert abs(row - post) <= 1  # a pixel holds more than one row
    assert float(told.split("w ")[1]) == pytest.approx(weights(matrix)[row, pre], abs=6e-4)
    matrix.mouse.move(1, 999)
    expect(tip).to_be_hidden()


def test_a_pause_turns_it_into_traces_and_files_hold_it(matrix):
    matrix.evaluate("window.t4dm.app.pauseView()")
    wait_traces(matrix, "weights")
    kind = matrix.evaluate("document.querySelector('#graph-weights .js-plotly-plot').data[0].type")
    assert kind == "heatmap"
    z = weights(matrix)
    query = matrix.evaluate("window.t4dm.app.view")
    span = {"from_ms": query["t1_ms"] - 5000, "to_ms": query["t1_ms"]}
    asked = {"weights_view": "matrix", "weights_block": 2}
    url = "/sessions/default/panels/weights"
    files = np.load(io.BytesIO(matrix.request.get(f"{url}.npz", params=span | asked).body()))
    assert files["matrix"].shape == (1, 256, 256)
    assert np.abs((files["matrix"][0].astype(float) - 128) / 127.5 - z.T).max() < 0.01
    lines = matrix.request.get(f"{url}.csv", params=span | asked).text().splitlines()
    assert lines[0] == "time_ms,pre,post,neurons,weight" and len(lines) == 1 + 256 * 256
    _, pre, post, _, weight = lines[1 + 40 * 256 + 200].split(",")
    assert (pre, post) == ("40", "200") and float(weight) == pytest.approx(z[200, 40], abs=1e-6)


def test_only_who_asks_is_sent_a_matrix(board):
    counts = "window.t4dm.app.store.matrices.length"
    until(board, "window.t4dm.app.store.step1 - window.t4dm.app.store.step0 > 1500")
    assert board.evaluate(counts) == 0
    board.evaluate("window.t4dm.app.setView({weights_view: 'matrix'})")
    until(board, f"{counts} > 0")
    board.evaluate("window.t4dm.app.setView({weights_view: 'histogram'})")
    until(board, f"{counts} === 0")


def test_learning_moves_what_is_shown(matrix):
    """A lower w_max clips at once; the next sample shows it."""
    step = send(matrix, {"type": "set", "path": "stdp.w_max", "value": 0.25})["step"]
    until(matrix, "step => window.t4dm.drawn('weights').step > step", step, patience_s=60)
    hold(matrix)
    assert weights(matrix).max() <= 0.26
