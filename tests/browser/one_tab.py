"""One tab of the live page shared by the tests, put back to its defaults between them."""

import base64
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from playwright.sync_api import Browser, Page, ViewportSize

from tests.waiting import eventually

SIZE: ViewportSize = {"width": 1600, "height": 1000}
PATIENCE_S = 120.0  # of a slow and busy machine; what is there is seen at once
READY = """() => Boolean(window.t4dm?.app.params) && window.t4dm.stats().frames > 2
    && Boolean(document.querySelector('#param-search') && document.querySelector('[data-param]'))"""


@contextmanager
def blank_tab(browser: Browser, url: str) -> Iterator[tuple[Page, list[str]]]:
    """A tab that has asked for nothing yet, and the list of its troubles, which must stay empty.

    A trouble is an error that it logs or throws, or a request to another host than that of ``url``.
    """
    context = browser.new_context(base_url=url, viewport=SIZE, accept_downloads=True)
    context.add_init_script(KEEP_TOASTS)
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_S * 1000)
    troubles: list[str] = []
    host = urlsplit(url).netloc
    tab.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    tab.on("pageerror", lambda error: troubles.append(f"thrown: {error}"))
    tab.on("request", lambda r: note_foreign(r.url, host, troubles))
    yield tab, troubles
    context.close()
    assert troubles == [], troubles


@contextmanager
def open_tab(browser: Browser, url: str) -> Iterator[Page]:
    """A tab with the page live in it; troubles fail at the end."""
    with blank_tab(browser, url) as (tab, _):
        go_live(tab)
        yield tab


def go_live(tab: Page) -> None:
    """Load the page, its session running with default parameters, and wait until it draws."""
    wait_for_worker(tab)
    send(tab, *DEFAULTS)
    tab.goto("/")
    until(tab, READY)


class SharedTab:
    """A tab for all tests that may share one: loading the page is what takes a test's time.

    It is opened when first asked for.  While others work it sleeps, as a tab out of sight does.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self._where, self._open = (browser, url), ExitStack()
        self._page: Page | None = None
        self._troubles: list[str] = []

    def awake(self) -> Page:
        """The tab with the page in it, in sight."""
        if self._page is None:
            self._page, self._troubles = self._open.enter_context(blank_tab(*self._where))
        if self._page.evaluate("Boolean(window.t4dm)"):
            self._page.evaluate(IN_SIGHT, True)
            until(self._page, READY)
        else:
            go_live(self._page)
        return self._page

    def sleep(self) -> None:
        if self._page is not None:
            self._page.evaluate(IN_SIGHT, False)

    def judge(self) -> None:
        """AssertionError with the troubles since the last time."""
        found = self._troubles.copy()
        self._troubles.clear()
        assert found == []

    def close(self) -> None:
        self._open.close()


IN_SIGHT = """seen => {
    Object.defineProperty(document, 'hidden', {get: () => !seen, configurable: true});
    document.dispatchEvent(new Event('visibilitychange'));
}"""


def until(page: Page, function: str, arg: Any = None, patience_s: float = PATIENCE_S) -> None:
    """Until a function of the page is true; ``wait_for_function`` would need the eval that CSP bars."""
    end, pause_ms = time.monotonic() + patience_s, 5.0
    while not page.evaluate(function, arg):
        assert time.monotonic() < end, f"not true within {patience_s:g} s: {function} with {arg}"
        page.wait_for_timeout(pause_ms)
        pause_ms = min(50.0, 1.5 * pause_ms)


def wait_toast(page: Page, text: str) -> None:
    """Until the page has told ``text`` since the last reset or load; toasts themselves soon go."""
    until(page, "text => window.toasts.some(toast => toast.includes(text))", text)


KEEP_TOASTS = """
window.toasts = [];
new MutationObserver(() => {
    const text = document.getElementById('toasts')?.textContent;
    if (text && text !== window.toasts.at(-1)) window.toasts.push(text);
}).observe(document, {childList: true, subtree: true, characterData: true});
"""


def in_page(page: Page, body: str, *args: Any) -> Any:
    """The value of an async function ``body`` in the page; ``args`` are its ``a``, ``b``, …"""
    names = ",".join("abcdefg"[: len(args)])
    return page.evaluate(f"async ([{names}]) => {{ {body} }}", list(args))


def hold(page: Page) -> Any:
    """Pause the run and wait until every panel shows its last step; returns the raster's ``drawn``."""
    step = send(page, {"type": "pause"})["step"]
    until(page, ALL_SHOW, step)
    return drawn(page, "raster")


def settle(page: Page) -> None:
    """Until a standing run was drawn with its labels, which follow at most 250 ms later."""
    now = page.evaluate("performance.now()")
    until(page, "now => window.t4dm.app.scene().now > now + 250", now)


def remember(page: Page, ms: int) -> None:
    """Until more than ``ms`` of simulated time are held, faster than real time; then 1x again."""
    send(page, {"type": "speed", "value": 8.0})
    until(page, "ms => (m => m.held && m.held[1] - m.held[0] > ms)(window.t4dm.app.meta)", ms)
    send(page, {"type": "speed", "value": 1.0})


ALL_SHOW = """step => [...document.querySelectorAll('#board section.panel[data-slug]')]
    .every(({dataset}) => window.t4dm.drawn(dataset.slug)?.step1 === step)"""


def drawn(page: Page, slug: str) -> Any:
    """What the canvas of a panel shows now."""
    return page.evaluate("slug => window.t4dm.drawn(slug)", slug)


def figure_of(page: Page, slug: str) -> Any:
    """The Plotly figure of a panel's window in view, as the server makes it."""
    return page.evaluate("slug => window.t4dm.app.panelFigure(slug)", slug)


def numbers(typed: Any) -> np.ndarray:
    """The values of an array in a Plotly figure: a list, or base64 with its dtype."""
    if isinstance(typed, list):
        return np.asarray(typed)
    return np.frombuffer(base64.b64decode(typed["bdata"]), typed["dtype"])


def wait_traces(page: Page, *slugs: str) -> None:
    """Until these panels show Plotly traces instead of the canvas."""
    until(page, "slugs => slugs.every(s => window.t4dm.drawn(s).live === false)", list(slugs))
    assert all(page.evaluate(TRACES, slug) for slug in slugs)


TRACES = "slug => document.querySelector(`#graph-${slug} .js-plotly-plot`).data.length"
PANELS = ["raster", "membrane", "neuromod", "weights", "gate", "rate", "stdp", "stimulus"]


DEFAULTS: tuple[dict[str, Any], ...] = (
    {"type": "replace", "values": {}},
    {"type": "break_off"},
    {"type": "speed", "value": 1.0},
    {"type": "run"},
)


def wait_for_worker(tab: Page) -> None:
    """Until the session has a manifest and answers commands."""
    eventually(lambda: tab.request.get("/sessions/default/params").ok, "an answer of the worker")


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
    """Default parameters and view, no breakpoints, running at 1x; no dialog, no filter, a wide window."""
    until(page, READY)  # where the test before has loaded the page anew
    send(page, *DEFAULTS)
    if page.viewport_size != SIZE:
        page.set_viewport_size(SIZE)
    page.mouse.move(1, 999)
    page.evaluate(PUT_BACK)
    until(page, DEFAULTS_SHOWN)


# Toasts go, and so does what a test before had written into fields, chosen, opened, zoomed or scrolled.
PUT_BACK = """async () => {
    const {app} = window.t4dm, groups = [...document.querySelectorAll('details.group')];
    window.openAtFirst ??= groups.map(group => group.open);
    groups.forEach((group, k) => { group.open = window.openAtFirst[k]; });
    localStorage.clear();
    window.scrollTo(0, 0);
    document.querySelector('#health:not([hidden]) [aria-label^=Close]')?.click();
    const dialogs = [...document.querySelectorAll('dialog[open]')];
    dialogs.forEach(dialog => dialog.close());  // each then gives the focus back to what opened it
    for (let n = 0; n < 60 && dialogs.some(dialog => dialog.isConnected); n++)
        await new Promise(requestAnimationFrame);
    document.querySelectorAll('.toast').forEach(toast => toast.remove());
    window.toasts.length = 0;
    document.activeElement?.blur();
    const clear = (field, event) => {
        if (field.value === '') return;
        field.value = '';
        field.dispatchEvent(new Event(event));
    };
    for (const select of document.querySelectorAll('.scope-select')) clear(select, 'change');
    clear(document.getElementById('param-search'), 'input');
    document.documentElement.dataset.mantineColorScheme = 'light';
    if (app.view.maximised) app.maximise(app.view.maximised);
    app.liveView();
    app.setSpan(1000);
    app.setView({neuromod_view: 'levels', order: 'id'});
    app.defaultView();
}"""
DEFAULTS_SHOWN = """() => {
    const {app, drawn} = window.t4dm, raster = drawn('raster');
    return Object.keys(app.params.non_default).length === 0
        && app.meta.state === 'running' && app.status === 'live'
        && app.params.rev === app.meta.params_rev
        && raster?.live && raster.rows === 200 && raster.ticks > 0
        && raster.t1_ms - raster.t0_ms === 1000;
}"""


def note_foreign(url: str, host: str, troubles: list[str]) -> None:
    """Add a request that leaves ``host`` to ``troubles``."""
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != host:
        troubles.append(f"foreign request: {url}")
