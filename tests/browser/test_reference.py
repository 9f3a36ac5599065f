"""The page /docs in a browser: its lines of curl ask the server that it was loaded from."""

import shlex
import subprocess

import pytest

from dashboard.api.examples import ADDRESS, EXAMPLES
from tests.browser.one_tab import blank_tab


@pytest.fixture
def lines(browser, live_app):
    """What every line of curl of the page says."""
    with blank_tab(browser, live_app.url) as (page, _):
        page.goto("/docs")
        page.wait_for_function("document.readyState === 'complete'")
        yield page.locator("pre").all_text_contents()


def test_every_line_names_the_address_of_the_page(lines, live_app):
    ours = live_app.url.removeprefix("http://")
    assert ours != ADDRESS
    assert sorted(lines) == sorted(
        example.curl().replace(ADDRESS, ours) for example in EXAMPLES.values()
    )


def test_such_a_line_is_answered(lines):
    (line,) = [line for line in lines if line.endswith("/healthz")]
    done = subprocess.run(shlex.split(line), capture_output=True, text=True, check=True)
    assert '"ok"' in done.stdout
