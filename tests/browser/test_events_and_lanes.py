"""What is written into the time panels: labels of events, and why a lane is empty; a double click."""

import pytest

from tests.browser.one_tab import drawn, hold, in_page, send, settle, until, wait_traces

# Keep the texts that each panel's canvases draw from now on.
COLLECT = """() => {
    window.written = {};
    const plain = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
        const slug = this.canvas.closest('section')?.dataset.slug;
        if (slug) (window.written[slug] ??= []).push(text);
        return plain.call(this, text, ...rest);
    };
}"""
# Pixels of a lane of the membranes in which its label canvas holds something, left to right.
INKED = """const section = document.getElementById('panel-membrane');
    const over = section.querySelector('canvas.film-labels');
    const {xaxis, yaxis} = section.querySelector('.js-plotly-plot')._fullLayout;
    const scale = over.width / over.clientWidth, high = yaxis._length / b * scale;
    const {data} = over.getContext('2d').getImageData(Math.round((xaxis._offset + 2) * scale),
        Math.round(yaxis._offset * scale + a * high), Math.round(xaxis._length / 2 * scale), Math.floor(high));
    let inked = 0;
    for (let i = 3; i < data.length; i += 4) inked += data[i] > 0;
    return inked;"""
EVENT_LABELS = """slug => document.querySelector(`#graph-${slug} .js-plotly-plot`).layout.annotations
    .filter(({name}) => name?.startsWith('event')).map(({visible}) => visible)"""


# Where the labels of events stand among those that the neuromodulators' canvas draws, and its levels begin.
PLACED = """() => {
    window.placed = {};
    const plain = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
        if (this.canvas.closest('#panel-neuromod')) window.placed[text] = y;
        return plain.apply(this, arguments);
    };
}"""
LEVELS_FROM = "document.querySelector('#graph-neuromod .js-plotly-plot')._fullLayout.yaxis._offset"
LABEL_BOXES = """() => [...document.querySelectorAll('#graph-neuromod .annotation')].map(n => n.getBoundingClientRect())
    .filter(({width}) => width).map(({top, bottom}) => [top, bottom])"""


@pytest.mark.parametrize("view", ["levels", "gains", "lines"])
def test_events_are_labelled_above_the_levels(fresh, view):
    """In a strip of their own, on the canvas and as traces; none lies on the levels."""
    fresh.evaluate(PLACED)
    fresh.evaluate("view => window.t4dm.app.setView({neuromod_view: view})", view)
    send(fresh, {"type": "set", "path": "lif.beta", "value": 0.25})
    until(fresh, "Object.keys(window.placed).some(text => text.startsWith('beta'))")
    hold(fresh)
    settle(fresh)
    (y,) = {y for text, y in fresh.evaluate("window.placed").items() if text.startswith("beta")}
    begin = fresh.evaluate(LEVELS_FROM)
    assert y + 7.5 <= begin and y - 7.5 >= 6
    fresh.evaluate("window.t4dm.app.pauseView()")
    wait_traces(fresh, "neuromod")
    assert any(fresh.evaluate(EVENT_LABELS, "neuromod"))
    at = fresh.evaluate("document.querySelector('#graph-neuromod').getBoundingClientRect().top")
    assert fresh.evaluate(LEVELS_FROM) == pytest.approx(begin)
    boxes = fresh.evaluate(LABEL_BOXES)
    assert any(top - at < begin and bottom - at <= begin + 2 for top, bottom in boxes)
    send(fresh, {"type": "run"})


def test_an_injection_is_labelled_on_every_time_plot(fresh):
    fresh.evaluate(COLLECT)
    send(fresh, {"type": "inject", "nt": "DA", "level": 0.4})
    until(fresh, "window.written.raster?.includes('DA +0.4')")
    until(fresh, "window.t4dm.drawn('neuromod').injections === 1")
    hold(fresh)
    settle(fresh)
    written = fresh.evaluate("window.written")
    assert "DA +0.4" in written["membrane"]
    assert "DA +0.4" in written["neuromod"]
    fresh.evaluate("window.t4dm.app.pauseView()")
    wait_traces(fresh, "raster", "neuromod")
    told = fresh.evaluate(EVENT_LABELS, "raster")
    assert told and all(told)
    assert all(fresh.evaluate(EVENT_LABELS, "neuromod"))
    send(fresh, {"type": "run"})


def test_a_lane_without_a_record_says_so(board):
    """A neuron chosen while the run stands has no past: its lane is empty, and says why."""
    hold(board)
    lanes = len(drawn(board, "membrane")["neurons"])
    assert drawn(board, "membrane")["unrecorded"] == []
    settle(board)
    assert in_page(board, INKED, 0, lanes) == 0
    board.evaluate("window.t4dm.app.watchNeuron(3 * 256 + 77)")
    until(board, "window.t4dm.drawn('membrane').unrecorded.length === 1")
    assert drawn(board, "membrane")["unrecorded"] == [0]
    settle(board)
    assert in_page(board, INKED, 0, lanes) > 50
    assert in_page(board, INKED, 1, lanes) == 0
    send(board, {"type": "run"})
    until(board, "window.t4dm.drawn('membrane').unrecorded.length === 0")


def test_a_double_click_zooms_out_and_chooses_no_neuron(board):
    board.evaluate("window.t4dm.app.pauseView()")
    wait_traces(board, "raster")
    lo, hi = board.evaluate("(v => [v.t1_ms - v.span_ms, v.t1_ms])(window.t4dm.app.view)")
    zoom = [lo + 0.25 * (hi - lo), lo + 0.5 * (hi - lo)]
    board.evaluate("zoom => window.t4dm.app.setView({zoom})", zoom)
    range_of = (
        "() => document.querySelector('#graph-raster .js-plotly-plot')._fullLayout.xaxis.range"
    )
    until(board, f"lo => Math.abs(({range_of})()[0] - lo) < 1e-6", zoom[0])
    board.locator("#graph-raster .nsewdrag").first.dblclick()
    until(board, f"lo => Math.abs(({range_of})()[0] - lo) < 1e-6", lo)
    board.wait_for_timeout(600)  # a single click chooses its neuron 300 ms later
    assert board.evaluate("window.t4dm.app.view.mode") == "paused"
    assert board.evaluate("window.t4dm.app.view.membrane") == []
