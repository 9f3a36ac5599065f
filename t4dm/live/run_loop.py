"""The main loop of a run session's worker: one step, its record into the ring, what waits, again.

Now and then the whole course goes into the ring as one record (``course: true`` in its meta), and the
status says where: a reader who has nothing yet begins there, and old records may leave the ring.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from t4dm import commands as c
from t4dm.live import run_handlers
from t4dm.live.checkpoint import Keeper
from t4dm.live.command_loop import LOG_BYTES, MAX_PENDING, CommandLoop
from t4dm.live.frame import newest
from t4dm.live.handlers import Refused
from t4dm.live.kept import KeptFiles
from t4dm.live.record import MAX_ROWS, Record, Series
from t4dm.live.ring_writer import RingWriter
from t4dm.live.run_session import RunSession
from t4dm.live.samples import Samples
from t4dm.live.server import CommandServer, Request

STEP_BYTES = 4  # of the number of a row
COURSE_EVERY = 256  # records between two courses,
COURSE_SHARE = 4  # or this part of the ring


class RunWorker(CommandLoop[RunSession]):
    """Drives a :class:`RunSession`; ``folder`` is where its named checkpoints and samples lie."""

    replay_first = False

    def __init__(
        self, session: RunSession, ring: RingWriter, server: CommandServer, keeper: Keeper,
        notes: dict[str, Any], kept: KeptFiles, samples: Samples,
    ) -> None:  # fmt: skip
        super().__init__(session, ring, server, keeper, notes)
        self.kept, self.samples = kept, samples
        self._since_course = self._bytes_since = 0
        self._course_seq = 0
        self._epoch = -1
        session.course.max_rows = rows_that_fit(session.course.series, ring.block)
        server.where = lambda: {"rev": session.rev, "step": session.engine.step}
        self._publish_course()

    # -- time ----------------------------------------------------------------------------------

    def _work(self, now: float) -> None:
        if self._drain(0.0) and self.session.state == "paused":
            return
        if not self._advance():
            self._idle()
        elif (rest := self.session.engine.rest_s) > 0:
            self._drain(rest)

    def _idle(self) -> None:
        """While paused, or with nothing to do: only what commands ask for."""
        waited = self._drain(0.0)
        if self.session.state == "paused" and self._advance(paused=True):
            return
        if not waited:
            super()._idle()

    def _advance(self, paused: bool = False) -> bool:
        """One turn of the engine; False where it waits for a command."""
        began = time.monotonic()
        record = self.session.advance(paused)
        ended = time.monotonic()
        self._busy_s += ended - began
        if record is None:
            return False
        self._mono_ns = time.monotonic_ns()
        self._publish(record)
        if self.session.state == "paused" and not paused:
            self._stood_still()
        elif ended >= self._status_at:
            self._publish_status(ended)
        return True

    def _publish(self, record: Record) -> None:
        events = record.meta["events"]
        if not (record.step1 > record.step0 or record.arrays or events):
            return
        self.samples.take(events, self.session.run_id)
        payload = record.encode(mono_ns=self._mono_ns)
        if record.epoch != self._epoch:
            self._publish_course()
        else:
            self.ring.append(record.step0, record.step1, record.epoch, payload)
        self._since_course += 1
        self._bytes_since += len(payload)
        part = self.ring.block * self.ring.n_blocks // COURSE_SHARE
        if self._since_course >= COURSE_EVERY or self._bytes_since >= part:
            self._publish_course()

    def _publish_course(self) -> None:
        """The whole course as one record; what came before it is needed no more."""
        whole = self.session.whole()
        whole.meta["events"] = newest(whole.meta["events"], self.ring.block // 8)
        payload = whole.encode(mono_ns=self._mono_ns, course=True)
        self._course_seq = self.ring.append(whole.step0, whole.step1, whole.epoch, payload)
        self._since_course = self._bytes_since = 0
        self._epoch = whole.epoch

    # -- commands ------------------------------------------------------------------------------

    def _apply(self, request: Request) -> tuple[Sequence[c.Command], list[tuple[Any, Any]]]:
        session = self.session
        commands = run_handlers.read(session, request.body, request.if_rev)
        before = self._before(commands, request)
        done = run_handlers.apply(session, commands, request.who)
        self._note(commands, request, before)
        if session.epoch != self._epoch:
            self._publish_course()
        return commands, done

    def _command(self, request: Request) -> None:
        try:
            first = run_handlers.read(self.session, request.body, request.if_rev)[0]
        except Refused as refusal:
            self._refuse(request, refusal)
            return
        if not isinstance(first, run_handlers.FILES):
            super()._command(request)
            return
        self._remembered.begin(request)
        self.kept.ask(first, self.session, request, self.server.requests)

    def _refuse(self, request: Request, refusal: Refused) -> None:
        self._tell_refusal(request, refusal.error)
        super()._refuse(request, refusal)

    def _tell_refusal(self, request: Request, error: dict[str, Any]) -> None:
        """Of a request that was told "queued" already the log has to tell it."""
        if request.was_queued():
            self.session.event("refused", message=error["message"], who=request.who)

    def _other(self, request: Request) -> dict[str, Any] | None:
        if request.op == self.kept.DONE:
            self._tell_files()
            return None
        return super()._other(request)

    def _tell_files(self) -> None:
        """Answer what has been done about files, and write it into the log."""
        while (done := self.kept.take_done()) is not None:
            if done.event is not None:
                self.session.event(**done.event)
                self._answer_kept(done.request, self._where() | done.answer)
                continue
            for request in self._remembered.end(done.request, done.answer):
                self._tell_refusal(request, done.answer["error"])
                self._answer(request, done.answer)

    def _where(self) -> dict[str, Any]:
        session = self.session
        now = {"t_ms": None, "mono_ns": time.monotonic_ns()}
        return {"rev": session.rev, "step": session.engine.step, **now}

    # -- what others see -----------------------------------------------------------------------

    def status(self, now: float) -> dict[str, Any]:
        session = self.session
        return {
            "session": session.name,
            "kind": session.kind,
            "axis": session.describe["axis"],
            "pid": os.getpid(),
            "state": session.state,
            "reason": session.reason,
            "finite": True,
            "step": session.engine.step,
            "t_ms": None,
            "epoch": session.epoch,
            "run_id": session.run_id,
            "course": self._course_seq,
            "speed": None,
            "ratio": None,
            "progress": session.engine.progress(),
            "params_rev": session.rev,
            "params_digest": session.tree.digest(),
            "seed": session.engine.seed,
            "mono_ns": self._mono_ns,
            "log": newest(session.log, LOG_BYTES),
            "pending": newest(session.pending[-MAX_PENDING:], LOG_BYTES),
            "health": session.health.status(),
            "kept": self.kept.listed(),
            "checkpoint": {"step": self.keeper.saved_step, "error": self.keeper.error},
            **self.notes,
        }


def rows_that_fit(series: Series, block: int) -> int:
    """Rows of a course that fill three quarters of a block of the ring; an eighth is for events."""
    rows = [one for one in series.values() if one["per_step"]]
    each = sum(math.prod(one["shape"]) * np.dtype(one["dtype"]).itemsize for one in rows)
    return max(2, min(MAX_ROWS, block * 3 // 4 // (each + STEP_BYTES)))
