"""What a panel gives away: its window as CSV and NPZ, its picture as PNG and SVG."""

import io

import numpy as np
import pytest
from playwright.sync_api import TimeoutError

from tests.browser.one_tab import (
    PANELS,
    hold,
    remember,
    reset,
    send,
    until,
    wait_toast,
    wait_traces,
)

VIEW = "window.t4dm.app.view"
# a longer window is asked for anew: until then the page draws the part of it that it holds
WHOLE = "ms => (d => d.step1 - d.step0 === ms)(window.t4dm.drawn('raster'))"


@pytest.fixture(scope="module")
def paused(tab):
    """The page with a standing run, so that the window stays held, every panel shown as traces."""
    reset(tab)
    hold(tab)
    tab.evaluate("window.t4dm.app.pauseView()")
    wait_traces(tab, *PANELS)
    yield tab
    send(tab, {"type": "run"})


def saved(page, slug, kind):
    """The file that a panel's button saves; asked for twice, as Chromium now and then drops one of many."""
    button = page.locator(f"#panel-{slug} .panel-tools").get_by_text(kind)
    for patience_ms in (10_000, 30_000):
        try:
            with page.expect_download(timeout=patience_ms) as got:
                button.click()
            return got.value.path()
        except TimeoutError:
            continue
    raise AssertionError(f"{slug}: no {kind} came")


@pytest.mark.parametrize("slug", PANELS)
def test_npz_downloads_the_window_in_view(paused, slug):
    path = saved(paused, slug, "NPZ")
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
        assert len(arrays.files) > 0


@pytest.mark.parametrize("slug", PANELS)
def test_csv_downloads_the_window_in_view(paused, slug):
    lo, hi = paused.evaluate("v => [v.t1_ms - v.span_ms, v.t1_ms]", paused.evaluate(VIEW))
    header, *lines = saved(paused, slug, "CSV").read_text().splitlines()
    assert header.startswith("time_ms,")
    times = [float(line.split(",", 1)[0]) for line in lines]
    assert len(times) > 3
    assert lo <= min(times) and max(times) < hi


def test_a_window_that_is_gone_is_told_and_saves_nothing(board):
    """The server's own refusal of a window which it does not hold."""
    saved = []
    board.on("download", lambda found: saved.append(found))
    board.route("**/panels/rate.csv*", lambda route: route.continue_(
        url=route.request.url.split("?")[0] + "?from_ms=900000000&to_ms=900000100"
    ))  # fmt: skip
    button = board.locator("#panel-rate .panel-tools").get_by_text("CSV")
    button.click()
    wait_toast(board, "ms are held")
    board.unroute("**/panels/rate.csv*")
    assert button.is_enabled() and saved == []


@pytest.mark.parametrize(
    ("kind", "magic"), [("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("CSV", b"time_ms")]
)
def test_a_panel_is_saved(board, kind, magic):
    with board.expect_download() as got:
        board.locator("#panel-raster .panel-tools").get_by_text(kind).click()
    assert magic in got.value.path().read_bytes()[:400]


def test_a_panel_out_of_sight_is_composed_with_the_axis_of_what_is_drawn(board):
    """The intervals of a long window are many more than those of a short one; the axis has to follow."""
    remember(board, 3000)
    hold(board)  # what is drawn stays what was composed
    tops = []
    for span in (200, 3000):
        board.evaluate("ms => window.t4dm.app.setSpan(ms)", span)
        until(board, WHOLE, span)
        top, most = board.evaluate(
            """async () => {
                window.scrollTo(0, 0);
                await window.t4dm.app.composePanel('isi', {scale: 1});
                const {yaxis} = document.querySelector('#graph-isi .js-plotly-plot')._fullLayout;
                return [yaxis.range[1], window.t4dm.drawn('isi').most];
            }"""
        )
        assert most <= top <= 3 * most
        tops.append(top)
    assert tops[0] < tops[1]
    send(board, {"type": "run"})


def test_a_composed_panel_holds_axes_and_film(board):
    """The picture at scale 2 has the plot's size, and colours of the film as well as the axes'."""
    got = board.evaluate(
        """async () => {
            const plot = document.querySelector('#panel-raster .panel-plot');
            const c = await window.t4dm.app.composePanel('raster', {scale: 2, background: '#ffffff'});
            const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            let vermilion = 0;
            for (let i = 0; i < data.length; i += 4)
                if (data[i] === 0xD5 && data[i + 1] === 0x5E && data[i + 2] === 0) vermilion++;
            return [c.width, c.height, plot.clientWidth, plot.clientHeight, vermilion];
        }"""
    )
    assert got[:2] == [2 * got[2], 2 * got[3]]
    assert got[4] > 100
