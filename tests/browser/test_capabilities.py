"""What a session cannot do, by its manifest, is greyed on the page and says why."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import wait_toast

MANIFEST = re.compile(r"/sessions/default$")
LACKING = {"step", "seed", "rewind", "breakpoints", "speed"}
REFUSED_COMMANDS = {"set", "inject"}
GREYED = {
    '[data-step="10"]': "This session cannot step.",
    "#seed": "This session cannot take a seed.",
    "#speed": "This session cannot change its speed.",
    ".tl-slider": "This session cannot be rewound.",
    "#break-add": "This session cannot take breakpoints.",
    '[data-inject="DA"]': "This session cannot take injections.",
    '[data-param="lif.v_thresh"]': "This session cannot change parameters.",
}


@pytest.fixture
def poorer(board):
    """The page with a manifest that offers less; the whole one again at the end."""

    def thin(route):
        answer = route.fetch()
        manifest = answer.json()
        for name, gone in (("capabilities", LACKING), ("commands", REFUSED_COMMANDS)):
            manifest[name] = [item for item in manifest[name] if item not in gone]
        route.fulfill(response=answer, json=manifest)

    board.route(MANIFEST, thin)
    board.evaluate("window.t4dm.app.refreshManifest()")
    yield board
    board.unroute(MANIFEST)
    board.evaluate("window.t4dm.app.refreshManifest()")


def test_what_it_cannot_do_is_greyed_with_the_reason_and_comes_back(poorer):
    for selector, reason in GREYED.items():
        expect(poorer.locator(selector)).to_be_disabled()
        expect(poorer.locator(selector)).to_have_attribute("title", reason)
    for selector in ("#run-toggle", "#reset", "#snapshot", '[data-reward="given"]'):
        expect(poorer.locator(selector)).to_be_enabled()
    poorer.unroute(MANIFEST)
    poorer.evaluate("window.t4dm.app.refreshManifest()")
    for selector, reason in GREYED.items():
        expect(poorer.locator(selector)).to_be_enabled()
        assert poorer.locator(selector).get_attribute("title") != reason


def test_a_key_for_it_says_why_and_sends_nothing(poorer):
    sent = []
    poorer.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    poorer.keyboard.press(".")
    wait_toast(poorer, "This session cannot step.")
    assert sent == []
