"""The door in a browser: logging in, looking with a view-only key, a login that ends, logging out."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import READY, until
from tests.ports import free_port
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
FULL, VIEW = "open-sesame-full", "only-look"
WEB = ["-m", "gunicorn", "-c", "dashboard/gunicorn_conf.py", "dashboard.server:server"]
REASON = re.compile("This key may only look")


@pytest.fixture(scope="module")
def locked(live_app):
    """The address of a second web server in front of the same session, with both keys set."""
    port = free_port()
    env = os.environ | {
        "PORT": str(port),
        "T4DM_HOST": "127.0.0.1",
        "T4DM_API_KEY": FULL,
        "T4DM_VIEW_KEY": VIEW,
        "T4DM_RUN_DIR": str(live_app.run_dir),
        "T4DM_DATA_DIR": str(live_app.data_dir),
    }
    process = subprocess.Popen([sys.executable, *WEB], cwd=ROOT, env=env)
    url = f"http://127.0.0.1:{port}"
    eventually(lambda: answers(url), what="an answer")
    yield url
    process.terminate()
    process.wait(60)


def answers(url):
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=30) as answer:
            return json.load(answer) == {"ok": True}  # no word of a session
    except OSError:
        return False


@pytest.fixture
def stranger(browser, locked):
    """A browser that has not logged in; what its console says of the page's policy is an error."""
    context = browser.new_context(base_url=locked, viewport={"width": 1280, "height": 900})
    context.add_init_script("window.toasts = [];")
    page = context.new_page()
    refused = []
    page.on("console", lambda m: refused.append(m.text) if "Content Security" in m.text else None)
    page.on("pageerror", lambda error: refused.append(str(error)))
    yield page
    context.close()
    assert refused == []


def log_in(page, key, path="/"):
    page.goto(path)
    expect(page.get_by_label("Key")).to_be_focused()
    page.keyboard.type(key)
    page.keyboard.press("Enter")


def live(page):
    """Until the board runs; navigations may come before."""
    expect(page.locator("#state-badge")).to_be_visible()
    until(page, READY)


def test_a_wrong_key_is_told_and_the_right_one_leads_where_one_wanted_to_go(stranger):
    log_in(stranger, "nonsense", "/?session=default")
    expect(stranger.get_by_role("alert")).to_contain_text("not this server's key")
    field = stranger.get_by_label("Key")
    expect(field).to_be_focused()
    assert field.get_attribute("aria-describedby") == "error"
    assert field.input_value() == ""
    stranger.keyboard.type(FULL)
    stranger.keyboard.press("Enter")
    live(stranger)
    assert stranger.url.endswith("/?session=default")
    (cookie,) = stranger.context.cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    assert FULL not in cookie["value"]
    stranger.locator("#logout").click()
    expect(stranger.get_by_label("Key")).to_be_visible()
    assert stranger.context.cookies() == []


def test_a_view_only_key_shows_all_and_changes_nothing(stranger):
    log_in(stranger, VIEW)
    live(stranger)
    for selector in ("#run-toggle", '[data-param="lif.v_thresh"]', '[data-inject="DA"]', "#seed"):
        control = stranger.locator(selector).first
        expect(control).to_be_disabled()
        expect(control).to_have_attribute("title", REASON)
    expect(stranger.locator("#snapshot")).to_be_enabled()
    stranger.keyboard.press(".")
    expect(stranger.locator("#toasts")).to_contain_text(REASON)
    stranger.locator("#open-sets").click()
    expect(stranger.locator('[data-set="save"]')).to_be_disabled()
    answer = stranger.evaluate(
        """async () => {
            const answer = await fetch('/sessions/default/commands',
                {method: 'POST', body: '{"type": "pause"}', headers: {'Content-Type': 'application/json'}});
            return [answer.status, (await answer.json()).error.message];
        }"""
    )
    assert answer[0] == 403 and "change nothing" in answer[1]


def test_a_login_that_ends_while_the_page_is_open_is_told_with_a_link(stranger):
    log_in(stranger, FULL)
    live(stranger)
    expect(stranger.locator("#door-banner")).to_be_hidden()
    (cookie,) = stranger.context.cookies()
    stranger.context.clear_cookies()
    expect(stranger.locator("#door-banner")).to_be_visible()
    expect(stranger.locator("#state-badge")).to_contain_text("LOGGED OUT")
    expect(stranger.locator(".tl-badge")).to_contain_text("your login has ended")
    link = stranger.get_by_role("link", name="Log in again")
    assert link.get_attribute("href") == "/login?next=%2F"
    step = stranger.evaluate("window.t4dm.stats().sim_step")
    stranger.context.add_cookies([cookie])  # as a login in another tab leaves it
    expect(stranger.locator("#door-banner")).to_be_hidden()
    until(stranger, "step => window.t4dm.stats().sim_step > step", step)


def test_a_page_that_is_turned_away_asks_seldom_and_its_console_stays_clean(stranger):
    log_in(stranger, FULL)
    live(stranger)
    troubles, asked = [], []
    stranger.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    stranger.context.clear_cookies()
    expect(stranger.locator("#door-banner")).to_be_visible()
    stranger.on("request", lambda request: asked.append(request.url))
    now = stranger.evaluate("performance.now()")
    until(stranger, "now => performance.now() > now + 5000", now)
    assert 1 <= len(asked) <= 3, asked  # one in two seconds
    stranger.locator("#run-toggle").click()
    expect(stranger.locator("#toasts")).to_contain_text("Your login has ended: log in again.")
    assert troubles == []


@pytest.mark.parametrize("path", ["/", "/training"])
def test_the_banner_of_an_ended_login_covers_nothing_on_a_phone(stranger, path):
    stranger.set_viewport_size({"width": 390, "height": 844})
    log_in(stranger, FULL, path)
    clinic = stranger.locator("#clinic")
    if path == "/":
        live(stranger)
    else:
        clinic.scroll_into_view_if_needed()
        expect(stranger.locator("#clinic-run")).to_be_visible()
    stranger.context.clear_cookies()
    stranger.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # asks at once
    banner = stranger.locator("#door-banner")
    expect(banner).to_be_visible()
    stranger.evaluate("window.scrollTo(0, 0)")
    bars = [stranger.locator(name).bounding_box() for name in ("#pages", "#topbar")]
    box = banner.bounding_box()
    assert all(bar["y"] + bar["height"] <= box["y"] for bar in bars), (bars, box)
    assert stranger.evaluate("document.documentElement.scrollWidth") <= 390
    if path == "/training":
        expect(stranger.locator("#clinic-state")).to_have_text(
            "Your login has ended: log in again."
        )
        expect(stranger.locator("body")).not_to_contain_text("X-API-Key")


def test_another_login_in_another_tab_changes_what_this_one_may_do(stranger):
    log_in(stranger, VIEW)
    live(stranger)
    stranger.evaluate("window.t4dm.app.setSpan(500)")
    run, out = stranger.locator("#run-toggle"), stranger.locator("#logout")
    threshold = stranger.locator('[data-param="lif.v_thresh"]').first
    expect(out).to_have_text("view only")
    for key, may in ((FULL, True), (VIEW, False)):
        stranger.context.request.post("/login", form={"key": key})
        for control in (run, threshold):
            expect(control).to_be_enabled(enabled=may)
        expect(out).to_have_text("" if may else "view only", use_inner_text=True)
        expect(stranger.locator("#toasts")).to_contain_text(
            "with the full key" if may else "with the view-only key"
        )
    expect(run).to_have_attribute("title", REASON)
    assert stranger.evaluate("window.t4dm.app.view.span_ms") == 500  # nothing was loaded anew


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_login_page_fits_a_phone_in_both_themes(browser, locked, scheme):
    context = browser.new_context(
        base_url=locked, viewport={"width": 320, "height": 568}, color_scheme=scheme
    )
    page = context.new_page()
    page.goto("/")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(238, 240, 243)", "dark": "rgb(16, 17, 19)"}[scheme]
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for control in (page.get_by_label("Key"), page.get_by_role("button", name="Log in")):
        assert control.bounding_box()["height"] >= 44
    context.close()


def test_a_page_that_is_linked_from_elsewhere_opens_with_the_login_there_is(stranger, locked):
    """The browser keeps a SameSite=Strict cookie back on a foreign link; the login page asks again."""
    log_in(stranger, FULL, "/memory")
    expect(stranger.locator("#begin")).to_be_visible()
    stranger.route("http://elsewhere.test/*", lambda r: r.fulfill(
        content_type="text/html", body=f'<a href="{locked}/memory">go</a>'))  # fmt: skip
    stranger.goto("http://elsewhere.test/")
    stranger.get_by_text("go").click()
    expect(stranger.locator("#begin")).to_be_visible()
