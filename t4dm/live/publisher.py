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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from t4dm.live import external, paths
from t4dm.live.external import ExternalSession
from t4dm.live.external_files import OWNER
from t4dm.live.frame import dumps
from t4dm.live.main_loop import LOG_BYTES, newest
from t4dm.live.ring_writer import RingWriter
from t4dm.live.segment import GATE_EVERY, GATE_FULL, HIST_BINS, HIST_EVERY, PAIR_BINS, Segment, grid
from t4dm.live.server import CommandServer, Request, failure
from t4dm.live.window import DT_MS
from t4dm.store.files import write_durable

TICK_S = 0.03
STATUS_S = 0.1
IDLE_S = 1.0
CALL_WAIT_S = 5.0  # a change waits so long for the next call of the module
RING_BYTES = 64 * 2**20
RING_SLOTS = 16_384
MAX_BLOCKS = 64  # waiting for the thread; more are dropped, and that is said
MAX_WAITING = 64
MAX_STEPS = 512  # of one segment
MAX_CELLS = 100_000  # membrane samples of one segment, so that it fits a block of the ring
log = logging.getLogger("t4dm.watch")


@dataclass(slots=True)
class Block:
    """What one call of the module showed: ``spikes[g]`` is (T, n) of group g, non-zero: a spike.

    ``u`` (T, W) follows ``watch``; ``theta`` is (G,); ``weights`` are flat arrays, or None where no
    sample was due; ``gate`` is (T, L, D) in 0 to 1.5, None for a script without one; ``events`` are
    kept with their steps, but not in the session's short log.
    """

    steps: int
    spikes: list[np.ndarray]
    u: np.ndarray
    watch: list[int]
    theta: np.ndarray
    weights: list[np.ndarray] | None = None
    gate: np.ndarray | None = None
    events: list[dict[str, Any]] = field(default_factory=list)


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


@dataclass(slots=True)
class Publishes:
    """What is written beside the spikes: probes, names of the weights and ends of their axis."""

    probes: list[str]
    weights: list[str]
    w_hi: list[float]
    more: dict[str, Any] = field(default_factory=dict)


class Publisher:
    """Publishes ``session``; ``failed(sentence)`` is called once where it cannot go on.

    Raises OSError where ring or socket cannot be made.
    """

    def __init__(
        self, session: ExternalSession, files: Files, publishes: Publishes,
        failed: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.session, self.files, self.publishes = session, files, publishes
        self._failed = failed
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
                answer = self.session.answer(request.body, request.who)
            request.answer(answer | {"mono_ns": time.monotonic_ns()})

    @property
    def caught_up(self) -> bool:
        """Whether every step handed over is in the ring."""
        return self._published >= self.recorded

    @property
    def held(self) -> bool:
        """Whether the script is asked to stand still."""
        return self.session.state == "paused"

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
        elif external.is_at_once(request.body):
            with self.lock:
                answer = self.session.answer(request.body, request.who)
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
            block = self._blocks.popleft()
            for first in range(0, block.steps, self._steps_a_segment(block)):
                self._append(block, first, min(block.steps, first + self._steps_a_segment(block)))

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
        self.ring.heartbeat()
        self.ring.progress()
        now = time.monotonic()
        if now < self._status_at:
            return
        self._status_at = now + STATUS_S
        since, steps = self._rate_from
        if now - since >= 1.0:
            self._rate = (self._published - steps) / (now - since)
            self._rate_from = (now, self._published)
        state, reason = self._state(now)
        self.ring.status(self._status(state, reason))
        if self._manifest_rev != self.session.rev:
            self._write_manifest()

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
                "t_ms": self._published * DT_MS, "dt": DT_MS, "epoch": session.epoch,
                "speed": None, "ratio": None, "rate": round(self._rate, 2), "axis": session.axis,
                "params_rev": session.rev, "params_digest": session.tree.digest(), "seed": None,
                "mono_ns": time.monotonic_ns(), "breakpoints": session.breakpoints.to_json(),
                "watch": list(session.engine.watch), "log": newest(session.log, LOG_BYTES),
                "pending": newest(session.pending, LOG_BYTES), "warnings": [],
                "checkpoint": {"step": None, "error": None},
            }  # fmt: skip
        if state == "ended":
            status["ended_at"] = datetime.datetime.now(datetime.UTC).strftime("%H:%M:%S UTC")
        return status

    def _write_manifest(self) -> None:
        publishes = self.publishes
        with self.lock:
            self._manifest_rev = self.session.rev
            built = external.manifest(
                self.session, publishes.probes, publishes.weights, publishes.more
            )
        write_durable(self.files.manifest, dumps(built).encode())


def segment_of(
    block: Block, first: int, last: int, step0: int, publishes: Publishes, axis: str
) -> Segment:
    """Steps [first, last) of ``block`` as the segment that begins at ``step0``."""
    step1 = step0 + last - first
    sizes = [part.shape[1] for part in block.spikes]
    fired = np.concatenate([part[first:last] != 0 for part in block.spikes], axis=1)
    ends = np.cumsum(sizes)[:-1]
    rates = np.column_stack([part.sum(axis=1) for part in np.split(fired, ends, axis=1)])
    hists = grid(step0, step1, HIST_EVERY)
    exc, inh, bounds = histograms(block.weights, publishes, len(hists))
    gate, gate_mean = gates(block, first, last, step0)
    t = last - first
    w_hi = max(publishes.w_hi, default=1.0)
    return Segment(
        step0=step0,
        step1=step1,
        epoch=0,
        spk_n=fired.sum(axis=1).astype(np.uint16),
        spk_id=np.nonzero(fired)[1].astype(np.uint16),
        rates=rates.astype(np.uint16),
        u=np.ascontiguousarray(block.u[first:last], dtype=np.float32),
        theta=np.repeat(block.theta[None].astype(np.float32), t, axis=0),
        levels=np.empty((t, 0), np.float32),
        gains=np.empty((t, 0), np.float32),
        gate=gate,
        gate_mean=gate_mean,
        stim=np.empty((t, 0), np.uint8),
        clamped=np.zeros(rates.shape, np.uint16),
        hist_exc=exc,
        hist_inh=inh,
        bounds=bounds,
        pairs=np.zeros((len(hists), len(publishes.weights), PAIR_BINS), np.uint32),
        meta={
            "watch": block.watch, "hist_steps": hists.tolist(), "w_hi": w_hi, "w_lo": -w_hi,
            "w_max": None, "weights": publishes.weights, "axis": axis,
            "events": [event for event in block.events if step0 <= event["step"] < step1],
            "mono_ns": time.monotonic_ns(),
        },
    )  # fmt: skip


def gates(block: Block, first: int, last: int, step0: int) -> tuple[np.ndarray, np.ndarray]:
    """``gate`` (Tg, L, D) and ``gate_mean`` (Tg, L) on the absolute grid; no wider than 0 without one."""
    at = grid(step0, step0 + last - first, GATE_EVERY) - step0 + first
    if block.gate is None:
        return np.empty((len(at), 0, 0), np.uint8), np.empty((len(at), 0), np.float32)
    rows = block.gate[at]
    bytes_ = np.clip(np.rint(rows / GATE_FULL * 255), 0, 255).astype(np.uint8)
    return bytes_, rows.mean(axis=2).astype(np.float32)


def histograms(
    weights: list[np.ndarray] | None, publishes: Publishes, samples: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``hist_exc``, ``hist_inh`` (M, B, 64) and ``bounds`` (M, B, 2) of ``samples`` equal samples.

    Weights beyond the ends count in the last bin.  Without a sample all counts are 0.
    """
    n = len(publishes.weights)
    exc, inh = (np.zeros((n, HIST_BINS), np.uint32) for _ in range(2))
    bounds = np.full((n, 2), np.nan, np.float32)
    w_hi = max(publishes.w_hi, default=1.0)
    for k, flat in enumerate(weights or []):
        bins = np.clip(flat / w_hi * HIST_BINS, -HIST_BINS, HIST_BINS - 1)
        positive = flat >= 0
        exc[k] = np.bincount(bins[positive].astype(int), minlength=HIST_BINS)
        below = np.floor(bins[~positive]).astype(int) + HIST_BINS
        inh[k] = np.bincount(below, minlength=HIST_BINS)
        bounds[k, 0] = np.mean(flat == 0) if flat.size else np.nan
    stacked = [np.repeat(part[None], samples, axis=0) for part in (exc, inh, bounds)]
    return stacked[0], stacked[1], stacked[2]
