"""Training, Memory and Brain with a key that may only look: all is shown, every change is off and says why."""

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import until, wait_toast
from tests.browser.run_tab import Sessions
from tests.browser.test_door import REASON, VIEW, locked, log_in  # noqa: F401 - a fixture

SENTENCE = "This key may only look"
DRAWN = "() => Boolean(window.t4dm?.app.params) && window.t4dm.stats?.().frames > 0"
PAGES = {
    "training": (["#run-toggle", "#reset", "#keep-now", "#sample-now", "#delete-this", "#clinic-run",
                  '[data-param="train.clip"]'], [" ", ".", "k"]),
    "arena": (["#run-toggle", "#reset", "#seed", '[data-param="agent.speed"]'], [" ", ".", "m"]),
    "brain": (["#run-toggle", "#brain-text", "#brain-read", "#read-again", '[data-outcome="1"]'],
              [" ", ".", "r"]),
}  # fmt: skip
PATHS = {"training": "/training", "arena": "/memory", "brain": "/brain"}


@pytest.fixture(scope="module")
def names(browser, live_app):
    """A session of each kind, by kind."""
    page = browser.new_page(base_url=live_app.url)
    sessions = Sessions(page)
    made = {
        "training": sessions.begin(),
        "arena": sessions.begin(kind="arena", run=None, params={}),
        "brain": sessions.begin(kind="brain", run=None, params={}),
    }
    yield made
    for name in made.values():
        sessions.request.delete(f"/sessions/{name}")
    page.close()


@pytest.fixture(scope="module")
def guest(browser, locked):  # noqa: F811
    """A tab that is logged in with the view-only key; whatever it logs as an error fails at the end."""
    context = browser.new_context(base_url=locked, viewport={"width": 1600, "height": 1000})
    context.add_init_script("""
        window.toasts = [];
        new MutationObserver(() => {
            const text = document.getElementById('toasts')?.textContent;
            if (text) window.toasts.push(text);
        }).observe(document, {childList: true, subtree: true});
    """)
    page = context.new_page()
    log_in(page, VIEW, "/training")
    expect(page.locator("#logout")).to_be_visible()
    troubles = []
    page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    context.close()
    assert troubles == []


@pytest.mark.parametrize("kind", PAGES)
def test_every_change_is_off_and_says_why(guest, names, kind):
    controls, keys = PAGES[kind]
    guest.goto(f"{PATHS[kind]}?session={names[kind]}")
    until(guest, DRAWN, patience_s=90)
    for selector in controls:
        expect(guest.locator(selector).first).to_be_disabled()
        expect(guest.locator(selector).first).to_have_attribute("title", REASON)
    for key in keys:
        guest.evaluate("window.toasts.length = 0; document.activeElement.blur()")
        guest.keyboard.press(key)
        wait_toast(guest, SENTENCE)
    expect(guest.locator("#snapshot")).to_be_enabled()
    guest.locator("#open-sessions").click()
    expect(guest.locator("#new-create")).to_be_disabled()
    expect(guest.locator(f'[data-delete="{names[kind]}"]')).to_be_disabled()
    guest.keyboard.press("Escape")


def test_a_click_in_the_arena_changes_nothing_and_says_why(guest, names):
    guest.goto(f"/memory?session={names['arena']}")
    until(guest, "() => window.t4dm?.drawn?.('arena')?.rows > 0", patience_s=90)
    guest.locator("#panel-arena .panel-plot").click()
    wait_toast(guest, SENTENCE)
    assert guest.evaluate("window.t4dm.store.events.every(({ type }) => type !== 'put')")


def test_a_change_by_hand_is_403_with_a_sentence(guest, names):
    told = guest.request.post(f"/sessions/{names['brain']}/commands", data={"type": "read"})
    assert told.status == 403 and "change nothing" in told.json()["error"]["message"]
