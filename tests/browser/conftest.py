"""A real Chromium on the real page; a tab that leaves errors or foreign requests behind fails its test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.one_tab import PATIENCE_S, open_tab, reset
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
expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the whole run."""
    path = find_chromium()
    assert path, "no Chromium: run python -m tools.find_chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def tab(browser: Browser, live_app) -> Iterator[Page]:
    """One tab of 1600 x 1000 with the page live in it, for all tests of a module."""
    with open_tab(browser, live_app.url) as page:
        yield page


@pytest.fixture
def board(tab: Page) -> Page:
    """The module's tab with default parameters and the default view, following a running session."""
    reset(tab)
    return tab


@pytest.fixture
def fresh(browser: Browser, live_app) -> Iterator[Page]:
    """A tab of its own, for a test that rewrites parts of the page or counts from its beginning."""
    with open_tab(browser, live_app.url) as page:
        reset(page)
        yield page
