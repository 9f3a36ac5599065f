"""A real Chromium on the real page; a tab that leaves errors or foreign requests behind fails its test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.one_tab import open_tab
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
def board(browser: Browser, live_app) -> Iterator[Page]:
    """A new tab of 1600 x 1000 with the page live in it."""
    with open_tab(browser, live_app.url, bypass_csp=True) as tab:
        yield tab
