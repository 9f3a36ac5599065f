"""The jobs process (``python -m dashboard.jobs``): draws pictures with one warm browser, and has the
clinic's table made by a child (``clinic_runner``), which a thread of it watches.

Idle it holds a lock and looks into the queue four times a second; the browser starts with the first
picture.  It ends on SIGTERM, SIGINT, and when its parent is gone.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import signal
import sys
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import diskcache

from dashboard import clinic
from dashboard.clinic_runner import ClinicRunner
from dashboard.pictures import KEEP_S, NOT_DRAWN, QUEUE, lock_path, queue
from t4dm.live import paths
from t4dm.live.lifeline import take_lock

if TYPE_CHECKING:
    from kaleido import Kaleido

POLL_S = 0.25
START_TIMEOUT_S = RENDER_TIMEOUT_S = 15.0
STOP_POLL_S = 0.1
END_S = 2.0
LOCK_WAIT_S = 3.0  # for one whose program was killed, and which is about to end
INSTALL = "(apt install chromium), or have BROWSER_PATH name one"
MISSING = f"pictures need Chromium: install it {INSTALL}"
BROKEN = (
    f"pictures need Chromium, and the one at {{}} did not start: install one that does {INSTALL}"
)
T = TypeVar("T")
log = logging.getLogger("t4dm.jobs")


class NoBrowser(RuntimeError):
    """No browser on this machine starts; the text says what to install."""


class Stopped(RuntimeError):
    """The process was told to end while it drew."""


class Painter:
    """One kaleido with its browser, started by the first figure and kept warm until one fails.

    What is under way is given up when ``stop`` is set.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._loop = asyncio.Runner()  # it runs while something is drawn
        self._kaleido: Kaleido | None = None

    def draw(self, figure: dict[str, Any], size: dict[str, Any]) -> bytes:
        """The image; raises :class:`NoBrowser`, :class:`Stopped`, or what kaleido says of a bad figure."""
        if self._kaleido is not None and self._kaleido.subprocess.poll() is not None:
            self.close()
        try:
            if self._kaleido is None:
                self._start()
            assert self._kaleido is not None
            return self._awaited(self._kaleido.calc_fig(figure, opts=size), RENDER_TIMEOUT_S)
        except Exception:
            self.close(by_force=True)  # the next figure begins with a new browser
            raise

    def close(self, by_force: bool = False) -> None:
        """End the browser if there is one, within about 5 s."""
        if self._kaleido is not None:
            kaleido, self._kaleido = self._kaleido, None
            self._loop.run(_ended(kaleido, by_force))

    def _start(self) -> None:
        path = browser()
        if path is None:
            raise NoBrowser(MISSING)
        import kaleido
        from choreographer.errors import BrowserFailedError

        self._kaleido = kaleido.Kaleido(n=1, timeout=None, mathjax=False, path=path)
        try:
            self._awaited(self._kaleido.open(), START_TIMEOUT_S)
        except (BrowserFailedError, TimeoutError) as error:
            log.warning("the browser %s did not start: %s", path, type(error).__name__)
            raise NoBrowser(BROKEN.format(path)) from None

    def _awaited(self, work: Coroutine[Any, Any, T], limit_s: float) -> T:
        try:
            return self._loop.run(_unless(self._stop, work, limit_s))
        except BaseException:
            if self._stop.is_set():
                raise Stopped from None
            raise


async def _unless(stop: threading.Event, work: Coroutine[Any, Any, T], limit_s: float) -> T:
    """What ``work`` returns; raises TimeoutError after ``limit_s``, and is cancelled by ``stop``."""
    task = asyncio.ensure_future(asyncio.wait_for(work, limit_s))
    while not (await asyncio.wait({task}, timeout=STOP_POLL_S))[0]:
        if stop.is_set():
            task.cancel()
    return task.result()


async def _ended(kaleido: Kaleido, by_force: bool) -> None:
    """End the browser in order; by force where it is asked, or where that takes too long."""
    if by_force:
        _kill(kaleido)
    task = asyncio.ensure_future(kaleido.close())
    if not (await asyncio.wait({task}, timeout=END_S))[0]:
        _kill(kaleido)
        task.cancel()
        await asyncio.wait({task}, timeout=END_S)


def _kill(kaleido: Kaleido) -> None:
    """Kill the browser with its helpers, whose group it leads; nothing where it never started."""
    process = getattr(kaleido, "subprocess", None)
    if process is not None and process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


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
    """Draw one question and leave ``done:<name>``, or why not as ``failed:<name>``."""
    asked = json.loads(item)
    name = asked["name"]
    job = json.loads(asked["job"])
    try:
        cache.set(f"done:{name}", painter.draw(job["figure"], job["size"]), expire=KEEP_S)
    except Stopped:
        log.warning("picture %s was given up: the process ends", name[:12])
    except NoBrowser as error:
        cache.set(f"failed:{name}", str(error), expire=KEEP_S)
    except Exception:
        log.exception("picture %s was not drawn", name[:12])
        cache.set(f"failed:{name}", NOT_DRAWN, expire=KEEP_S)
    finally:
        cache.delete(f"asked:{name}")


def main() -> int:
    """Run until told to stop; 1 where another jobs process serves this run directory."""
    parent = os.getppid()
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    if take_lock(lock_path(), LOCK_WAIT_S) is None:
        print("another jobs process already serves this run directory", file=sys.stderr)
        return 1
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    painter = Painter(stop)
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
