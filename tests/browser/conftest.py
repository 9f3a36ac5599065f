"""A real Chromium on the real page; a test that leaves errors or foreign requests behind fails."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.waiting import wait_until
from tools.find_chromium import find_chromium

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the whole run."""
    path = find_chromium()
    assert path, "no Chromium: run python -m tools.find_chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, live_app) -> Iterator[Page]:
    """An empty tab of 1600 x 1000 whose base is the live program.

    Fails the test at its end if the page logged an error, threw, or asked another host.
    """
    context = browser.new_context(
        base_url=live_app.url, viewport={"width": 1600, "height": 1000}, accept_downloads=True
    )
    tab = context.new_page()
    tab.set_default_timeout(20_000)
    troubles: list[str] = []
    host = urlsplit(live_app.url).netloc
    tab.on(
        "console", lambda m: troubles.append(f"console: {m.text}") if m.type == "error" else None
    )
    tab.on("pageerror", lambda error: troubles.append(f"thrown: {error}"))
    tab.on("request", lambda r: _note_foreign(r.url, host, troubles))
    yield tab
    context.close()
    assert troubles == []


@pytest.fixture
def board(page: Page) -> Page:
    """The page opened and live: frames arrive."""
    page.goto("/")
    wait_until(page, "Boolean(window.t4dm) && window.t4dm.stats().frames > 2")
    return page


def _note_foreign(url: str, host: str, troubles: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != host:
        troubles.append(f"foreign request: {url}")
