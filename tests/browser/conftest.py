"""A real Chromium on the real page; a tab that leaves errors or foreign requests behind fails its test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.one_tab import PATIENCE_S, SharedTab, open_tab, reset
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


@pytest.fixture(scope="session")
def shared(browser: Browser, program_started) -> Iterator[SharedTab]:
    """The tab of 1600 x 1000 that the tests share."""
    made = SharedTab(browser, program_started.url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def tab(shared: SharedTab, live_app) -> Iterator[Page]:
    """The shared tab with the page live in it, asleep again after the module."""
    yield shared.awake()
    shared.sleep()
    shared.judge()


@pytest.fixture
def board(tab: Page, shared: SharedTab) -> Iterator[Page]:
    """The shared tab with default parameters and the default view, following a running session."""
    page = shared.awake()
    reset(page)
    yield page
    shared.judge()


@pytest.fixture
def fresh(browser: Browser, shared: SharedTab, live_app) -> Iterator[Page]:
    """A tab of its own, for a test that rewrites parts of the page or counts from its beginning."""
    shared.sleep()
    with open_tab(browser, live_app.url) as page:
        reset(page)
        yield page
