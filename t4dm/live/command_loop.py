"""What every worker's loop does beside its engine: commands in, answers out, status, what is kept.

Everything that touches the engine happens on the one thread of :meth:`CommandLoop.loop`.
"""

from __future__ import annotations

import dataclasses
import queue
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from t4dm import commands as c
from t4dm.live import handlers, replay
from t4dm.live.checkpoint import Checkpoint, Keeper
from t4dm.live.command_log import Line
from t4dm.live.remembered import Begun, Remembered
from t4dm.live.ring_writer import RingWriter
from t4dm.live.server import CommandServer, Request
from t4dm.live.tree import ParamTree

IDLE_S = 0.25
STATUS_S = 0.05
MAX_PENDING = 32
LOG_BYTES = 16_000  # of each list of events in the status, which holds 64 kB


class Steered(Protocol):
    """What the loop needs of a session, whatever its engine."""

    engine: Any
    tree: ParamTree
    rev: int
    state: str
    reason: str
    goal: int | None
    run_id: int

    @property
    def finite(self) -> bool: ...
    def params(self) -> dict[str, Any]: ...
    def step(self, n: int) -> None: ...
    def note_applied(self, request: dict[str, Any]) -> None: ...
    def line(self) -> Line: ...
    def checkpoint(self) -> Checkpoint: ...


S = TypeVar("S", bound=Steered)


class CommandLoop(ABC, Generic[S]):
    """Drives ``session`` in :meth:`loop`; ``notes`` is what the status says of the start."""

    replay_first = True  # whether a short replay goes before a disk that rests

    def __init__(
        self, session: S, ring: RingWriter, server: CommandServer, keeper: Keeper,
        notes: dict[str, Any],
    ) -> None:  # fmt: skip
        self.session, self.ring, self.server, self.keeper = session, ring, server, keeper
        self.notes = notes
        self.stopping = False
        self._stepping: list[tuple[Request, dict[str, Any]]] = []
        self._answered: list[Callable[[], None]] = []  # answers that wait for the status
        self._remembered = Remembered(keeper.answers)
        self._unsynced: set[str] = set()  # keys whose requests are on their way to the log
        self._status_at = 0.0
        self._checkpoint_at = time.monotonic()
        self._busy_s = 0.0  # spent in the engine since the last checkpoint
        self._kept_run = session.run_id
        self._mono_ns = time.monotonic_ns()

    @abstractmethod
    def _work(self, now: float) -> None:
        """Go on while not paused: answer what waits, then advance."""

    @abstractmethod
    def _apply(self, request: Request) -> tuple[Sequence[c.Command], list[tuple[Any, Any]]]:
        """The commands of ``request`` and (old, new) of each; raises :class:`handlers.Refused`."""

    @abstractmethod
    def status(self, now: float) -> dict[str, Any]:
        """All that the newest status says."""

    @abstractmethod
    def _where(self) -> dict[str, Any]:
        """Where in the run an answer is from."""

    def _other(self, request: Request) -> dict[str, Any] | None:
        """The answer to a request of another op; None where it comes later."""
        error = {"field": "op", "message": "op is one of commands, params, trace"}
        return {"ok": False, "error": {"code": "invalid", **error}}

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
        self.keeper.line(self._line(), lambda durable: None)
        self.keeper.close()

    def stop(self) -> None:
        """End after this chunk; safe from a signal handler or a thread."""
        self.stopping = True
        self.server.requests.put(Request("wake"))

    def _idle(self) -> None:
        self._drain(IDLE_S)
        self._publish_status(time.monotonic())

    def _stood_still(self) -> None:
        """A goal or a breakpoint was reached.

        The answers' lines come first: they tell the requests that the last line counts.
        """
        self._publish_status(time.monotonic())
        self._answer_steps(self.session.reason)
        self._send_answers()
        self.keeper.line(self._line(), lambda durable: None)

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
            self._once(request)
        elif request.op != "wake":
            answer = self._other(request)
            if answer is not None:
                self._answer(request, answer)

    def _once(self, request: Request) -> None:
        """Do what is asked, unless a request with its key asked for it before."""
        earlier = self._remembered.answer_of(request)
        if earlier is not None:
            self._answer(request, earlier)
        elif self._remembered.joins(request):
            return
        elif (begun := self._remembered.begun(request)) is not None:
            self._go_on(request, begun)
        else:
            self._command(request)

    def _go_on(self, request: Request, begun: Begun) -> None:
        """Take the steps that are left of what a kill interrupted, where that is still wanted."""
        session = self.session
        left = begun.goal - session.engine.step
        same = session.run_id == begun.run_id and session.state == "paused" and session.finite
        if same and left > 0:
            session.step(left)
            self._begin_steps(request, begun.answer)
        else:
            self._answer_kept(request, begun.answer | self._where())

    def _command(self, request: Request) -> None:
        try:
            commands, done = self._apply(request)
        except handlers.Refused as refusal:
            self._refuse(request, refusal)
            return
        answer = {"ok": True, **self._where()}
        results = [{"old": old, "new": new} for old, new in done]
        answer |= {"results": results} if isinstance(request.body, list) else results[0]
        self._acknowledge(request, answer, bool(request.key) or handlers.is_kept(commands))

    def _refuse(self, request: Request, refusal: handlers.Refused) -> None:
        self._answer(request, {"ok": False, "error": refusal.error})

    def _before(self, commands: Sequence[c.Command], request: Request) -> dict[str, Any]:
        """What the log says of a request beside its commands; taken before they are applied."""
        before = {"step": self.session.engine.step, "who": request.who}
        if any(isinstance(command, c.Reset) for command in commands):
            before["values"] = self.session.tree.non_default()
        return before

    def _note(self, commands: Sequence[c.Command], request: Request, before: dict) -> None:
        """Have the log tell of the commands that change what the run does."""
        if changing := replay.dynamic(commands, request.body):
            self.session.note_applied(before | {"commands": changing})

    def _acknowledge(self, request: Request, answer: dict[str, Any], kept: bool) -> None:
        """Answer now, when the settings are on the disk, or when the steps are done."""
        stepping = self.session.state == "stepping"
        if self._stepping and not stepping:
            self._answer_steps("interrupted")
        if stepping and _asks_steps(request.body):
            self._begin_steps(request, answer)
        elif kept:
            self._answer_kept(request, answer)
        else:
            self._answer(request, answer)

    def _begin_steps(self, request: Request, answer: dict[str, Any]) -> None:
        """Answer when the steps are done; what is done already is told to the log where it has a key."""
        self._stepping.append((request, answer))
        goal = self.session.goal
        assert goal is not None
        self._remembered.begin(request, Begun(answer, goal, self.session.run_id))
        if request.key:
            self._unsynced.add(request.key)
            line, key = self._line(), request.key
            self._answered.append(
                lambda: self.keeper.line(line, lambda durable: self._unsynced.discard(key))
            )

    def _line(self) -> Line:
        """The next line of the log, with the answers that no line has told."""
        return dataclasses.replace(self.session.line(), answers=self._remembered.take_untold())

    def _answer_kept(self, request: Request, answer: dict[str, Any]) -> None:
        asking = self._remembered.end(request, answer)
        if request.key:
            self._unsynced.add(request.key)

        def synced(durable: bool) -> None:
            self._unsynced.discard(request.key)
            for one in asking:
                one.answer(answer if durable else answer | {"durable": False})

        line = self._line()
        self._answered.append(lambda: self.keeper.line(line, synced))

    def _answer_steps(self, reason: str) -> None:
        for request, answer in self._stepping:
            self._answer_kept(request, answer | self._where() | {"reason": reason})
        self._stepping.clear()

    # -- what others see -----------------------------------------------------------------------

    def _publish_status(self, now: float) -> None:
        self._status_at = now + STATUS_S
        self.ring.status(self.status(now))

    def _keep(self, now: float) -> None:
        """A checkpoint now and then: so often that what came since is soon run again."""
        if self._unsynced:
            return  # a state that holds what no line tells yet would be taken for one without it
        new_run = self._kept_run != self.session.run_id
        age = now - self._checkpoint_at
        if not self.keeper.due(age, self._busy_s, new_run, self.replay_first):
            return
        self._checkpoint_at, self._busy_s, self._kept_run = now, 0.0, self.session.run_id
        if self.session.finite and self.session.engine.step != self.keeper.saved_step:
            self.keeper.checkpoint(self.session.checkpoint())


def _asks_steps(body: Any) -> bool:
    last = body[-1] if isinstance(body, list) else body
    return last["type"] == "step"
