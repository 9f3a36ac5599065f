"""A tab on a page that follows a run session, and the sessions that such a test makes and removes."""

import contextlib
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser.one_tab import blank_tab, until

LONG = {"train.total_steps": 100_000}  # so that a run does not end while it is looked at
READY = """() => Boolean(window.t4dm?.app.params) && window.t4dm.stats?.().frames > 0
    && Boolean(document.querySelector('[data-param]'))"""


@contextlib.contextmanager
def open_run_tab(browser: Browser, url: str, path: str, ready: str = READY) -> Iterator[Page]:
    """A tab at ``path``; an error logged, thrown or a foreign request fails at the end."""
    with blank_tab(browser, url) as (tab, _):
        tab.goto(path)
        until(tab, ready)
        yield tab


class Sessions:
    """Training sessions, made and removed over REST."""

    def __init__(self, page: Page) -> None:
        self.request = page.request

    def begin(self, **body: Any) -> str:
        """A new session; ``body`` as in ``POST /sessions``."""
        wanted = {"kind": "training", "run": "tiny", "seed": 0, "params": LONG} | body
        wanted = {name: value for name, value in wanted.items() if value is not None}
        answer = self.request.post("/sessions", data=wanted)
        assert answer.ok, answer.text()
        return answer.json()["name"]

    def send(self, name: str, *commands: dict[str, Any]) -> Any:
        """Commands as a script sends them, answered when they are applied."""
        answer = self.request.post(
            f"/sessions/{name}/commands",
            data=list(commands),
            headers={"X-T4DM-Who": "script", "X-T4DM-Ack": "applied"},
        )
        assert answer.ok, answer.text()
        return answer.json()

    def entries(self, kind: str = "training") -> list[str]:
        """Names of the sessions of ``kind``."""
        listed = self.request.get("/sessions").json()["entries"]
        return [one["name"] for one in listed if one.get("kind") == kind]

    def remove_all(self) -> None:
        """Every session of kind training."""
        for name in self.entries():
            self.request.delete(f"/sessions/{name}")


def step_of(page: Page) -> int:
    """Steps that the page has heard of."""
    return page.evaluate("window.t4dm.app.meta.step1 ?? 0")


def wait_step(page: Page, step: int) -> None:
    """Until the loss chart shows ``step`` steps."""
    until(page, "n => (window.t4dm.drawn('loss')?.series[0]?.n ?? 0) >= n", step)


INK = """slug => {
    const canvas = window.t4dm.app.composePanel(slug, {scale: 1, background: '#ffffff'});
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let dark = 0;
    for (let i = 0; i < data.length; i += 4) dark += data[i] + data[i + 1] + data[i + 2] < 380;
    return dark;
}"""


def ink(page: Page, slug: str) -> int:
    """Dark pixels of a panel in a snapshot's picture on white ground: 0 for one that is blank."""
    return page.evaluate(INK, slug)


def pause(page: Page) -> int:
    """Pause the run by the page's own key and wait until it stands; the steps done."""
    if page.evaluate("window.t4dm.app.meta.state") == "running":
        page.locator("body").press("Space")
    until(page, "() => window.t4dm.app.meta.state === 'paused'")
    until(page, "() => window.t4dm.store.n === window.t4dm.app.meta.step")
    return page.evaluate("window.t4dm.store.n")
