"""Take the README's picture with the page's own snapshot: ``python -m tools.take_board_picture [URL]``.

Needs a running program.  Changes what a tour would change (a threshold, a bolus of dopamine), saves
the snapshot to ``docs/img/board.png`` and puts the parameters back.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tools.find_chromium import find_chromium

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "img" / "board.png"


def send(url: str, *commands: dict[str, Any]) -> None:
    """Commands to the default session; raises HTTPError if one is refused."""
    request = urllib.request.Request(
        f"{url}/sessions/default/commands",
        json.dumps(list(commands)).encode(),
        {"Content-Type": "application/json", "X-T4DM-Who": "picture"},
    )
    urllib.request.urlopen(request, timeout=10).close()


def take(url: str) -> None:
    """One snapshot of the board at ``url``."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = chromium.new_page(viewport={"width": 1600, "height": 1000}, accept_downloads=True)
        page.goto(url)
        page.locator('input[data-param="lif.v_thresh"]').wait_for()
        page.wait_for_timeout(6000)
        send(url, {"type": "set", "path": "lif.v_thresh", "value": 1.1})
        page.wait_for_timeout(300)
        send(url, {"type": "inject", "nt": "DA", "level": 0.3})
        page.wait_for_timeout(450)
        page.keyboard.press("s")
        with page.expect_download() as download:
            page.get_by_role("button", name="Save PNG").click()
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        download.value.save_as(PICTURE)
        chromium.close()
    send(url, {"type": "clear", "path": "lif.v_thresh"})


if __name__ == "__main__":
    take(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
