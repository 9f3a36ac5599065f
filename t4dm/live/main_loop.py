"""The spiking worker's main loop: take the commands that wait, advance a chunk, publish it, keep it."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from t4dm import commands as c
from t4dm.live import handlers
from t4dm.live.checkpoint import Keeper
from t4dm.live.command_loop import LOG_BYTES, MAX_PENDING, CommandLoop
from t4dm.live.frame import newest
from t4dm.live.observations import Observer
from t4dm.live.pacing import Pacer
from t4dm.live.ring_writer import RingWriter
from t4dm.live.segment import Segment
from t4dm.live.server import CommandServer, Request
from t4dm.live.session import Session

if TYPE_CHECKING:
    from t4dm.live.trace import Tracer

RECORD_BYTES, STEP_BYTES = 64_000, 4_000  # of a record whatever its length, and of a step


class Worker(CommandLoop[Session]):
    """Drives the spiking engine, at the speed asked for."""

    def __init__(
        self, session: Session, ring: RingWriter, server: CommandServer, keeper: Keeper,
        notes: dict[str, Any],
    ) -> None:  # fmt: skip
        super().__init__(session, ring, server, keeper, notes)
        self.pacer = Pacer(session.speed, session.dt / 1000)
        self.observer = Observer(session)
        self._longest = longest_chunk(session.layout.n_total, ring.block)

    @cached_property
    def tracer(self) -> Tracer:
        """Made for the first trace: it loads the engine's module, and torch with it."""
        from t4dm.live.trace import Tracer

        return Tracer()

    # -- time ----------------------------------------------------------------------------------

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
        data = fitting(segment, self.ring.block)
        self.ring.append(segment.step0, segment.step1, segment.epoch, data)
        self.observer.take(segment)
        if self.session.state == "paused":
            self._stood_still()
        elif ended >= self._status_at:
            self._publish_status(ended)

    # -- commands ------------------------------------------------------------------------------

    def _apply(self, request: Request) -> tuple[Sequence[c.Command], list[tuple[Any, Any]]]:
        session = self.session
        commands = handlers.parse(request.body)
        handlers.check_rev(session, request.if_rev)
        handlers.validate(session, commands)
        speed, state = session.speed, session.state
        before = self._before(commands, request)
        done = handlers.apply(session, commands, request.who)
        self._note(commands, request, before)
        if (speed, state) != (session.speed, session.state):
            self.pacer.restart(session.speed)
        return commands, done

    def _other(self, request: Request) -> dict[str, Any] | None:
        if request.op == "trace":
            return self.tracer.ask(self.session.engine, request, self._where())
        return super()._other(request)

    def _where(self) -> dict[str, Any]:
        session = self.session
        now = {"t_ms": session.t_ms, "mono_ns": time.monotonic_ns()}
        return {"rev": session.rev, "step": session.engine.step, **now}

    # -- what others see -----------------------------------------------------------------------

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
            "dt": session.dt,
            "epoch": session.epoch,
            "speed": session.speed or "max",
            "ratio": round(self.pacer.ratio(now), 3) if moving else 0.0,
            "params_rev": session.rev,
            "params_digest": session.tree.digest(),
            "seed": session.engine.seed,
            "mono_ns": self._mono_ns,
            "breakpoints": session.breakpoints.status(),
            "watch": list(session.engine.watch),
            "log": newest(session.log, LOG_BYTES),
            "pending": newest(session.pending[-MAX_PENDING:], LOG_BYTES),
            "health": session.doctor.status(),
            "checkpoint": {"step": self.keeper.saved_step, "error": self.keeper.error},
            **self.notes,
        }


def fitting(segment: Segment, room: int) -> bytes:
    """The record of ``segment``; where it has no room for them, without the matrices of the weights
    and of the attention.
    """
    data = segment.encode()
    if len(data) <= room or not segment.matrix.size:
        return data
    matrix, heads = segment.matrix[:, :0], segment.attention_heads[:, :0]
    return dataclasses.replace(segment, matrix=matrix, attention_heads=heads).encode()


def longest_chunk(n_total: int, room: int) -> int:
    """Steps, a multiple of 8 from 8 to 64, whose record fits ``room`` bytes if every neuron fires."""
    each = 2 * n_total + n_total // 8 + STEP_BYTES  # ids of spikes, gate, and the rest
    return max(8, min(64, (room - RECORD_BYTES) // each // 8 * 8))
