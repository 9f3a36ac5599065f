"""One tab of the live page shared by a module's tests, put back to its defaults between them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

READY = """() => Boolean(window.t4dm?.app.params) && window.t4dm.stats().frames > 2
    && Boolean(document.querySelector('#param-search') && document.querySelector('[data-param]'))"""


@contextmanager
def open_tab(browser: Browser, url: str, bypass_csp: bool = False) -> Iterator[Page]:
    """A tab with the page live in it; an error logged, thrown or a foreign request fails at the end.

    ``bypass_csp`` lets a test use ``wait_for_function``, which needs the eval that the page bars.
    """
    context = browser.new_context(
        base_url=url,
        viewport={"width": 1600, "height": 1000},
        accept_downloads=True,
        bypass_csp=bypass_csp,
    )
    tab = context.new_page()
    tab.set_default_timeout(20_000)
    troubles: list[str] = []
    host = urlsplit(url).netloc
    tab.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    tab.on("pageerror", lambda error: troubles.append(f"thrown: {error}"))
    tab.on("request", lambda r: _note_foreign(r.url, host, troubles))
    wait_for_worker(tab)
    tab.goto("/")
    until(tab, READY, patience_s=60)
    yield tab
    context.close()
    assert troubles == []


def until(page: Page, function: str, arg: Any = None, patience_s: float = 20) -> None:
    """Until a function of the page is true; ``wait_for_function`` would need the eval that CSP bars."""
    for _ in range(int(patience_s / 0.05)):
        if page.evaluate(function, arg):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {function} with {arg}")


def wait_for_worker(tab: Page) -> None:
    """Until the session has a manifest and answers commands."""
    for _ in range(600):
        if tab.request.get("/sessions/default/params").ok:
            return
        tab.wait_for_timeout(200)
    raise AssertionError("the worker never answered")


def send(page: Page, *commands: dict[str, Any], who: str = "script") -> Any:
    """Commands as a script sends them; returns the answer."""
    answer = page.request.post(
        "/sessions/default/commands", data=list(commands), headers={"X-T4DM-Who": who}
    )
    assert answer.ok, answer.text()
    return answer.json()


def params(page: Page) -> Any:
    """The worker's parameters now."""
    return page.request.get("/sessions/default/params").json()


def reset(page: Page) -> None:
    """Default parameters and no breakpoints, running at 1x; no dialog, no filter, a wide window."""
    send(
        page,
        {"type": "replace", "values": {}},
        {"type": "break_off"},
        {"type": "speed", "value": 1.0},
        {"type": "run"},
    )
    page.evaluate(
        """() => {
            document.querySelectorAll('dialog[open]').forEach(dialog => dialog.close());
            document.querySelectorAll('.toast').forEach(toast => toast.remove());
            document.activeElement?.blur();
            for (const select of document.querySelectorAll('.scope-select')) {
                select.value = '';
                select.dispatchEvent(new Event('change'));
            }
            const search = document.getElementById('param-search');
            search.value = '';
            search.dispatchEvent(new Event('input'));
            document.documentElement.dataset.mantineColorScheme = 'light';
            window.t4dm.app.liveView();
        }"""
    )
    page.set_viewport_size({"width": 1600, "height": 1000})
    until(
        page,
        """() => Object.keys(window.t4dm.app.params.non_default).length === 0
            && window.t4dm.app.meta.state === 'running'
            && window.t4dm.app.params.rev === window.t4dm.app.meta.params_rev""",
    )


def _note_foreign(url: str, host: str, troubles: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != host:
        troubles.append(f"foreign request: {url}")
