"""Take the picture of the Training page with its own snapshot: ``python -m tools.take_training_picture [URL]``.

Needs a running program.  Trains the run ``tiny`` with an embedding drawn from N(0, 1) beside the sound
one, changes the clip on the way, saves the snapshot to ``docs/img/training_page.png`` and deletes the
session.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tools.find_chromium import find_chromium

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "img" / "training_page.png"
SESSION: dict[str, Any] = {
    "kind": "training", "run": "tiny", "seed": 0, "fault": "embedding_n01",
    "params": {"train.total_steps": 1000},
}  # fmt: skip
CHANGED_AT, TAKEN_AT = 250, 420
PATIENCE_MS = 600_000


def ask(method: str, url: str, body: Any = None) -> Any:
    """The JSON answer of a request; raises HTTPError if it is refused."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "X-T4DM-Who": "picture"}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def wait_steps(page: Page, steps: int) -> None:
    """Until the page shows so many steps."""
    page.wait_for_function(f"window.t4dm.store?.n >= {steps}", timeout=PATIENCE_MS)


def take(url: str) -> None:
    """One snapshot of the page at ``url``."""
    name = ask("POST", f"{url}/sessions", SESSION)["name"]
    commands = f"{url}/sessions/{name}/commands"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = chromium.new_page(
            viewport={"width": 1600, "height": 1000}, accept_downloads=True, bypass_csp=True
        )
        page.goto(f"{url}/training?session={name}")
        wait_steps(page, CHANGED_AT)
        ask("POST", commands, {"type": "set", "path": "train.clip", "value": 0.5})
        wait_steps(page, TAKEN_AT)
        ask("POST", commands, {"type": "pause"})
        page.wait_for_timeout(2000)
        page.keyboard.press("s")
        with page.expect_download() as download:
            page.get_by_role("button", name="Save PNG").click()
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        download.value.save_as(PICTURE)
        chromium.close()
    ask("DELETE", f"{url}/sessions/{name}")


if __name__ == "__main__":
    take(sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:8000")
