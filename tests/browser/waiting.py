"""Waiting for the page without ``eval``, which its content security policy forbids."""

import time
from typing import Any

from playwright.sync_api import Page


def wait_until(page: Page, expression: str, arg: Any = None, timeout_s: float = 30.0) -> Any:
    """Evaluate ``expression`` in the page until it is true; returns its value.

    Raises AssertionError that quotes the expression after ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        value = page.evaluate(expression, arg)
        if value:
            return value
        assert time.monotonic() < deadline, f"not true within {timeout_s:.0f} s: {expression}"
        page.wait_for_timeout(50)
