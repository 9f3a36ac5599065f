"""One session, many hands: two tabs, scripts, named sets, links, Python and curl."""

import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.fields import box, in_force
from tests.browser.one_tab import READY, params, send, until, wait_toast, wait_traces


def test_a_change_from_elsewhere_shows_and_spares_the_field_being_typed_in(board):
    field = box(board, "lif.v_thresh")
    field.fill("1.7")
    send(
        board,
        {"type": "set", "path": "lif.v_thresh", "value": 1.3},
        {"type": "set", "path": "lif.beta", "value": 0.5},
        who="lab-script",
    )
    expect(box(board, "lif.beta")).to_have_value("0.5")
    wait_toast(board, "lab-script set lif.beta: 1 → 0.5")
    expect(field).to_have_value("1.7")
    field.press("Escape")
    expect(field).to_have_value("1.3")


def test_two_tabs_stay_in_step(board):
    other = board.context.new_page()
    other.goto("/")
    expect(box(other, "lif.alpha")).to_have_value("0.9")
    box(board, "lif.alpha").fill("0.85")
    box(board, "lif.alpha").press("Enter")
    other.bring_to_front()
    expect(box(other, "lif.alpha")).to_have_value("0.85")
    who = board.evaluate("window.t4dm.app.who")
    wait_toast(other, f"{who} set lif.alpha: 0.9 → 0.85")
    assert not any("set lif.alpha" in toast for toast in board.evaluate("window.toasts"))
    assert other.evaluate("window.t4dm.app.who") != who
    other.close()


def test_a_tab_is_told_who_changed_speed_and_breakpoints(board):
    """In one sentence each, with the values; the tab that did it is told nothing."""
    other = board.context.new_page()
    other.goto("/")
    until(other, READY)
    who = board.evaluate("window.t4dm.app.who")
    rate = {"type": "break_on", "kind": "rate", "group": 1, "op": "above", "bound": 900}
    id = None
    for command, told in (
        ({"type": "speed", "value": 2.0}, "set the speed: 1x → 2x"),
        ({"type": "speed", "value": "max"}, "set the speed: 2x → max"),
        (rate, "set breakpoint {}: block 0 LIF out rate above 900 Hz over 100 ms"),
        ({"type": "break_off"}, "removed breakpoint {}: block 0 LIF out rate above 900 Hz"),
    ):
        answer = send(board, command, who=who)
        id = answer["results"][0]["new"] if command["type"] == "break_on" else id
        wait_toast(other, f"{who} {told.format(id)}")
    assert not any(who in toast for toast in board.evaluate("window.toasts"))
    texts = "[...document.querySelectorAll('#graph-rate .annotation')].map(n => n.textContent)"
    board.evaluate("window.t4dm.app.pauseView()")
    wait_traces(board, "rate")
    assert not any("speed" in text or "breakpoint" in text for text in board.evaluate(texts))
    other.close()


def test_sets_are_saved_previewed_loaded_and_deleted(board):
    box(board, "lif.v_thresh").fill("1.4")
    box(board, "lif.v_thresh").press("Enter")
    in_force(board, "lif.v_thresh", 1.4)
    board.locator("#open-sets").click()
    board.locator("#set-name").fill("high-one")
    board.locator('[data-set="save"]').click()
    line = board.locator('.set-list li[data-name="high-one"]')
    expect(line).to_be_visible()
    send(board, {"type": "replace", "values": {"stdp.mu": 0.3}})
    expect(box(board, "stdp.mu")).to_have_value("0.3")
    line.locator('[data-set="load"]').click()
    table = board.locator(".change-table")
    expect(table).to_contain_text("lif.v_thresh")
    expect(table).to_contain_text("stdp.mu")
    assert params(board)["values"]["stdp.mu"] == 0.3
    board.locator('[data-action="apply"]').click()
    in_force(board, "lif.v_thresh", 1.4)
    in_force(board, "stdp.mu", 0)
    line.locator('[data-set="delete"]').click()
    board.locator('[data-action="delete"]').click()
    expect(line).to_have_count(0)


def test_a_bad_set_name_is_explained(board):
    board.locator("#open-sets").click()
    board.locator("#set-name").fill("../etc")
    board.locator('[data-set="save"]').click()
    expect(board.locator("#sets-dialog .row-message")).to_contain_text("letters, digits")


def test_a_link_carries_the_set_and_asks_first(board):
    link = board.evaluate(
        """async () => (await import('/assets/js/share.mjs'))
            .asLink(location.href, {'lif.v_thresh': 1.6, 'stimulus.text': 'naïve <b>'}, null)"""
    )
    board.goto("about:blank")
    board.goto(link)
    dialog = board.locator("dialog[open]")
    expect(dialog).to_contain_text("lif.v_thresh")
    expect(dialog).to_contain_text("naïve <b>")
    assert params(board)["values"]["lif.v_thresh"] == 1
    dialog.locator('[data-action="apply"]').click()
    in_force(board, "lif.v_thresh", 1.6)
    assert "#set=" not in board.url


@pytest.mark.parametrize("fragment", ["#set=!!!", "#set=AAAA", "#set=eyJ2YWx1ZXMiOjF9"])
def test_a_damaged_link_is_refused(board, fragment):
    board.goto("about:blank")
    board.goto(f"/{fragment}")
    wait_toast(board, "The link cannot be used")


def test_python_and_curl_do_what_the_set_does(board):
    """The copied Python, run as a script would run it, sets the very values."""
    values = {"lif.v_thresh": 1.15, "stdp.enabled": False, "stimulus.text": 'it\'s "q" é'}
    url = board.evaluate("location.origin")
    python, curl = board.evaluate(
        """async ([values, url]) => {
            const share = await import('/assets/js/share.mjs');
            return [share.asPython(url, 'default', values), share.asCurl(url, 'default', values)];
        }""",
        [values, url],
    )
    subprocess.run([sys.executable, "-c", python], check=True, capture_output=True)
    assert params(board)["non_default"] == values
    assert "'\\''" in curl and f"{url}/sessions/default/commands" in curl
