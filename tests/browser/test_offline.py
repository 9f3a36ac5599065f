"""Without a network: the picture is made all the same, and what cannot be read is said once."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.one_tab import blank_tab, go_live, send, until, wait_toast
from tests.browser.test_snapshot import embedded, take

ABSENT = "net::ERR_INTERNET_DISCONNECTED"


@pytest.fixture
def alone(browser: Browser, live_app) -> Iterator[Page]:
    """A tab with a changed parameter that then loses its network; the failures are its due troubles."""
    with blank_tab(browser, live_app.url) as (page, troubles):
        go_live(page)
        send(page, {"type": "set", "path": "lif.v_thresh", "value": 1.2})
        until(page, "() => window.t4dm.app.params.values['lif.v_thresh'] === 1.2")
        page.context.set_offline(True)
        yield page
        page.context.set_offline(False)
        assert all(ABSENT in trouble for trouble in troubles), troubles
        troubles.clear()


def test_a_snapshot_is_taken_without_a_network(alone):
    found = embedded(take(alone, "taken offline"))
    assert found["parameters"] == {"lif.v_thresh": 1.2} and found["note"] == "taken offline"
    assert found["config_digest"] and found["t_ms"] > 0
    expect(alone.locator("#toasts .toast-error")).to_have_count(0)


def test_a_snapshot_does_not_wait_for_a_server_that_hangs(board):
    board.route("**/sessions/default/params", lambda route: None)
    try:
        assert "seed" in embedded(take(board))
    finally:
        board.unroute("**/sessions/default/params")


def test_a_pause_without_a_network_is_told_in_one_sentence(alone):
    alone.evaluate("window.t4dm.app.pauseView()")
    wait_toast(alone, "The server does not answer; what is on the page stays.")
    alone.wait_for_timeout(1000)
    expect(alone.locator("#toasts .toast")).to_have_count(1)
    assert "Failed to fetch" not in json.dumps(alone.evaluate("window.toasts"))


def test_only_what_changes_something_may_not_have_arrived(alone):
    messages = alone.evaluate(
        """async () => {
            const {request} = await import('/assets/js/api.mjs');
            const told = (method, body) => request(method, '/sets', body).catch(error => error.message);
            return [await told('GET'), await told('PUT', {})];
        }"""
    )
    assert messages == [
        "The server does not answer.",
        "The server does not answer; the change may not have arrived.",
    ]
