"""The worker's main loop: take the commands that wait, advance a chunk, publish it, keep it.

Everything that touches the engine happens on this one thread.
"""

from __future__ import annotations

import dataclasses
import os
import queue
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from t4dm import commands as c
from t4dm.live import handlers, replay
from t4dm.live.checkpoint import Keeper
from t4dm.live.frame import dumps
from t4dm.live.observations import Observer
from t4dm.live.pacing import Pacer
from t4dm.live.ring_writer import RingWriter
from t4dm.live.server import CommandServer, Request
from t4dm.live.session import Session
from t4dm.live.trace import Tracer
from t4dm.live.window import DT_MS

IDLE_S = 0.25
REPLAY_S = 2.0  # of the engine's time between two checkpoints, as far as the disk allows
STATUS_S = 0.05
REMEMBERED_KEYS = 256
MAX_PENDING = 32
RECORD_BYTES, STEP_BYTES = 64_000, 4_000  # of a record whatever its length, and of a step
LOG_BYTES = 16_000  # of each list of events in the status, which holds 64 kB


class Worker:
    """Drives ``session`` in :meth:`loop`; ``notes`` is what the status says of the start."""

    def __init__(
        self, session: Session, ring: RingWriter, server: CommandServer, keeper: Keeper,
        notes: dict[str, Any],
    ) -> None:  # fmt: skip
        self.session, self.ring, self.server, self.keeper = session, ring, server, keeper
        self.notes = notes
        self.pacer = Pacer(session.speed)
        self.observer = Observer(session)
        self.tracer = Tracer()
        self.stopping = False
        self._longest = longest_chunk(session.layout.n_total, ring.block)
        self._stepping: list[tuple[Request, dict[str, Any]]] = []
        self._answered: list[Callable[[], None]] = []  # answers that wait for the status
        self._answers: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._status_at = 0.0
        self._checkpoint_at = time.monotonic()
        self._busy_s = 0.0  # spent in the engine since the last checkpoint
        self._kept_run = session.run_id
        self._mono_ns = time.monotonic_ns()

    def loop(self) -> None:
        """Run until :attr:`stopping`, then keep the last state."""
        while not self.stopping:
            self.ring.progress()
            now = time.monotonic()
            if self.session.state == "paused":
                self._idle()
            else:
                self._work(now)
            self._keep(time.monotonic())
        if self.session.finite:
            self.keeper.checkpoint(self.session.checkpoint())
        self.keeper.line(self.session.line(), lambda durable: None)
        self.keeper.close()

    def stop(self) -> None:
        """End after this chunk; safe from a signal handler or a thread."""
        self.stopping = True
        self.server.requests.put(Request("wake"))

    # -- time ----------------------------------------------------------------------------------

    def _idle(self) -> None:
        self._drain(IDLE_S)
        self._publish_status(time.monotonic())

    def _work(self, now: float) -> None:
        session = self.session
        paced = session.state == "running" and session.speed is not None
        if not paced:
            self._drain(0.0)
            if session.state != "paused":
                self._chunk(self._longest - session.engine.step % 8)
            return
        step = session.engine.step
        n = min(self.pacer.chunk(step), self._longest - step % 8)
        wait = self.pacer.wait_s(now, n)
        if self._drain(wait) or wait > 0.0:
            return
        self._chunk(n)

    def _chunk(self, n: int) -> None:
        began = time.monotonic()
        segment = self.session.advance(n)
        ended = time.monotonic()
        self.pacer.done(ended, segment.step1 - segment.step0, ended - began)
        self._busy_s += ended - began
        self._mono_ns = time.monotonic_ns()
        meta = {**segment.meta, "mono_ns": self._mono_ns}
        segment = dataclasses.replace(segment, meta=meta)
        self.ring.append(segment.step0, segment.step1, segment.epoch, segment.encode())
        self.observer.take(segment)
        if self.session.state == "paused":
            self._stood_still()
        elif ended >= self._status_at:
            self._publish_status(ended)

    def _stood_still(self) -> None:
        """A goal or a breakpoint was reached."""
        self._publish_status(time.monotonic())
        self._answer_steps(self.session.reason)
        self.keeper.line(self.session.line(), lambda durable: None)
        self._send_answers()

    # -- commands ------------------------------------------------------------------------------

    def _drain(self, wait_s: float) -> bool:
        """Answer every request that waits, after waiting at most ``wait_s`` for one.

        The status that an answer speaks of is published before the answer goes out.
        """
        requests = self.server.requests
        try:
            request = requests.get(timeout=wait_s) if wait_s > 0 else requests.get_nowait()
        except queue.Empty:
            return False
        while True:
            self._handle(request)
            try:
                request = requests.get_nowait()
            except queue.Empty:
                break
        self._publish_status(time.monotonic())
        self._send_answers()
        return True

    def _send_answers(self) -> None:
        for send in self._answered:
            send()
        self._answered.clear()

    def _answer(self, request: Request, answer: dict[str, Any]) -> None:
        self._answered.append(lambda: request.answer(answer))

    def _handle(self, request: Request) -> None:
        if request.op == "params":
            self._answer(request, {"ok": True, **self.session.params()})
        elif request.op == "commands":
            if request.key and request.key in self._answers:
                self._answer(request, self._answers[request.key])
            else:
                self._command(request)
        elif request.op == "trace":
            refused = self.tracer.ask(self.session.engine, request, self._where())
            if refused is not None:
                self._answer(request, refused)
        elif request.op != "wake":
            error = {"field": "op", "message": "op is one of commands, params, trace"}
            self._answer(request, {"ok": False, "error": {"code": "invalid", **error}})

    def _command(self, request: Request) -> None:
        session = self.session
        try:
            commands = handlers.parse(request.body)
            handlers.check_rev(session, request.if_rev)
            handlers.validate(session, commands)
            speed, state = session.speed, session.state
            before = {"step": session.engine.step, "who": request.who}
            if any(isinstance(command, c.Reset) for command in commands):
                before["values"] = session.tree.non_default()
            done = handlers.apply(session, commands, request.who)
        except handlers.Refused as refusal:
            self._answer(request, {"ok": False, "error": refusal.error})
            return
        if changing := replay.dynamic(commands, request.body):
            session.note_applied(before | {"commands": changing})
        if (speed, state) != (session.speed, session.state):
            self.pacer.restart(session.speed)
        answer = {"ok": True, **self._where()}
        results = [{"old": old, "new": new} for old, new in done]
        answer |= {"results": results} if isinstance(request.body, list) else results[0]
        if request.key:
            self._answers[request.key] = answer
            while len(self._answers) > REMEMBERED_KEYS:
                self._answers.popitem(last=False)
        self._acknowledge(request, answer, handlers.is_kept(commands))

    def _acknowledge(self, request: Request, answer: dict[str, Any], kept: bool) -> None:
        """Answer now, when the settings are on the disk, or when the steps are done."""
        stepping = self.session.state == "stepping"
        if self._stepping and not stepping:
            self._answer_steps("interrupted")
        if stepping and _asks_steps(request.body):
            self._stepping.append((request, answer))
        elif kept:
            self._answer_kept(request, answer)
        else:
            self._answer(request, answer)

    def _answer_kept(self, request: Request, answer: dict[str, Any]) -> None:
        def synced(durable: bool) -> None:
            request.answer(answer if durable else answer | {"durable": False})

        line = self.session.line()
        self._answered.append(lambda: self.keeper.line(line, synced))

    def _answer_steps(self, reason: str) -> None:
        for request, answer in self._stepping:
            self._answer_kept(request, answer | self._where() | {"reason": reason})
        self._stepping.clear()

    def _where(self) -> dict[str, Any]:
        session = self.session
        now = {"t_ms": session.t_ms, "mono_ns": time.monotonic_ns()}
        return {"rev": session.rev, "step": session.engine.step, **now}

    # -- what others see -----------------------------------------------------------------------

    def _publish_status(self, now: float) -> None:
        self._status_at = now + STATUS_S
        self.ring.status(self.status(now))

    def status(self, now: float) -> dict[str, Any]:
        session = self.session
        moving = session.state != "paused"
        return {
            "session": session.name,
            "pid": os.getpid(),
            "state": session.state,
            "reason": session.reason,
            "finite": session.finite,
            "step": session.engine.step,
            "t_ms": session.t_ms,
            "dt": DT_MS,
            "epoch": session.epoch,
            "speed": session.speed or "max",
            "ratio": round(self.pacer.ratio(now), 3) if moving else 0.0,
            "params_rev": session.rev,
            "params_digest": session.tree.digest(),
            "seed": session.engine.seed,
            "mono_ns": self._mono_ns,
            "breakpoints": session.breakpoints.to_json(),
            "watch": list(session.engine.watch),
            "log": newest(session.log, LOG_BYTES),
            "pending": newest(session.pending[-MAX_PENDING:], LOG_BYTES),
            "health": session.doctor.status(),
            "checkpoint": {"step": self.keeper.saved_step, "error": self.keeper.error},
            **self.notes,
        }

    def _keep(self, now: float) -> None:
        """A checkpoint now and then: so often that what came since is soon run again."""
        age, due = now - self._checkpoint_at, self.keeper.pause_s
        if self._busy_s > REPLAY_S or self._kept_run != self.session.run_id:
            due = min(due, self.keeper.rest_s)
        if age < due or not self.keeper.idle:
            return
        self._checkpoint_at, self._busy_s, self._kept_run = now, 0.0, self.session.run_id
        if self.session.finite and self.session.engine.step != self.keeper.saved_step:
            self.keeper.checkpoint(self.session.checkpoint())


def longest_chunk(n_total: int, room: int) -> int:
    """Steps, a multiple of 8 from 8 to 64, whose record fits ``room`` bytes if every neuron fires."""
    each = 2 * n_total + n_total // 8 + STEP_BYTES  # ids of spikes, gate, and the rest
    return max(8, min(64, (room - RECORD_BYTES) // each // 8 * 8))


def newest(events: Iterable[dict[str, Any]], room: int) -> list[dict[str, Any]]:
    """The newest of ``events``, in order, whose JSON text fits ``room`` bytes."""
    kept: list[dict[str, Any]] = []
    for event in reversed(list(events)):
        room -= len(dumps(event)) + 1
        if room < 0:
            break
        kept.append(event)
    return kept[::-1]


def _asks_steps(body: Any) -> bool:
    last = body[-1] if isinstance(body, list) else body
    return last["type"] == "step"
