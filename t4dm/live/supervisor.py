"""The supervisor: starts one worker a session, restarts the dead, ends them all with itself.

It imports no torch.  What it knows stands in ``supervisor.json`` of the run directory.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from t4dm.live import environment, leftovers, paths
from t4dm.live.lifeline import take_lock
from t4dm.live.orphans import sweep_data
from t4dm.live.registry import RING_BYTES, Registry
from t4dm.live.resting import REST_S, Resting
from t4dm.live.ring_reader import RingReader

POLL_S = 0.1
STUCK_S = 10.0
START_S = 300.0
NEWER = 4  # exit code of a worker whose files a newer version wrote
DAMAGED = 5  # of one whose session cannot be read
UNREADABLE = {
    NEWER: "the files of session '{}' were written by a newer version and are left untouched; "
    "use that version, or set T4DM_DATA_DIR elsewhere",
    DAMAGED: "session.json of session '{}' is damaged, so that nobody knows its network; its saved "
    "states are left untouched; put the file back, or delete the session",
}
GIVE_UP_AFTER = 5
GIVE_UP_SPAN_S = 60.0
BACKOFF_S = (0.0, 0.5, 1.0, 2.0, 4.0)
END_S = 8.0
LOOK_S = 0.2  # between two looks into the registry
DUMP_S = 0.5
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
log = logging.getLogger("t4dm.supervisor")


class Child:
    """The worker of one session: running, waiting for its restart, or given up."""

    def __init__(
        self, session: str, run: Path, data: Path, options: list[str], stuck_s: float = STUCK_S
    ) -> None:
        self.session, self.run, self.data, self.options = session, run, data, options
        self.stuck_s = stuck_s
        self.reader = RingReader(paths.ring_path(run, session))
        self.process: subprocess.Popen[bytes] | None = None
        self.restarts = 0
        self.state, self.message = "starting", ""
        self._deaths: deque[float] = deque(maxlen=GIVE_UP_AFTER)
        self._started = self._due = 0.0
        self._kill_at = 0.0

    def start(self, now: float) -> None:
        """Start the worker; only the first takes the run state and values of the environment."""
        env = os.environ | ONE_THREAD
        env |= {"T4DM_RUN_DIR": str(self.run), "T4DM_DATA_DIR": str(self.data)}
        fresh = self.process is None
        if not fresh:
            env = {k: v for k, v in env.items() if k not in environment.PARAMETERS}
        reading, self._holding = os.pipe()
        command = [sys.executable, "-m", "t4dm.live.worker", "--session", self.session]
        command += ["--parent-fd", str(reading), *(["--fresh"] if fresh else []), *self.options]
        self.process = subprocess.Popen(
            command, env=env, pass_fds=(reading,), stdin=subprocess.DEVNULL
        )
        os.close(reading)
        self._started, self.state = now, "running"

    def poll(self, now: float) -> None:
        """Look once: note a death, kill the stuck, restart when it is due."""
        if self.state in ("gave_up", "ending"):
            return
        if self.state == "waiting":
            if now >= self._due:
                self.restarts += 1
                self.start(now)
            return
        assert self.process is not None
        code = self.process.poll()
        if code is not None:
            self._died(now, code)
        elif why := self._stuck(now):
            log.warning("session %s: %s", self.session, why)
            self.kill_stuck()

    def _died(self, now: float, code: int) -> None:
        os.close(self._holding)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._deaths.append(now)
        recent = [t for t in self._deaths if t > now - GIVE_UP_SPAN_S]
        if code in UNREADABLE:
            self.state = "gave_up"
            self.message = UNREADABLE[code].format(self.session)
            log.error(self.message)
            return
        if len(recent) >= GIVE_UP_AFTER:
            self.state = "gave_up"
            self.message = (
                f"the worker of session '{self.session}' died {GIVE_UP_AFTER} times in "
                f"{GIVE_UP_SPAN_S:g} s (last: {how}) and is not started again; "
                "see its output, then start the program anew"
            )
            log.error(self.message)
            return
        self.state = "waiting"
        self._due = now + BACKOFF_S[min(len(recent), len(BACKOFF_S)) - 1]
        self.message = f"the worker ended with {how} and is started again"
        log.warning("session %s: %s", self.session, self.message)

    def _stuck(self, now: float) -> str:
        if self.process is None or self.reader.pid != self.process.pid:
            slow = now - self._started > START_S
            return f"not ready after {START_S:g} s" if slow else ""
        starting = self.reader.latest == 0
        limit = START_S if starting else self.stuck_s
        age = self.reader.progress_age_s()
        return f"no progress for {age:.0f} s" if age > limit else ""

    def kill_stuck(self) -> None:
        """Have the worker write its stacks to its standard error, then kill it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGUSR1)
        time.sleep(DUMP_S)
        self.process.kill()

    def end_soon(self, now: float) -> None:
        """Begin to end a session that was deleted."""
        if self.state != "ending":
            self.state, self.message = "ending", "this session was deleted and is ending"
            self._kill_at = now + END_S
            if self.process is not None and self.process.poll() is None:
                self.process.terminate()

    def has_ended(self, now: float) -> bool:
        """Whether the worker of a deleted session is gone; kills one that takes too long."""
        if self.process is None or self.process.poll() is not None:
            return True
        if now >= self._kill_at:
            self.process.kill()
        return False

    def end(self, until: float) -> None:
        """Ask the worker to keep its state and end; kill it where it has not by ``until``."""
        if self.process is None or self.process.poll() is not None:
            return
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("session %s: did not end in time and is killed", self.session)
            self.process.kill()
            self.process.wait()

    def sweep(self) -> None:
        """Remove what a killed worker left in the run directory and in shared memory."""
        ring = paths.ring_path(self.run, self.session)
        for path in (ring, paths.socket_path(self.run, self.session)):
            path.unlink(missing_ok=True)

    def to_json(self) -> dict[str, Any]:
        return {
            "pid": self.process.pid if self.process else None,
            "state": self.state,
            "restarts": self.restarts,
            "message": self.message,
        }


class Supervisor:
    """Owns the run directory and the workers of its sessions."""

    def __init__(
        self,
        run: Path,
        children: list[Child],
        registry: Registry | None = None,
        hire: Callable[[str], Child] | None = None,
        resting: Resting | None = None,
    ) -> None:
        self.run, self.children, self.registry, self.hire = run, children, registry, hire
        self.resting = resting
        self._end = threading.Event()
        self._told = ""
        self._look_at = 0.0

    def loop(self) -> None:
        """Start every worker and look after them until :meth:`stop`; then end them all."""
        for child in self.children:
            child.start(time.monotonic())
        while not self._end.is_set():
            self._tell()
            self._end.wait(POLL_S)
            now = time.monotonic()
            for child in self.children:
                child.poll(now)
            if now >= self._look_at:
                self._look_at = now + LOOK_S
                self._follow_registry(now)
                self._look_at_rest(now)
        self._close()

    def _follow_registry(self, now: float) -> None:
        """Start what was created, end what was deleted, and remove its files."""
        if self.registry is None or self.hire is None:
            return
        known = {child.session: child for child in self.children}
        for name in self.registry.names():
            if name not in known:
                child = self.hire(name)
                child.start(now)
                self.children.append(child)
        for name in self.registry.ending():
            gone = known.get(name)
            if gone is not None:
                gone.end_soon(now)
                if not gone.has_ended(now):
                    continue
                self.children.remove(gone)
                gone.sweep()
                self._tell()  # before its mark goes: until then no list has it
            remove_session(self.run, self.registry, name)

    def _look_at_rest(self, now: float) -> None:
        """Have the session ``default`` rest where nobody looks at it while another trains."""
        if self.resting is not None:
            named = ((child.session, child.reader) for child in self.children)
            self.resting.look(now, [pair for pair in named if pair[0] != paths.DEFAULT_SESSION])

    def stop(self) -> None:
        self._end.set()

    def _close(self) -> None:
        for child in self.children:
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        until = time.monotonic() + END_S
        for child in self.children:
            child.end(until)
            child.sweep()
        leftovers.release(self.run)
        paths.supervisor_path(self.run).unlink(missing_ok=True)

    def _tell(self) -> None:
        """Write ``supervisor.json`` when something in it changed."""
        state = {
            "pid": os.getpid(),
            "sessions": {child.session: child.to_json() for child in self.children},
        }
        text = json.dumps(state)
        if text == self._told:
            return
        path = paths.supervisor_path(self.run)
        temporary = path.with_suffix(".new")
        temporary.write_text(text)
        os.replace(temporary, path)
        self._told = text


def remove_session(run: Path, registry: Registry, name: str) -> None:
    """Remove every file of a deleted session; its mark goes last."""
    for path in (paths.manifest_path(run, name), run / f"{name}.lock"):
        path.unlink(missing_ok=True)
    registry.forget(name)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="t4dm.live.supervisor", description=__doc__)
    parser.add_argument("--session", action="append", help="a session to run; default: default")
    parser.add_argument(
        "--stuck-s", type=float, default=STUCK_S, help="seconds without progress before a kill"
    )
    parser.add_argument(
        "--rest-s", type=float, default=REST_S,
        help="seconds without a viewer after which the session default rests while another trains",
    )  # fmt: skip
    args, options = parser.parse_known_args(argv)
    logging.basicConfig(level=logging.INFO, format="supervisor: %(message)s")
    try:
        run, data = paths.run_dir(), paths.data_dir()
        sessions = args.session or [paths.DEFAULT_SESSION]
        for session in sessions:
            paths.socket_path(run, session)
    except (ValueError, OSError) as error:
        log.error("%s", error)
        return 2
    if take_lock(run / "supervisor.lock") is None:
        log.error("another supervisor already runs in %s; end it first or set T4DM_RUN_DIR", run)
        return 3
    leftovers.claim(run)
    for path in sweep_data(data, sessions):
        log.info("removed %s, which a killed writer left", path)
    for folder in leftovers.sweep(paths.SHARED_MEMORY):
        log.info("removed %s, whose program has ended", folder)
    children = [Child(name, run, data, options, args.stuck_s) for name in sessions]
    small = [*options, "--ring-bytes", str(RING_BYTES)]
    supervisor = Supervisor(
        run, children, Registry(data), lambda name: Child(name, run, data, small, args.stuck_s),
        Resting(run, args.rest_s),
    )  # fmt: skip
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    supervisor.loop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
