"""``make run``: start every line of the Procfile, say where the page is, end all of it together.

A web or jobs process that is killed is started again, three times a minute at most; nothing of a run
hangs on it.  Exit codes: 0 after Ctrl-C, SIGTERM or SIGHUP; 1 if another process ended by itself, or one
too often, or the page never came up; 2 if the address or the data folder cannot be used.  What the
processes print goes to stderr, the one line with the address to stdout.  ``T4DM_LOG_LEVEL`` (default
``warning``) is the web server's level.
"""

from __future__ import annotations

import ctypes
import datetime
import errno
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import psutil
from honcho.environ import parse_procfile
from honcho.printer import Message, Printer

from dashboard import folder_lock
from dashboard.settings import Settings, settings_from_env

ROOT = Path(__file__).resolve().parent.parent
START_S = 60.0  # longest wait for the first answer
END_S = 7.0  # from SIGTERM to SIGKILL
STATELESS = ("web", "jobs")
RESTARTS, RESTART_S = 3, 60.0
_PR_SET_PDEATHSIG = 1


def main(procfile: Path = ROOT / "Procfile") -> int:
    """Run ``procfile`` until told to stop; returns the exit code."""
    try:
        settings = settings_from_env()
    except ValueError as error:
        return _refuse(str(error))
    if sentence := settings.refusal():
        return _refuse(sentence)
    try:
        folder_lock.hold(settings.port)
    except folder_lock.FolderRefused as error:
        return _refuse(str(error))
    if sentence := port_trouble(settings.host, settings.port):
        return _refuse(sentence)
    group = ProcessGroup(procfile_commands(procfile), child_environment(settings))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, group.on_signal)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, group.on_signal)
    group.start()
    url = page_url(settings)
    code = 1
    try:
        if _await_page(group, f"{url}/healthz"):
            print(f"t4dm is live at {url}", flush=True)
            while not group.stopping and group.mended():
                time.sleep(0.1)
        if group.stopping:
            code = 0
        elif (name := group.ended()) is not None:
            print(f"{name} ended by itself; stopping the others.", file=sys.stderr)
    finally:
        group.stop()
    return code


def procfile_commands(path: Path) -> dict[str, list[str]]:
    """Process name to argument list, one a line of the Procfile."""
    lines = parse_procfile(path.read_text()).processes
    return {name: shlex.split(command) for name, command in lines.items()}


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment of the processes: this interpreter's programs first on PATH, one thread."""
    env = dict(os.environ)
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
    env["PORT"] = str(settings.port)
    env["PYTHONUNBUFFERED"] = "1"
    env.setdefault("T4DM_HOST", settings.host)
    env.setdefault("OMP_NUM_THREADS", "1")
    level = env.get("T4DM_LOG_LEVEL", "warning")
    env.setdefault("GUNICORN_CMD_ARGS", f"--log-level {shlex.quote(level)}")
    return env


def page_url(settings: Settings) -> str:
    """Where a browser on this machine finds the page."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}.get(
        settings.host, settings.host
    )
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def port_trouble(host: str, port: int) -> str | None:
    """One sentence if ``host:port`` cannot be listened on, else None."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return (
                f"Port {port} is taken by another program; stop it or choose another port,"
                f" for example: make run PORT={port + 1 if port < 65535 else 8000}"
            )
        return f"Cannot listen on {host} port {port}: {error.strerror or error}."
    return None


class ProcessGroup:
    """The Procfile's processes, each in its own process group, started and ended together."""

    def __init__(self, commands: dict[str, list[str]], env: dict[str, str]) -> None:
        self.commands, self.env = commands, env
        self.stopping = False
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._restarts: deque[float] = deque(maxlen=RESTARTS)
        self._printer = Printer(sys.stderr, width=max(map(len, commands)))

    def start(self) -> None:
        """Start every process; what it prints follows on stderr behind its name."""
        for name in self.commands:
            self._children[name] = self._started(name)
        for name, child in self._children.items():
            threading.Thread(target=self._follow, args=(name, child), daemon=True).start()

    def _started(self, name: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.commands[name],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_parent(),  # noqa: PLW1509 - it makes one system call
        )

    def mended(self) -> bool:
        """Whether all run; a stateless process that was killed is started again first."""
        name = self.ended()
        if name is None:
            return True
        now = time.monotonic()
        killed = (self._children[name].returncode or 0) < 0
        too_often = len(self._restarts) == RESTARTS and now - self._restarts[0] < RESTART_S
        if name not in STATELESS or not killed or too_often:
            return False
        self._restarts.append(now)
        print(f"{name} was killed; starting it again.", file=sys.stderr, flush=True)
        for process in self._left_of(name):
            _kill(process)
        child = self._children[name] = self._started(name)
        threading.Thread(target=self._follow, args=(name, child), daemon=True).start()
        return True

    def _left_of(self, name: str) -> list[psutil.Process]:
        """What is left of a killed process: its group, which it led."""
        left = []
        for process in psutil.process_iter():
            try:
                if os.getpgid(process.pid) == self._children[name].pid:
                    left.append(process)
            except (ProcessLookupError, PermissionError):
                continue
        return left

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: ask for the end."""
        self.stopping = True

    def ended(self) -> str | None:
        """The name of a process that is no longer running, or None."""
        return next((n for n, child in self._children.items() if child.poll() is not None), None)

    def stop(self) -> None:
        """SIGTERM to all, SIGKILL after ``END_S`` to whatever is left, descendants included."""
        family = [psutil.Process(c.pid) for c in self._children.values() if c.poll() is None]
        for process in list(family):
            family += _descendants(process)
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()
        _, left = psutil.wait_procs(family, timeout=END_S)
        for process in left:
            _kill(process)
        psutil.wait_procs(left, timeout=1.0)

    def _follow(self, name: str, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        for line in child.stdout:
            now = datetime.datetime.now()
            self._printer.write(Message("line", line, now, name, None))


def _await_page(group: ProcessGroup, url: str) -> bool:
    """Whether ``url`` answers before the wait, a process or the user's patience ends."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and not group.stopping and group.ended() is None:
        try:
            opener.open(url, timeout=2.0).close()
            return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.05)
    if not group.stopping and group.ended() is None:
        print(f"No answer from {url} within {START_S:.0f} s.", file=sys.stderr)
    return False


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        pass


def _end_with_parent() -> Callable[[], None] | None:
    """On Linux, what a child runs first so that it is told to end when this process dies."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
