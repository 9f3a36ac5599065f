"""The SVG of a panel: what the panel shows, its words whole, and where it comes from."""

import re
from xml.etree import ElementTree

import pytest

from tests.browser.one_tab import PANELS, hold, reset, send, settle, until, wait_traces

VIEW = "window.t4dm.app.view"
SVG = "{http://www.w3.org/2000/svg}"
TIME = ["raster", "gate", "membrane", "neuromod", "rate", "stimulus"]
# Each text of the drawing, put into a page, that leaves it or lies over another; Plotly's own tick
# labels of two axes may touch by a pixel.
MISPLACED = """svg => {
    const host = document.createElement('div');
    host.style.cssText = 'position: fixed; left: 0; top: 0; z-index: 99;';
    host.innerHTML = svg;
    document.body.append(host);
    const edge = host.firstElementChild.getBoundingClientRect();
    const texts = [...host.querySelectorAll('text')].filter(node => node.textContent.trim())
        .map(node => [node.textContent, node.getBoundingClientRect()]).filter(([, r]) => r.width > 0);
    const out = texts.filter(([, r]) => r.left < edge.left || r.right > edge.right + 1
        || r.top < edge.top || r.bottom > edge.bottom).map(([text]) => text);
    const over = texts.flatMap(([text, a], i) => texts.slice(i + 1)
        .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5).map(([other]) => [text, other]));
    host.remove();
    return {out, over};
}"""


def saved(page, slug):
    """The text of the SVG that the panel's button saves."""
    with page.expect_download() as got:
        page.locator(f"#panel-{slug} .panel-tools").get_by_text("SVG").click()
    return got.value.path().read_text()


def words(svg):
    """The texts of a drawing, each without its markup."""
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def zoomed(tab):
    """The page with a standing run, a changed parameter, and a zoom into 100 ms of the window."""
    reset(tab)
    send(tab, {"type": "set", "path": "lif.v_thresh", "value": 1.02})
    until(tab, "window.t4dm.app.params.values['lif.v_thresh'] === 1.02")
    hold(tab)
    tab.evaluate("window.t4dm.app.pauseView()")
    wait_traces(tab, *PANELS)
    t1 = tab.evaluate(f"{VIEW}.t1_ms")
    zoom = [t1 - 700, t1 - 600]
    tab.evaluate("zoom => window.t4dm.app.setView({zoom})", zoom)
    until(
        tab,
        """t1 => Math.abs(document.querySelector('#graph-rate .js-plotly-plot')
            .layout.xaxis.range[1] - t1) < 1e-6""",
        zoom[1],
    )
    settle(tab)
    yield tab, zoom
    send(tab, {"type": "run"})
    reset(tab)


@pytest.mark.parametrize("slug", TIME)
def test_a_zoomed_panel_is_saved_as_zoomed(zoomed, slug):
    page, (lo, hi) = zoomed
    svg = saved(page, slug)
    # The end tags of Plotly's tick labels tell the x axis from the y axes.
    ticks = [
        float(text.replace(",", ""))
        for text in re.findall(r'class="xtick".*?>([\d,.]+)</text>', svg)
    ]
    inside = [tick for tick in ticks if tick > 10]  # the stimulus has an axis from 0 to 1 beside it
    assert len(inside) >= 2 and all(lo <= tick <= hi for tick in inside)
    assert any(f"{lo / 1000:.2f}–{hi / 1000:.2f} s" in text for text in words(svg))


@pytest.mark.parametrize("slug", PANELS)
def test_the_words_of_a_saved_panel_are_whole_and_apart(zoomed, slug):
    page, _ = zoomed
    assert page.evaluate(MISPLACED, saved(page, slug)) == {"out": [], "over": []}


@pytest.mark.parametrize("slug", PANELS)
def test_a_live_panel_is_saved_whole_with_where_it_comes_from(board, slug):
    send(board, {"type": "set", "path": "lif.v_thresh", "value": 1.02})
    until(board, "window.t4dm.app.params.values['lif.v_thresh'] === 1.02")
    svg = saved(board, slug)
    assert board.evaluate(MISPLACED, svg) == {"out": [], "over": []}
    told = " ".join(words(svg))
    config, seed = board.evaluate("[window.t4dm.app.config, window.t4dm.app.meta.seed]")
    for fact in (
        f"t4dm {config['version']} {config['commit']}",
        f"seed {seed} ",
        "dt 1 ms",
        "lif.v_thresh 1.02",
    ):
        assert fact in told, told


def test_the_labels_beside_the_plot_are_text_in_it(zoomed):
    page, _ = zoomed
    told = words(saved(page, "membrane"))
    assert sum(text.startswith("θ ") for text in told) == 6
    assert "block 0 in #128" in told
    assert any("dashed: θ" in text for text in told)
