"""What breaks a run or its picture: a reset, a breakpoint, a hidden tab, a killed worker."""

import os
import signal
import time

from playwright.sync_api import expect

from tests.browser.one_tab import figure_of, send, until


def test_a_reset_is_a_gap_in_the_timeline(fresh):
    expect(fresh.locator(".tl-gap")).to_be_hidden()
    epoch = fresh.evaluate("window.t4dm.drawn('raster').epoch")
    send(fresh, {"type": "reset", "seed": 0})
    until(fresh, "e => window.t4dm.drawn('raster').epoch !== e", epoch)
    until(fresh, "window.t4dm.app.meta.held[1] > 200")
    gap = fresh.locator(".tl-gap")
    expect(gap).to_have_text("reset")
    expect(gap).to_have_attribute("title", "reset at 0.00 s: what was before is another run")
    track = fresh.locator(".tl-track").bounding_box()
    assert track["x"] <= gap.bounding_box()["x"] < track["x"] + 0.2 * track["width"]


def test_a_breakpoint_stands_on_the_time_axis_with_its_reason(board):
    rate = {"type": "break_on", "kind": "rate", "group": 0, "op": "above", "bound": 65}
    try:
        send(board, rate)
        until(board, "window.t4dm.app.meta.state === 'paused' && window.t4dm.app.meta.reason")
        reason = board.evaluate("window.t4dm.app.meta.reason")
        expect(board.locator(".tl-badge")).to_contain_text(reason)
        until(
            board,
            """() => {
                const film = document.querySelector('#panel-rate canvas.film');
                const {data} = film.getContext('2d').getImageData(0, 0, film.width, film.height);
                let alert = 0;
                for (let i = 0; i < data.length; i += 4)
                    if (data[i] === 0xA3 && data[i + 1] === 0x47 && data[i + 2] === 0) alert++;
                return alert > film.height / 4;
            }""",
        )
        figure = figure_of(board, "rate")
        notes = [note["text"] for note in figure["layout"]["annotations"]]
        assert any(note.startswith(f"break: {reason[:30]}") for note in notes), notes
    finally:
        send(board, {"type": "break_off"}, {"type": "run"})


def test_a_hidden_tab_does_not_poll_and_comes_back_with_one_keyframe(board):
    board.evaluate(
        """() => { window.polls = []; const ask = window.plainFetch = window.fetch;
                   window.fetch = (...a) => { if (String(a[0]).includes('/frames')) window.polls.push(a[0]);
                                              return ask(...a); };
                   Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true});
                   window.away = true; document.dispatchEvent(new Event('visibilitychange')); }"""
    )
    polls = board.evaluate("window.polls.length")
    board.wait_for_timeout(500)
    assert board.evaluate("window.polls.length") == polls
    board.evaluate(
        "() => { window.away = false; document.dispatchEvent(new Event('visibilitychange')); }"
    )
    until(board, "n => window.polls.length > n + 2", polls)
    first = board.evaluate("n => window.polls[n]", polls)
    assert "after=" not in first
    assert all("after=" in url for url in board.evaluate("n => window.polls.slice(n + 1)", polls))
    board.evaluate("() => { window.fetch = window.plainFetch; }")


def test_a_killed_worker_is_told_and_the_view_returns(fresh):
    """Kill -9: the badge says so; then a new process, a new epoch, and frames again."""
    pid = fresh.request.get("/healthz").json()["sessions"]["default"]["pid"]
    epoch = fresh.evaluate("window.t4dm.drawn('raster').epoch")
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    expect(fresh.locator(".tl-badge")).to_contain_text("STALE")
    until(
        fresh,
        "e => window.t4dm.app.status === 'live' && window.t4dm.drawn('raster').epoch !== e",
        epoch,
    )
    assert fresh.request.get("/healthz").json()["sessions"]["default"]["pid"] != pid
    expect(fresh.locator(".tl-gap")).to_have_text("restart")
    print(f"live again {time.monotonic() - killed:.1f} s after the kill")


AGES = """() => ['.tl-badge', '#state-badge']
    .map(s => Number(/STALE ([\\d.]+) s/.exec(document.querySelector(s).textContent)?.[1]))"""


def test_the_top_bar_ages_with_the_timeline_and_says_why(board):
    """A server that takes the request and answers nothing."""
    held = []
    board.route("**/frames?*", lambda route: held.append(route))
    until(board, f"() => ({AGES})().every(age => age >= 1.6)")
    timeline, topbar = board.evaluate(AGES)
    assert abs(timeline - topbar) < 0.3  # both are written four times a second
    expect(board.locator("#state-reason")).to_have_text("no answer from the server")
    board.unroute("**/frames?*")  # lets what is held go
    expect(board.locator("#state-badge")).to_contain_text("LIVE")
    expect(board.locator("#state-reason")).to_have_text("")
