"""Between a desk and a phone: no word is cut, nothing lies over anything else, the board stays."""

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import send, until

WIDTHS = [(768, 1024), (800, 500), (900, 700), (1024, 768), (1181, 800), (1280, 720), (390, 844)]
LAID_OUT = """width => {
    const plot = document.querySelector('#graph-raster .js-plotly-plot');
    return window.innerWidth === width && plot._fullLayout.width === plot.clientWidth;
}"""
TIMELINE = """() => {
    const within = document.getElementById('timeline').getBoundingClientRect();
    const parts = [...document.querySelectorAll('#timeline > *')].filter(node => node.offsetParent);
    return {
        out: parts.map(node => [node.className, node.getBoundingClientRect()])
            .filter(([, r]) => r.left < within.left || r.right > within.right + 0.5).map(([name]) => name),
        badge: document.querySelector('.tl-badge').getBoundingClientRect().height,
        board: document.getElementById('board').getBoundingClientRect().height,
    };
}"""
CUT = """() => [...document.querySelectorAll('#board .panel-head')].flatMap(head => {
    const edge = head.parentElement.getBoundingClientRect().right;
    const ruler = document.createElement('canvas').getContext('2d');
    const short = node => {
        const style = getComputedStyle(node);
        ruler.font = style.font;
        const room = node.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
        return ruler.measureText(node.selectedOptions[0]?.textContent ?? '').width > room + 1;
    };
    const nodes = [...head.querySelectorAll('button, select, input')];
    return nodes.filter(node => node.offsetParent).filter(node => node.getBoundingClientRect().right > edge
            || (node.tagName === 'SELECT' && short(node)))
        .map(node => `${node.title || node.ariaLabel}: ${node.value}`);
})"""

HEADS = """() => [...document.querySelectorAll('#board .panel-head')]
    .filter(head => head.getBoundingClientRect().height > 30).length"""


@pytest.fixture
def stopped(board):
    """A run that a breakpoint has stopped, which the timeline says in a long sentence."""
    rate = {"kind": "rate", "group": 0, "op": "above", "bound": 1.0, "window_ms": 20}
    send(board, {"type": "break_on", **rate})
    until(board, "document.querySelector('.tl-badge').textContent.includes('is above 1 Hz')")
    yield board
    send(board, {"type": "break_off"}, {"type": "run"})


def test_a_long_reason_leaves_the_board_its_place_at_every_width(stopped):
    for width, height in WIDTHS:
        stopped.set_viewport_size({"width": width, "height": height})
        until(stopped, LAID_OUT, width)
        found = stopped.evaluate(TIMELINE)
        assert found["out"] == [], width
        assert found["badge"] < 80, width
        assert found["board"] > 200, width
        assert stopped.evaluate("document.documentElement.scrollWidth") <= width


def test_one_word_of_the_timeline_stands_on_one_line(board):
    for width, height in WIDTHS:
        board.set_viewport_size({"width": width, "height": height})
        until(board, LAID_OUT, width)
        assert board.evaluate(TIMELINE)["badge"] < 30, width


def test_the_tools_of_a_panel_are_whole_and_inside_it(board):
    for width, height in [*WIDTHS, (1600, 1000)]:
        board.set_viewport_size({"width": width, "height": height})
        until(board, LAID_OUT, width)
        assert board.evaluate(CUT) == [], width


def test_every_head_is_one_line_and_what_it_folds_away_is_reached_by_a_button(board):
    for width, height in [*WIDTHS, (1600, 1000)]:
        board.set_viewport_size({"width": width, "height": height})
        until(board, LAID_OUT, width)
        until(board, f"() => ({HEADS})() === 0", patience_s=10)
    board.set_viewport_size({"width": 768, "height": 1024})
    panel = board.locator("#panel-membrane")
    expect(panel.get_by_text("CSV")).to_be_hidden()
    more = panel.get_by_label("More tools of Membranes")
    more.click()
    expect(panel.locator("[data-membrane=remove]")).to_be_in_viewport(ratio=1)
    board.keyboard.press("Escape")
    expect(panel.get_by_text("CSV")).to_be_hidden()
    expect(more).to_be_focused()
    more.click()
    with board.expect_download() as got:
        panel.get_by_text("CSV").click()
    assert got.value.path().read_text().startswith("time_ms,")
    expect(panel.get_by_text("CSV")).to_be_hidden()
    board.set_viewport_size({"width": 1600, "height": 1000})
    expect(panel.get_by_text("CSV")).to_be_visible()


def test_the_system_colours_of_high_contrast_tell_on_from_off(board):
    send(board, {"type": "set", "path": "stdp.enabled", "value": False})
    expect(board.locator('[data-param="stdp.enabled"]')).not_to_be_checked()
    board.emulate_media(forced_colors="active")
    try:
        colours = board.evaluate(
            """() => {
                const ground = node => getComputedStyle(node).backgroundColor;
                const [on, off] = ['neuromod', 'stdp']
                    .map(name => ground(document.querySelector(`[data-param="${name}.enabled"]`)));
                const meter = document.querySelector('.nt-meter');
                return {on, off, fill: ground(meter.firstElementChild), meter: ground(meter)};
            }"""
        )
    finally:
        board.emulate_media(forced_colors="none")
    assert colours["on"] != colours["off"]
    assert colours["fill"] != colours["meter"]
