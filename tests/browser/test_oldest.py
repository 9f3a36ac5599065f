"""The oldest end of what is held, which the run drops while it goes on."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import (
    PANELS,
    drawn,
    in_page,
    remember,
    send,
    settle,
    until,
    wait_toast,
    wait_traces,
)

VIEW = "window.t4dm.app.view"
FAR_LEFT = """const {app} = window.t4dm, held = app.meta.held, epoch = app.meta.epoch;
const say = more => { app.meta = {...app.meta, ...more}; app.emit('frame', app.meta); };
const ends = [];
for (const [state, ratio, at] of a) {
    say({held: [0, 120_000], epoch: -1});
    say({held: [at, at + 120_000], epoch: -1, state, ratio});
    app.seek(0);
    ends.push(app.view.t1_ms - app.view.span_ms - at);
}
say({held, epoch, state: 'running', ratio: 1});
app.liveView();
return ends;"""


def test_the_far_left_keeps_off_what_goes_next(board):
    """Simulated ms between the oldest step held and the window; more of them where the run is faster."""
    told = [["running", 1, 0], ["running", 1, 5000], ["running", 8, 5000], ["paused", 1, 5000]]
    assert in_page(board, FAR_LEFT, told) == [0, 5000, 26_000, 0]


def test_the_slider_begins_where_the_far_left_is(board):
    remember(board, 3200)
    board.evaluate(
        """() => {
            const slider = document.querySelector('.tl-slider');
            slider.value = slider.min;
            slider.dispatchEvent(new Event('input', {bubbles: true}));
        }"""
    )
    until(board, f"{VIEW}.mode === 'rewind'")
    first = float(board.locator(".tl-slider").get_attribute("min") or "nan")
    assert board.evaluate(f"{VIEW}.t1_ms") == pytest.approx(first, abs=300)


@pytest.fixture
def dropped(board):
    """A tab whose server has dropped what was before ``dropped["before"]`` ms, and says so."""
    found = {"page": board, "before": 0.0, "refused": 0}

    def answer(route):
        query = parse_qs(urlsplit(route.request.url).query)
        if float(query["from_ms"][0]) >= found["before"]:
            route.continue_()
            return
        found["refused"] += 1
        lo, hi = found["before"], found["hi"]
        error = {"code": "not_held", "field": "from_ms", "lo": lo, "hi": hi, "unit": "ms",
                 "message": f"only {lo} to {hi} ms are held"}  # fmt: skip
        route.fulfill(json={"ok": False, "status": 416, "error": error})

    for path in ("**/panels/*.json*", "**/window?*"):
        board.route(path, answer)
    yield found
    board.unroute_all(behavior="ignoreErrors")


def test_a_window_dropped_meanwhile_moves_on_to_what_is_held_and_says_it_once(dropped):
    page = dropped["page"]
    remember(page, 3500)
    lo, hi = page.evaluate("window.t4dm.app.meta.held")
    dropped |= {"before": hi - 2000, "hi": hi}
    page.evaluate("t => window.t4dm.app.seek(t)", hi - 2300)
    until(page, f"{VIEW}.t1_ms - {VIEW}.span_ms >= {hi - 2000}")
    wait_traces(page, *PANELS)
    assert dropped["refused"] > 0
    assert drawn(page, "raster")["t0_ms"] >= hi - 2000 > lo
    wait_toast(page, "not held; the view has moved on")
    last = page.evaluate("window.toasts.at(-1)")
    assert last.count("moved on") == 1
    assert "are held" not in " ".join(page.evaluate("window.toasts"))


@pytest.fixture
def busy(board):
    """A tab whose server makes no figure."""
    error = {"code": "busy", "message": "the session is busy"}
    refusal = {"ok": False, "status": 503, "error": error}
    board.route("**/panels/*.json*", lambda route: route.fulfill(json=refusal))
    yield board
    board.unroute_all(behavior="ignoreErrors")


def test_panels_refused_for_one_reason_are_named_in_one_message(busy):
    busy.evaluate("window.t4dm.app.pauseView()")
    toast = busy.locator("#toasts .toast", has_text="the session is busy")
    expect(toast).to_have_count(1)
    for slug in PANELS:
        expect(toast).to_contain_text(slug)


DROP = """before => {
    const {app} = window.t4dm;
    app.off('frame', window.dropping);
    window.dropping = () => { app.meta.held = [before, app.meta.held[1]]; };
    if (before !== null) app.on('frame', window.dropping);
}"""
BADGE = "text => document.querySelector('.tl-badge').textContent.endsWith(text)"
ASKING = """() => [...document.querySelectorAll('#panel-rate .tool-asks')]
    .map(node => [node.textContent, node.disabled, node.title.split(' · ')[1] ?? ''])"""
KEPT = "(({ticks, first_step, t1_ms}) => [ticks, first_step, t1_ms])(window.t4dm.drawn('raster'))"


@pytest.fixture
def paused(board):
    """A paused view with its traces, while the run goes on; what a test had dropped is held again."""
    remember(board, 1500)
    board.evaluate("window.t4dm.app.pauseView()")
    wait_traces(board, *PANELS)
    yield board
    board.evaluate(DROP, None)


def test_a_view_that_is_no_longer_held_says_so_keeps_its_picture_and_offers_no_file(paused):
    until(paused, BADGE, " s")
    kept, end = paused.evaluate(KEPT), paused.evaluate(f"{VIEW}.t1_ms")
    paused.evaluate(DROP, end + 1)
    until(paused, BADGE, "no longer held", patience_s=10)
    why = "this window is no longer held: its pictures stay, CSV, NPZ and table cannot be made"
    assert paused.evaluate(ASKING) == [[kind, True, why] for kind in ("Table", "CSV", "NPZ")]
    expect(paused.locator("#state-reason")).to_have_text(why)
    for change in ("document.documentElement.dataset.mantineColorScheme = 'dark'",
                   "window.t4dm.app.setView({order: 'rate'})"):  # fmt: skip
        paused.evaluate(change)
        until(paused, "window.t4dm.drawn('raster').live")
        settle(paused)
        assert paused.evaluate(KEPT) == kept
    assert paused.evaluate(f"[{VIEW}.mode, {VIEW}.t1_ms]") == ["paused", end]
    paused.evaluate("window.t4dm.app.liveView()")
    until(paused, f"() => ({ASKING})().every(([, off]) => !off)")


def test_a_view_that_is_held_in_part_says_from_when(paused):
    until(paused, BADGE, " s")
    end = paused.evaluate(f"{VIEW}.t1_ms")
    paused.evaluate(DROP, end - 400)
    until(paused, BADGE, "part no longer held", patience_s=10)
    why = f"this window is held from {(end - 400) / 1000:.1f} s on: CSV, NPZ and table lack what was before"
    assert paused.evaluate(ASKING) == [[kind, False, why] for kind in ("Table", "CSV", "NPZ")]


def test_no_file_of_another_run_is_offered_after_a_reset(paused):
    send(paused, {"type": "reset"})
    until(paused, BADGE, "of a run before this one", patience_s=10)
    assert [off for _, off, _ in paused.evaluate(ASKING)] == [True, True, True]
