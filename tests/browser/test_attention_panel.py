"""The attention panel: canvas, figure and the window of the API show the same samples."""

import numpy as np
import pytest

from t4dm.live import frame
from t4dm.live.attention import query_spikes, relative_entropy
from t4dm.live.groups import Layout
from tests.browser.one_tab import drawn, figure_of, hold, in_page, numbers, until


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
