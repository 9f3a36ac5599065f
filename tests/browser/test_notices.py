"""What happened is told: each event once, also at a standstill; what the panels show is named."""

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import remember, send, until, wait_toast

TOLD = "text => document.getElementById('toasts').textContent.split(text).length - 1"
BOTH = [{"type": "inject", "nt": nt, "level": level} for nt, level in (("NE", 0.3), ("ACh", -0.2))]


@pytest.mark.parametrize("state", ["run", "pause"])
def test_two_injections_of_one_step_are_told_as_two(board, state):
    send(board, {"type": state})
    wanted = {"run": "running", "pause": "paused"}[state]
    until(board, "state => window.t4dm.app.meta.state === state", wanted)
    send(board, *BOTH, who=f"lab-{state}")
    wait_toast(board, f"lab-{state} injected NE 0.3")
    wait_toast(board, f"lab-{state} injected ACh -0.2")
    assert board.evaluate(TOLD, f"lab-{state} injected NE") == 1


def test_an_event_that_both_lists_carry_is_emitted_once(board):
    """The pause brings it in the list of pending events, the next steps in the run's record."""
    board.evaluate(
        """() => {
            window.seenNotes = [];
            window.t4dm.app.on('event', e => e.type === 'note' && window.seenNotes.push(e.text));
        }"""
    )
    send(board, {"type": "pause"})
    until(board, "() => window.t4dm.app.meta.state === 'paused'")
    send(board, {"type": "note", "text": "once"}, {"type": "note", "text": "twice"})
    until(board, "() => window.seenNotes.length === 2")
    send(board, {"type": "run"})
    steps = board.evaluate("window.t4dm.stats().sim_step")
    until(board, "n => window.t4dm.stats().sim_step > n + 200", steps)
    assert board.evaluate("window.seenNotes") == ["once", "twice"]


def test_toasts_cover_no_panel(board):
    send(board, *BOTH, {"type": "note", "text": "here"}, who="lab-corner")
    toast = board.locator(".toast").first
    expect(toast).to_be_visible()
    left = board.locator("#toasts").bounding_box()["x"]
    for panel in board.locator("#board .panel").all():
        area = panel.bounding_box()
        assert area["x"] + area["width"] <= left


def test_injections_in_the_window_are_named_in_the_bottom_line(board):
    board.evaluate("window.t4dm.app.setSpan(10_000)")
    send(board, *BOTH)
    strip = board.locator(".strip-changed")
    expect(strip).to_contain_text("NE +0.3 @ ")
    expect(strip).to_contain_text("ACh −0.2 @ ")
    board.evaluate("window.t4dm.app.setSpan(100)")
    expect(strip).not_to_contain_text("ACh −0.2 @ ")


def test_the_topbar_names_the_stimulus_that_its_panel_shows(board):
    """Also after a seek: of the moment drawn, not of the newest event."""
    remember(board, 2500)
    board.evaluate("(a => a.seek(a.meta.held[1] - 1200))(window.t4dm.app)")
    until(
        board,
        """() => {
            const {type, kind, label} = window.t4dm.drawn('stimulus');
            const want = type === 'rest' ? 'rest' : `${kind} ${label ?? ''}`.trim();
            return window.t4dm.app.view.mode === 'rewind'
                && document.getElementById('stimulus-label').textContent === want;
        }""",
    )


def test_a_neuron_is_added_to_the_membranes_and_taken_out_without_the_raster(board):
    head = board.locator("#panel-membrane .panel-tools")
    default = board.evaluate("window.t4dm.drawn('membrane').neurons")
    head.locator('[data-membrane="stage"]').select_option("3")
    number = head.locator('[data-membrane="number"]')
    number.fill("256")
    head.locator('[data-membrane="add"]').click()
    wait_toast(board, "expected a whole number from 0 to 255")
    number.fill("17")
    number.press("Enter")
    until(board, "() => window.t4dm.drawn('membrane').neurons[0] === 3 * 256 + 17")
    until(board, "() => window.t4dm.drawn('membrane').n > 0")
    remove = head.locator('[data-membrane="remove"]')
    remove.focus()
    remove.select_option(str(3 * 256 + 17))
    until(board, "() => !window.t4dm.drawn('membrane').neurons.includes(3 * 256 + 17)")
    remove.select_option("all")
    until(
        board,
        "ids => JSON.stringify(window.t4dm.drawn('membrane').neurons) === JSON.stringify(ids)",
        default,
    )


def test_a_tool_row_stays_inside_its_panel(board):
    panel = board.locator("#panel-membrane").bounding_box()
    tools = board.locator("#panel-membrane .panel-tools").locator("button, select, input")
    for tool in tools.locator("visible=true").all():
        area = tool.bounding_box()
        assert area["x"] + area["width"] <= panel["x"] + panel["width"]
