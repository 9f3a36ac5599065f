"""The publisher: one thread of a watched script that fills its ring and minds its command socket.

The script's own thread only hands over blocks (:meth:`Publisher.offer`) and, between two calls of the
watched module, applies what waits (:meth:`Publisher.serve`).  Neither ever blocks on the thread, and
no failure of ring or socket reaches the script: the publisher then stops and says why, once.
"""

from __future__ import annotations

import datetime
import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t4dm.live import external, paths
from t4dm.live.command_loop import LOG_BYTES
from t4dm.live.external import ExternalSession
from t4dm.live.external_files import OWNER
from t4dm.live.frame import dumps, newest
from t4dm.live.publisher_blocks import Block, Publishes, goes_on, joined, segment_of
from t4dm.live.ring_writer import RingWriter
from t4dm.live.server import CommandServer, Request, failure
from t4dm.live.watch_budget import Budget, Spent, shares
from t4dm.step_length import STEP_MS
from t4dm.store.files import write_durable

TICK_S = 0.04
STATUS_S = 0.1
IDLE_S = 1.0
CALL_WAIT_S = 5.0  # a change waits so long for the next call of the module
RING_BYTES = 64 * 2**20
RING_SLOTS = 16_384
MAX_BLOCKS = 64  # waiting for the thread; more are dropped, and that is said
MAX_WAITING = 64
MAX_STEPS = 512  # of one segment
MAX_CELLS = 100_000  # membrane samples of one segment, so that it fits a block of the ring
THINNED = "from here on fewer calls are recorded, so that watching keeps to its budget"
log = logging.getLogger("t4dm.watch")


@dataclass(slots=True)
class Files:
    """Where a session's ring, socket and manifest lie."""

    run: Path
    name: str

    @property
    def ring(self) -> Path:
        return paths.ring_path(self.run, self.name)

    @property
    def socket(self) -> Path:
        return paths.socket_path(self.run, self.name)

    @property
    def manifest(self) -> Path:
        return paths.manifest_path(self.run, self.name)


class Publisher:
    """Publishes ``session``; ``failed(sentence)`` is called once where it cannot go on.

    ``budget`` knows which calls were recorded, and is told what this thread takes.  Raises OSError
    where ring or socket cannot be made.
    """

    def __init__(
        self, session: ExternalSession, files: Files, publishes: Publishes,
        failed: Callable[[str], None], budget: Budget | None = None,
    ) -> None:  # fmt: skip
        self.session, self.files, self.publishes = session, files, publishes
        self._failed, self._budget = failed, budget
        self._spent_from = Spent() if budget is None else budget.sums()
        self._shares = shares(self._spent_from, self._spent_from)
        self._thinned_told = False
        self.lock = threading.Lock()
        self.waiting: deque[tuple[Request, float]] = deque()
        self.recorded = 0  # steps handed over; written by the script's thread only
        self.dropped = 0
        self._blocks: deque[Block] = deque()
        self._published = 0
        self._dropped_told = 0
        self._called_at = time.monotonic()
        self._status_at = 0.0
        self._rate = 0.0
        self._rate_from = (time.monotonic(), 0)
        self._manifest_rev = -1
        self._digest = (-1, "")
        self._ended = ""
        self._end = threading.Event()
        self.ring = RingWriter(paths.private_parent(files.ring), bytes=RING_BYTES, slots=RING_SLOTS)
        self.server = CommandServer(files.socket)
        self._write_manifest()
        self._thread = threading.Thread(target=self._loop, name=f"t4dm {session.name}", daemon=True)
        self._thread.start()

    # -- the script's thread -------------------------------------------------------------------

    def offer(self, block: Block) -> None:
        """Hand ``block`` over; it is dropped, and counted, where the thread does not keep up."""
        self._called_at = time.monotonic()
        if len(self._blocks) >= MAX_BLOCKS:
            self.dropped += 1
            return
        self.recorded += block.steps
        self._blocks.append(block)

    def serve(self) -> None:
        """Apply the changes that wait; to be called between two calls of the module."""
        self._called_at = time.monotonic()
        while self.waiting:
            with self.lock:
                if not self.waiting:
                    return
                request, _ = self.waiting.popleft()
                self.session.engine.step = self.recorded
                answer = self.session.answer(request.body, request.who, request.if_rev)
            request.answer(answer | {"mono_ns": time.monotonic_ns()})

    @property
    def caught_up(self) -> bool:
        """Whether every step handed over is in the ring."""
        return self._published >= self.recorded

    @property
    def held(self) -> bool:
        """Whether the script is asked to stand still: paused, or all steps asked for are recorded."""
        goal = self.session.goal
        return self.session.state == "paused" or (goal is not None and self.recorded >= goal)

    def close(self, how: str) -> None:
        """Publish what waits, say that the session ended, and let go of socket and thread."""
        if self._end.is_set():
            return
        self._ended = how
        self._end.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(2.0)

    def forget(self) -> None:
        """In a forked child, which has no thread of ours: let go of the socket, and of nothing else."""
        self._end.set()
        self.server.forget()

    # -- its own thread ------------------------------------------------------------------------

    def _loop(self) -> None:
        try:
            while not self._end.is_set():
                self._requests()
                self._publish()
                self._tell()
                if self._budget is not None:
                    self._budget.publisher_s = time.thread_time()
            self._publish()
        except Exception as error:
            log.debug("publishing failed", exc_info=True)
            self._ended = f"publishing failed ({type(error).__name__}: {error})"
            self._failed(self._ended)
        self._leave()

    def _leave(self) -> None:
        self._end.set()
        refusal = failure("ended", "session", "the script has ended")
        with self.lock:
            left = [item[0] for item in self.waiting]
            self.waiting.clear()
        for request in left:
            request.answer(refusal)
        self.server.close()
        try:
            self._write_manifest()
            self.ring.status(self._status("ended", self._ended))
        except (OSError, ValueError):
            log.debug("the last status was not written", exc_info=True)
        self.ring.close()

    def _requests(self) -> None:
        """Answer what needs no call of the module; let the rest wait for the next one."""
        try:
            request = self.server.requests.get(timeout=TICK_S)
        except queue.Empty:
            request = None
        if request is not None:
            self._sort(request)
        now = time.monotonic()
        with self.lock:
            late = [item for item in self.waiting if item[1] < now]
            for item in late:
                self.waiting.remove(item)
        for late_request, _ in late:
            self._give_up(late_request)

    def _sort(self, request: Request) -> None:
        if request.op == "params":
            with self.lock:
                request.answer({"ok": True, **self.session.params()})
        elif request.op != "commands":
            request.answer(failure("invalid", "op", "op is one of commands, params"))
        elif (refusal := self.session.refusal(request.body)) is not None:
            request.answer(refusal)
        elif external.is_at_once(request.body):
            with self.lock:
                answer = self.session.answer(request.body, request.who, request.if_rev)
            request.answer(answer | {"mono_ns": time.monotonic_ns()})
        elif len(self.waiting) >= MAX_WAITING:
            request.answer(
                failure("busy", "body", f"{MAX_WAITING} requests are waiting; try again")
            )
        else:
            self.waiting.append((request, time.monotonic() + CALL_WAIT_S))

    def _give_up(self, request: Request) -> None:
        message = (
            f"the script did not call its module within {CALL_WAIT_S:g} s, so nothing was changed; "
            "changes are applied between two calls"
        )
        request.answer(failure("busy", "body", message))

    def _publish(self) -> None:
        while self._blocks:
            block = self._next()
            for first in range(0, block.steps, self._steps_a_segment(block)):
                self._append(block, first, min(block.steps, first + self._steps_a_segment(block)))

    def _next(self) -> Block:
        """The oldest blocks that wait, as many as make one segment: each costs as much as many steps."""
        group = [self._blocks.popleft()]
        steps, most = group[0].steps, self._steps_a_segment(group[0])
        while self._blocks and goes_on(self._blocks[0], group[-1]):
            steps += self._blocks[0].steps
            if steps > most:
                break
            group.append(self._blocks.popleft())
        return joined(group)

    @staticmethod
    def _steps_a_segment(block: Block) -> int:
        return max(1, min(MAX_STEPS, MAX_CELLS // max(1, len(block.watch) + len(block.theta))))

    def _append(self, block: Block, first: int, last: int) -> None:
        step0 = self._published
        with self.lock:
            if self.dropped > self._dropped_told:
                lost = self.dropped - self._dropped_told
                self.session.event(
                    "note", step=step0, text=f"{lost} calls not recorded", who="t4dm"
                )
                self._dropped_told = self.dropped
            segment = segment_of(block, first, last, step0, self.publishes, self.session.axis)
            segment = self.session.take(segment)
            self.session.engine.step = max(self.session.engine.step, segment.step1)
        self.ring.append(segment.step0, segment.step1, segment.epoch, segment.encode())
        self._published = segment.step1

    def _tell(self) -> None:
        """Heartbeat, status and manifest, as far as they are due."""
        now = time.monotonic()
        if now < self._status_at:
            return
        self.ring.heartbeat()
        self.ring.progress()
        self._status_at = now + STATUS_S
        self._tell_thinned()
        since, steps = self._rate_from
        if now - since >= 1.0:
            self._rate = (self._published - steps) / (now - since)
            self._rate_from = (now, self._published)
            if self._budget is not None:
                sums = self._budget.sums()
                self._shares = shares(self._spent_from, sums)
                self._spent_from = sums
        state, reason = self._state(now)
        self.ring.status(self._status(state, reason))
        if self._manifest_rev != self.session.rev:
            self._write_manifest()

    def _recorded(self) -> dict[str, Any]:
        """Which calls were recorded and what that costs; empty where nobody counts."""
        return {} if self._budget is None else self._budget.counts() | self._shares

    def _tell_thinned(self) -> None:
        """Once, and on the page: calls are left out for what they would cost."""
        if self._budget is None or not self._budget.thins_out or self._thinned_told:
            return
        with self.lock:
            self.session.event("note", step=self._published, text=THINNED, who="t4dm")
        self._thinned_told = True

    def _state(self, now: float) -> tuple[str, str]:
        session = self.session
        if session.state != "running":
            return session.state, session.reason
        if now - self._called_at > IDLE_S:
            return "idle", "the script is not calling its module"
        return "running", ""

    def _status(self, state: str, reason: str) -> dict[str, Any]:
        session = self.session
        with self.lock:
            status = {
                "session": session.name, "pid": os.getpid(), "owner": OWNER,
                "state": state, "reason": reason, "finite": True, "step": self._published,
                "t_ms": self._published * STEP_MS, "dt": STEP_MS, "epoch": session.epoch,
                "speed": None, "ratio": None, "rate": round(self._rate, 2), "axis": session.axis,
                "params_rev": session.rev, "params_digest": self._digest_now(), "seed": None,
                "mono_ns": time.monotonic_ns(), "breakpoints": session.breakpoints.status(),
                "watch": list(session.engine.watch), "log": newest(session.log, LOG_BYTES),
                "pending": newest(session.pending, LOG_BYTES), "warnings": [],
                "checkpoint": {"step": None, "error": None}, "recording": self._recorded(),
            }  # fmt: skip
        if state == "ended":
            status["ended_at"] = datetime.datetime.now(datetime.UTC).strftime("%H:%M:%S UTC")
        return status

    def _digest_now(self) -> str:
        """Name of the parameters in force, made anew only when they have changed."""
        if self._digest[0] != self.session.rev:
            self._digest = (self.session.rev, self.session.tree.digest())
        return self._digest[1]

    def _write_manifest(self) -> None:
        publishes = self.publishes
        with self.lock:
            self._manifest_rev = self.session.rev
            built = external.manifest(
                self.session, publishes.probes, publishes.weights, publishes.more
            )
        write_durable(self.files.manifest, dumps(built).encode())
