"""What the tools of a panel choose: rows and their order, block, neuron, size."""

import numpy as np
from playwright.sync_api import expect

from tests.browser.one_tab import drawn, figure_of, numbers, send, until, wait_traces


def test_rows_of_one_block(board):
    board.get_by_label("Rows", exact=True).select_option("block:2")
    until(board, "window.t4dm.drawn('raster').rows === 512")
    until(board, "window.t4dm.drawn('raster').ticks > 0")
    assert set(drawn(board, "raster")["per_group"]) == {"4", "5"}


def test_order_by_rate_puts_the_busiest_rows_first(board):
    board.evaluate("window.t4dm.app.pauseView()")
    board.get_by_label("Order of rows").select_option("rate")
    wait_traces(board, "raster")
    figure = figure_of(board, "raster")
    first = figure["data"][0]
    rows = numbers(first["y"]).astype(int)
    counts = np.bincount(rows - rows.min())
    assert (np.diff(counts) <= 0).all()


def test_the_block_of_the_gate_can_be_chosen(board):
    board.locator("#panel-gate").get_by_label("Block", exact=True).select_option("3")
    until(board, "window.t4dm.drawn('gate').block === 3")


def test_a_click_on_a_row_shows_that_neurons_membrane(board):
    before = drawn(board, "membrane")["neurons"]
    area = board.locator("#graph-raster .nsewdrag").first.bounding_box()
    rows = board.evaluate("window.t4dm.app.meta.rows")
    middle = 62.5 / len(rows)
    board.mouse.click(area["x"] + area["width"] / 2, area["y"] + area["height"] * middle)
    neuron = rows[62]
    until(board, "id => window.t4dm.app.view.watched === id", neuron)
    until(board, "id => window.t4dm.drawn('membrane').neurons[0] === id", neuron)
    until(board, "window.t4dm.drawn('membrane').n > 0")
    send(board, {"type": "watch", "neurons": before})


def test_maximise_and_back(board):
    board.get_by_label("Maximise Spike raster").click()
    expect(board.locator("#panel-gate")).to_be_hidden()
    wide = board.locator("#panel-raster").bounding_box()["width"]
    board.keyboard.press("Escape")
    expect(board.locator("#panel-gate")).to_be_visible()
    assert board.locator("#panel-raster").bounding_box()["width"] < wide


def test_each_canvas_covers_its_plot(board):
    for slug in ("raster", "gate", "weights"):
        film, plot = board.evaluate(
            """slug => ['canvas.film', ''].map(s => {
                const r = document.querySelector(`#panel-${slug} .panel-plot ${s}`.trim())
                    .getBoundingClientRect();
                return [r.x, r.y, r.width, r.height].map(Math.round); })""",
            slug,
        )
        assert film == plot


def test_the_page_fits_a_phone(board):
    board.set_viewport_size({"width": 390, "height": 844})
    until(
        board,
        """() => document.documentElement.scrollWidth <= 390
            && document.querySelector('#panel-raster canvas.film').clientWidth > 300""",
    )


def test_a_panel_put_back_is_where_it_was_and_the_nav_says_which_part_that_is(board):
    current = board.locator("#pages a[aria-current=page]")
    board.locator("#panel-isi").scroll_into_view_if_needed()
    expect(current).to_have_text("Statistics")
    board.locator("#panel-isi .tool-max").click()
    expect(board.locator("#panel-regularity")).to_be_hidden()
    expect(current).to_have_text("Statistics")
    board.keyboard.press("Escape")
    expect(board.locator("#panel-isi")).to_be_in_viewport(ratio=0.9)
    expect(current).to_have_text("Statistics")
    board.evaluate("window.t4dm.app.maximise('gate')")
    expect(current).to_have_text("Spiking")
    board.keyboard.press("Escape")
    expect(board.locator("#panel-gate")).to_be_in_viewport(ratio=0.9)
    expect(current).to_have_text("Spiking")
