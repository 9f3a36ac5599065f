"""What is refused: numbers before they are sent, a view that the session has not, long reasons."""

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import until, wait_toast

SEND = """async message => {
    const {command} = await import('/assets/js/api.mjs');
    try { await command(message); return null; }
    catch (error) { return {text: error.message, field: error.field, lo: error.lo, hi: error.hi}; }
}"""


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("stdp.tau_plus", 1e9, "a number from 1 to 200 ms"),
        ("lif.v_thresh", -1, "a number from 0.05 to 10"),
        ("blocks.2.lif_in.v_thresh", 11, "a number from 0.05 to 10"),
        ("stdp.window_pre_to_post", 2.5, "a whole number from"),
        ("stdp.enabled", 1, "true or false"),
        ("stimulus.kind", "music", "one of digits"),
    ],
)
def test_what_the_spec_refuses_is_never_sent(board, path, value, expected):
    sent = []
    note = lambda request: sent.append(request.url) if request.method == "POST" else None
    board.on("request", note)
    for message in (
        {"type": "set", "path": path, "value": value},
        {"type": "replace", "values": {path: value}},
    ):
        told = board.evaluate(SEND, message)
        assert told["field"] == path
        assert told["text"].startswith(f"{path}: expected {expected}")
    board.remove_listener("request", note)
    assert sent == []


@pytest.mark.parametrize(
    ("kind", "field", "text", "told"),
    [
        ("spike", "#break-neuron", "99999", "Neuron id: expected a whole number from 0 to 3327"),
        ("rate", "#break-window", "0", "Over (ms): expected a whole number from 1 to 10000 ms"),
        ("rate", "#break-bound", "", "expected a number from 0 to 1000 Hz per neuron, got nothing"),
        ("rate", "#break-bound", "NaN", "expected a number from 0 to 1000 Hz per neuron, got NaN"),
        ("membrane", "#break-bound", "1e999", "expected a number from -1000 to 1000 u, got 1e999"),
        (
            "weight",
            "#break-bound",
            "abc",
            "expected a number from 0 to 1 share at w_max, got abc",
        ),
    ],
)
def test_a_breakpoint_out_of_range_names_field_and_range(board, kind, field, text, told):
    group = board.locator('.group[data-group="breakpoints"]')
    group.evaluate("node => { node.open = true; }")
    board.locator("#break-kind").select_option(kind)
    before = board.locator(field).input_value()
    board.locator(field).fill(text)
    board.locator("#break-add").click()
    expect(group.locator(".row-message")).to_contain_text(told)
    expect(group.locator(".break-list li")).to_have_count(0)
    board.locator(field).fill(before)
    board.locator("#break-kind").select_option("rate")


def test_a_view_that_is_refused_falls_back_to_the_default(board):
    """Once asked, once refused: the default view comes back, and the page says why."""
    asked = []
    note = lambda r: asked.append(r.url) if "stage%3A99" in r.url else None
    board.on("request", note)
    board.evaluate("window.t4dm.app.setRows('stage:99')")
    wait_toast(board, "got 99. Back to the default view.")
    assert board.evaluate("window.t4dm.app.view.rows") == "spread:200"
    frames = board.evaluate("window.t4dm.stats().frames")
    until(board, "n => window.t4dm.stats().frames > n + 10", frames)
    assert board.evaluate("window.t4dm.app.status") == "live"
    board.remove_listener("request", note)
    assert len(asked) == 1


LONG = "rate of block 0 LIF in over 100 ms: " + "word " * 50


def test_a_long_reason_leaves_the_bar_in_one_line(board):
    """Cut short in the bar, whole in its title and on the timeline."""
    bar = "document.getElementById('topbar')"
    plain = board.evaluate(f"{bar}.offsetHeight")
    found = board.evaluate(
        f"""reason => {{
            const {{app}} = window.t4dm, before = {{...app.meta}};
            Object.assign(app.meta, {{state: 'paused', reason}});
            app.emit('status', app.status);
            const node = document.getElementById("state-reason");
            const found = {{height: {bar}.offsetHeight, title: node.title,
                wide: {bar}.scrollWidth <= {bar}.clientWidth, shown: node.clientWidth,
                line: document.querySelector('.tl-badge').textContent,
                tools: document.querySelector('.tools').getBoundingClientRect().right}};
            Object.assign(app.meta, before);
            app.emit('status', app.status);
            return found;
        }}""",
        LONG,
    )
    assert found["height"] == plain
    assert found["wide"] and found["tools"] <= 1600
    assert found["shown"] > 60
    assert found["title"] == LONG
    assert LONG.strip() in found["line"]


def test_the_seeds_message_does_not_move_the_bar(board):
    plain = board.evaluate("document.getElementById('topbar').offsetHeight")
    board.locator("#seed").fill("many")
    board.locator("#seed").press("Enter")
    expect(board.locator(".bar-message")).to_contain_text("whole number from 0 to 2147483647")
    assert board.evaluate("document.getElementById('topbar').offsetHeight") == plain
    board.locator("#seed").press("Escape")
