"""Find a Chromium for the browser tests, or install one: ``python -m tools.find_chromium``.

Looked for in turn: ``T4DM_CHROMIUM``, the usual names on PATH, the application folder of macOS,
Playwright's own.  If there is none it is installed: by apt-get as root on Debian and its kin, else
by ``playwright install chromium``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_APPS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_chromium() -> str | None:
    """The path of an executable Chromium, or None."""
    named = os.environ.get("T4DM_CHROMIUM")
    on_path = [shutil.which(name) for name in NAMES]
    for candidate in (named, *on_path, *MAC_APPS):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    return _playwrights_own()


def install_chromium() -> None:
    """Install Chromium; raises CalledProcessError if every way fails."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-q"], ["install", "-q", "-y", "chromium"]):
            subprocess.run(["apt-get", *words], env=env, stdin=subprocess.DEVNULL, check=False)
        if find_chromium():
            return
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)


def _playwrights_own() -> str | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def main() -> int:
    path = find_chromium()
    if path is None:
        try:
            install_chromium()
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"Chromium could not be installed: {error}", file=sys.stderr)
        path = find_chromium()
    if path is None:
        print(
            "The browser tests need Chromium: install it with your package manager, or name it in"
            " T4DM_CHROMIUM.",
            file=sys.stderr,
        )
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
