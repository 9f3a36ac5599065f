"""The jobs process (``python -m dashboard.jobs``): draws pictures with one warm browser, and has the
clinic's table made by a child (``clinic_runner``), which a thread of it watches.

Idle it holds a lock and looks into the queue four times a second; the browser starts with the first
picture.  It ends on SIGTERM, SIGINT, and when its parent is gone.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import signal
import sys
import threading
from typing import Any

import diskcache

from dashboard import clinic
from dashboard.clinic_runner import ClinicRunner
from dashboard.pictures import KEEP_S, NO_BROWSER, QUEUE, lock_path, queue
from t4dm.live import paths

POLL_S = 0.25
RENDER_TIMEOUT_S = 15.0
log = logging.getLogger("t4dm.jobs")


class NoBrowser(RuntimeError):
    """There is no Chromium or Chrome on this machine."""


class Painter:
    """One kaleido with its browser, started by the first figure and kept warm."""

    def __init__(self) -> None:
        self._started = False

    def draw(self, figure: dict[str, Any], size: dict[str, Any]) -> bytes:
        """The image; raises :class:`NoBrowser`, or whatever kaleido raises on a bad figure."""
        import kaleido

        if not self._started:
            if not browser():
                raise NoBrowser
            kaleido.start_sync_server(n=1, timeout=RENDER_TIMEOUT_S, mathjax=False)
            self._started = True
        return kaleido.calc_fig_sync(figure, opts=size)

    def close(self) -> None:
        """End the browser if there is one."""
        if self._started:
            import kaleido

            kaleido.stop_sync_server(silence_warnings=True)
            self._started = False


def browser() -> str | None:
    """The program to draw with; None where there is none, or ``BROWSER_PATH`` names nothing to run."""
    if named := os.environ.get("BROWSER_PATH"):
        return shutil.which(named)
    from choreographer.browsers.chromium import Chromium

    return Chromium.find_browser(skip_local=False)


def serve(cache: diskcache.Cache, painter: Painter, stop: threading.Event, parent: int) -> None:
    """Draw what is asked until ``stop`` is set or the process ``parent`` is gone."""
    while not stop.is_set() and os.getppid() == parent:
        _, item = cache.pull(prefix=QUEUE, default=(None, None))
        if item is None:
            stop.wait(POLL_S)
        else:
            answer(cache, painter, item)


def answer(cache: diskcache.Cache, painter: Painter, item: str) -> None:
    """Draw one question and leave ``done:<name>`` or ``failed:<name>``."""
    asked = json.loads(item)
    name = asked["name"]
    job = json.loads(asked["job"])
    try:
        cache.set(f"done:{name}", painter.draw(job["figure"], job["size"]), expire=KEEP_S)
    except NoBrowser:
        cache.set(f"failed:{name}", NO_BROWSER, expire=KEEP_S)
    except Exception:
        log.exception("picture %s was not drawn", name[:12])
        cache.set(f"failed:{name}", "error", expire=KEEP_S)
    finally:
        cache.delete(f"asked:{name}")


def take_lock() -> int | None:
    """The locked file's descriptor; None where another jobs process holds it."""
    fd = os.open(lock_path(), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd


def main() -> int:
    """Run until told to stop; 1 where another jobs process serves this run directory."""
    parent = os.getppid()
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    if take_lock() is None:
        print("another jobs process already serves this run directory", file=sys.stderr)
        return 1
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    painter = Painter()
    runner = ClinicRunner(clinic.board(paths.run_dir()), clinic.folder())
    watcher = threading.Thread(target=runner.serve, args=(stop,), name="clinic")
    watcher.start()
    try:
        serve(queue(paths.run_dir()), painter, stop, parent)
    finally:
        stop.set()
        watcher.join()
        painter.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
