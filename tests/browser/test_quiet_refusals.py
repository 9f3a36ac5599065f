"""What only the server can refuse: the page tells it, and the browser's console stays clean.

A test fails where the shared tab's console holds an error (``board``).
"""

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import in_page, until, wait_toast

ASK = """const {command, getSet} = await import('/assets/js/api.mjs');
const {askBytes} = await import('/assets/js/ask.mjs');
const {app} = window.t4dm;
const what = {
    inject: () => command({type: 'inject', nt: 'DA', level: 7}),
    watch: () => command({type: 'watch', neurons: [9999]}),
    file: () => command({type: 'replace', values: {'stimulus.kind': 'file', 'stimulus.file_id': 'gone'}}),
    set: () => getSet('no-such-set'),
    window: () => askBytes(app.url('/window', {from_ms: 1e12, to_ms: 2e12})),
    session: () => askBytes('/sessions/nobody/frames'),
}[a];
try { await what(); return null; }
catch (error) {
    const {field, lo, hi} = error.detail ?? error;
    return {text: error.message, status: error.status, field, lo, hi};
}"""
# The largest threshold that the page takes itself.
KNOWN_BOUND = """bound => {
    window.t4dm.app.params.specs.find(spec => spec.path === 'lif.v_thresh').hi = bound;
}"""


@pytest.mark.parametrize(
    ("what", "status", "field", "text"),
    [
        ("inject", 422, "level", "1"),
        ("watch", 422, "neurons", "ids are 0 to"),
        ("file", 422, "stimulus.file_id", "gone"),
        ("set", 404, "name", "no-such-set"),
        ("window", 416, "from_ms", "are held"),
        ("session", 404, "session", "no such session"),
    ],
)
def test_a_refusal_by_the_server_leaves_the_console_clean(board, what, status, field, text):
    told = in_page(board, ASK, what)
    assert told["status"] == status
    assert told["field"] == field
    assert text in f"{told['text']} {told['lo']} {told['hi']}"


def test_the_page_shows_field_and_range_of_such_a_refusal(board):
    """The value passes the page's own check of the base parameter; only the server knows the range."""
    board.evaluate(KNOWN_BOUND, 50)
    box = board.locator('input[data-param="lif.v_thresh"]')
    box.fill("20")
    box.press("Enter")
    row = board.locator(".row", has=box)
    expect(row.locator(".row-message")).to_contain_text("0.05 to 10")
    assert box.get_attribute("aria-invalid") == "true"
    board.evaluate(KNOWN_BOUND, 10)
    box.press("Escape")


def test_a_view_that_the_session_has_not_falls_back_quietly(board):
    board.evaluate("window.t4dm.app.setRows('stage:99')")
    wait_toast(board, "Back to the default view.")
    until(board, "window.t4dm.app.view.rows === 'spread:200' && window.t4dm.app.status === 'live'")


def test_history_that_is_gone_is_told_not_logged(board):
    """A rewind to what the record no longer holds."""
    board.evaluate("window.t4dm.app.setView({mode: 'rewind', t1_ms: 1e9})")
    wait_toast(board, "not held; the view has moved on")
