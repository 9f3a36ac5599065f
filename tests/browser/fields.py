"""The fields of the page's parameters, and what the worker makes of them."""

from typing import Any

from playwright.sync_api import Locator, Page

from tests.browser.one_tab import until


def in_force(page: Page, path: str, value: Any) -> None:
    """Until the worker holds ``value`` (or the path is no override any more, for None)."""
    until(
        page,
        """async ([path, value]) => {
            const answer = await fetch('/sessions/default/params');
            const {values, overrides} = await answer.json();
            return (overrides[path] ?? values[path] ?? null) === value;
        }""",
        [path, value],
    )


def box(page: Page, path: str) -> Locator:
    """The number field of a parameter."""
    return page.locator(f'[data-param="{path}"]')


def message_of(page: Page, path: str) -> Locator:
    """The line below a parameter's field."""
    return page.locator(f'.row:has([data-param="{path}"]) .row-message')


def type_in(page: Page, path: str, text: str) -> None:
    """Type into a parameter's field and press Enter."""
    box(page, path).fill(text)
    box(page, path).press("Enter")
