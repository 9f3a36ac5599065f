"""The attention panel: canvas, figure and the window of the API show the same samples."""

import io

import numpy as np
import pytest
from playwright.sync_api import expect

from t4dm.live import frame
from t4dm.live.attention import query_spikes, relative_entropy
from t4dm.live.groups import Layout
from tests.browser.one_tab import drawn, figure_of, hold, in_page, numbers, until, wait_traces
from tests.browser.recorded import bitmap, colours, record


@pytest.mark.parametrize("block", [0, 4])
def test_canvas_and_figure_show_the_window_of_the_block(board, block):
    panel = board.locator("#panel-attention")
    panel.get_by_label("Block", exact=True).select_option(str(block))
    until(
        board, "b => window.t4dm.drawn('attention')?.block === b && window.t4dm.drawn('attention').judged > 9", block
    )  # fmt: skip
    seen = hold(board)
    shown = drawn(board, "attention")
    query = f"from_ms={seen['t0_ms']}&to_ms={seen['t1_ms']}&attention_block={block}"
    meta, arrays = frame.decode(board.request.get(f"/sessions/default/window?{query}").body())
    assert meta["attention_block"] == block
    sampled, keys = arrays["attention"], arrays["attention_keys"]
    assert shown["columns"] == len(sampled) > 100
    assert shown["sum"] == int(sampled.sum()) > 200 * len(sampled)

    layout = Layout.from_json(board.request.get("/sessions/default").json()["groups"])
    fired = query_spikes(arrays["rates"], layout, block, meta["step0"])
    even = relative_entropy(sampled, keys, fired)
    assert shown["judged"] == int((~np.isnan(even)).sum())
    assert shown["entropy_last"] == pytest.approx(even[~np.isnan(even)][-1], rel=1e-6)

    heat, line = figure_of(board, "attention")["data"]
    assert np.sum(numbers(heat["customdata"])) == shown["sum"]
    told = numbers(line["y"])
    np.testing.assert_allclose(told, even, rtol=1e-5)
    foot = panel.locator(".panel-foot").text_content()
    assert f"block {block}" in foot and "mean of the heads" in foot


def test_a_weight_has_the_same_colour_in_the_figure(board):
    """The canvas's table by byte, and what Plotly makes of the figure's scale."""
    table = in_page(
        board,
        """const {shades} = await import('/assets/js/marks/attention.mjs');
           return [...shades].map(word => [word & 255, word >> 8 & 255, word >> 16 & 255]);""",
    )
    hold(board)
    heat = figure_of(board, "attention")["data"][0]
    logs = np.log10(np.maximum(np.arange(256), 1) / 255)
    place = (logs - heat["zmin"]) / (heat["zmax"] - heat["zmin"])
    at = [stop for stop, _ in heat["colorscale"]]
    ends = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for _, c in heat["colorscale"]])
    wanted = np.stack([np.interp(place, at, ends[:, k]) for k in range(3)], axis=1)
    assert np.abs(np.array(table) - wanted).max() <= 3


SAMPLED = "block => (d => d.view === 'matrix' && d.block === block && d.step > 0)(window.t4dm.drawn('attention'))"


@pytest.fixture
def heads(board):
    """The board with block 3 head by head; by the age of the key again afterwards."""
    panel = board.locator("#panel-attention")
    panel.scroll_into_view_if_needed()
    panel.get_by_label("What to show").select_option("matrix")
    panel.get_by_label("Block", exact=True).select_option("3")
    until(board, SAMPLED, 3)
    yield board
    board.evaluate("window.t4dm.app.setView({attention_view: 'age', attention_block: 0})")
    board.evaluate("document.getElementById('panel-raster').scrollIntoView()")


def test_every_head_is_drawn_as_its_figure_has_it(heads):
    """Each weight's colour, the shade of keys to come, and nothing where keys are out of sight."""
    hold(heads)
    told = record(heads, "attention")["found"]["attention"]
    figure, shown = figure_of(heads, "attention"), drawn(heads, "attention")
    assert len(figure["data"]) == len(told["pictures"]) == shown["heads"] == 8
    assert shown["queries"] == 64 and shown["sum"] == 8 * 64 * 255
    future = np.arange(127) > np.arange(64)[:, None] + 63
    past = np.arange(127) < np.arange(64)[:, None]
    for h, heat in enumerate(figure["data"]):
        w = numbers(heat["customdata"]).reshape(64, 127)
        assert heat["x0"] + 126 == heat["y0"] + 63 == shown["step"]
        assert np.nansum(w, axis=1) == pytest.approx(np.ones(64), abs=1e-6)
        assert np.isnan(w[future]).all() and np.isnan(w[past]).all()
        image = bitmap(told["pictures"][h])
        z = numbers(heat["z"]).reshape(64, 127)
        seen = ~np.isnan(z)
        wanted = colours((z[seen] - heat["zmin"]) / -heat["zmin"], heat["colorscale"])
        assert np.abs(image[seen][:, :3] - wanted).max() <= 3
        grey = figure["layout"]["shapes"][h]["fillcolor"]
        assert (image[future] == [*bytes.fromhex(grey[1:]), 255]).all()
        assert (image[past][:, 3] == 0).all()
    assert len({picture["data"] for picture in told["pictures"]}) == 8


def test_the_pictures_stand_where_the_figures_axes_are(heads):
    """The film's axes count from the last query; their numbers are drawn."""
    hold(heads)
    last = drawn(heads, "attention")["step"]
    layout = figure_of(heads, "attention")["layout"]
    shown = heads.evaluate(
        """() => Object.fromEntries(Object.entries(document.querySelector('#graph-attention .js-plotly-plot')._fullLayout)
            .filter(([name]) => /^[xy]axis\\d*$/.test(name)).map(([name, {range, domain}]) => [name, [range, domain]]))"""
    )
    axes = [name for name in layout if name[1:5] == "axis"]
    assert len(axes) == 16 and set(axes) == set(shown)
    for name in axes:
        assert np.add(shown[name][0], last) == pytest.approx(layout[name]["range"])
        if name.startswith("x"):
            assert shown[name][1] == pytest.approx(layout[name]["domain"])
    tops = [layout[name]["domain"][0] for name in axes if name.startswith("y")]
    assert [shown[name][1][0] for name in axes if name.startswith("y")] == pytest.approx(tops)


def test_the_pointer_tells_query_and_key(heads):
    """On the strongest weight of a query of head 2."""
    hold(heads)
    heat = figure_of(heads, "attention")["data"][1]
    weights = numbers(heat["customdata"]).reshape(64, 127)
    query = 40
    key = int(np.nanargmax(weights[query]))
    box = record(heads, "attention")["boxes"]["attention"]
    x, y = box["xaxis2"], box["yaxis2"]
    place = heads.locator("#panel-attention .panel-plot").bounding_box()
    heads.mouse.move(
        place["x"] + x["at"] + (key + 0.5) / 127 * x["length"],
        place["y"] + y["at"] + (query + 0.5) / 64 * y["length"],
    )
    tip = heads.locator("#panel-attention .film-tip")
    expect(tip).to_contain_text("head 2 of 8: query ")
    words = tip.inner_text().replace(",", "")
    where = f"query {heat['y0'] + query:g} ms → key {heat['x0'] + key:g} ms"
    assert f"{where} ({query + 63 - key} ms ago)" in words
    assert float(words.split(": ")[-1]) == pytest.approx(weights[query, key], abs=6e-4)
    assert weights[query, key] > 0.1
    heads.mouse.move(1, 999)


def test_a_pause_makes_traces_and_files_of_the_heads(heads):
    """Also of a window that is too short to hold a sample: the files have what the picture shows."""
    heads.evaluate("() => { window.t4dm.app.setSpan(100); window.t4dm.app.pauseView(); }")
    wait_traces(heads, "attention")
    kinds = heads.evaluate(
        "document.querySelector('#graph-attention .js-plotly-plot').data.map(t => t.type)"
    )
    assert kinds == ["heatmap"] * 8
    first = figure_of(heads, "attention")["data"][0]
    query = heads.evaluate(
        "() => { const {view, viewQuery} = window.t4dm.app; return {...viewQuery(), to_ms: view.t1_ms, from_ms: view.t1_ms - 100}; }"
    )
    asked = {name: value for name, value in query.items() if value is not None}
    url = "/sessions/default/panels/attention"
    files = np.load(io.BytesIO(heads.request.get(f"{url}.npz", params=asked).body()))
    assert files["attention_heads"].shape == (1, 8, 64, 64)
    w = numbers(first["customdata"]).reshape(64, 127)
    assert files["attention_heads"][0, 0, 5] / 255 == pytest.approx(w[5, 5 : 5 + 64], abs=1e-6)
    lines = heads.request.get(f"{url}.csv", params=asked).text().splitlines()
    assert lines[0] == "query_ms,key_ms,head,weight" and len(lines) == 1 + 8 * 64 * 64
    heads.evaluate("() => { window.t4dm.app.liveView(); window.t4dm.app.setSpan(1000); }")


def test_only_who_asks_is_sent_the_heads(board):
    counts = "window.t4dm.app.store.looks.length"
    until(board, "window.t4dm.app.store.step1 - window.t4dm.app.store.step0 > 1500")
    assert board.evaluate(counts) == 0
    board.evaluate("window.t4dm.app.setView({attention_view: 'matrix'})")
    until(board, f"{counts} > 0")
    board.evaluate("window.t4dm.app.setView({attention_view: 'age'})")
    until(board, f"{counts} === 0")
