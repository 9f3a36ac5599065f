"""Inputs beyond 0 to 1: the trace is their true mean, the axis holds it, and a clipped picture says so."""

import numpy as np
import pytest

from tests.browser.one_tab import drawn, figure_of, hold, in_page, numbers, send, settle, until

CLIPPED = "clipped to 0 to 1"
AXIS = "document.querySelector('#graph-stimulus .js-plotly-plot')._fullLayout.yaxis.range"
NUMBERS = "[...document.querySelectorAll('#graph-stimulus .ytick text')].filter(n => n.style.display !== 'none').map(n => n.textContent)"
FOOT = "document.querySelector('#panel-stimulus .panel-foot').textContent"
KINDS = {
    "constant": {"amplitude": -0.5},
    "sine": {"amplitude": 0.3},
    "noise": {"amplitude": 0.0, "noise_std": 0.3},
    "pulse": {"amplitude": 5.0, "period_ms": 100, "pulse_ms": 50},
}


def play(page, kind, **values):
    """Have ``kind`` played alone in the whole window of 300 ms, and hold it."""
    page.evaluate("window.t4dm.app.setSpan(300)")
    values = {f"stimulus.{name}": value for name, value in (values | {"kind": kind}).items()}
    step = send(page, {"type": "replace", "values": values})["step"]
    until(page, "step => window.t4dm.drawn('raster').step0 > step", step)
    hold(page)
    settle(page)


@pytest.mark.parametrize("kind", KINDS)
def test_the_true_mean_is_on_canvas_and_figure(board, kind):
    """Each mean to float32; the axis of the canvas is the figure's."""
    play(board, kind, **KINDS[kind])
    made = figure_of(board, "stimulus")
    mean = numbers(made["data"][0]["y"])
    wanted = {"constant": (-0.5, -0.5), "pulse": (0.0, 5.0), "sine": (0.0, 0.0)}.get(kind)
    if wanted is not None:
        assert (mean.min(), mean.max()) == pytest.approx(wanted, abs=1e-6)
    else:  # 64 inputs with a spread of 0.3: their mean spreads 0.0375, over 300 steps to 10 %
        assert abs(mean.mean()) < 0.01 and np.std(mean) == pytest.approx(0.0375, rel=0.15)
    assert drawn(board, "stimulus")["mean_sum"] == pytest.approx(float(np.sum(mean)), abs=1e-4)
    ends = made["layout"]["yaxis"]["range"]
    assert board.evaluate(AXIS) == pytest.approx(ends)
    assert ends[0] <= mean.min() and mean.max() <= ends[1]
    assert len(board.evaluate(NUMBERS)) == 3, "every number of the axis has room"
    assert CLIPPED in board.evaluate(FOOT)
    assert any(CLIPPED in note["text"] for note in made["layout"]["annotations"])


def test_inputs_within_0_to_1_are_not_said_to_be_clipped(board):
    play(board, "constant", amplitude=0.3)
    assert board.evaluate(AXIS) == pytest.approx([0, 1.02])
    assert CLIPPED not in board.evaluate(FOOT)
    notes = figure_of(board, "stimulus")["layout"]["annotations"]
    assert not any(CLIPPED in note["text"] for note in notes)


def test_a_session_that_tells_no_range_has_the_mean_of_its_picture(board):
    axes = in_page(
        board,
        """const {meanAxis} = await import('/assets/js/marks/stimulus.mjs');
           return a.map(reach => meanAxis(reach).range);""",
        [{"smallest": 0, "largest": 1, "mean": 0}, {"smallest": 0, "largest": 30, "mean": 12.0}],
    )
    assert axes == [[0, 1.02], [0, pytest.approx(20.4)]]
