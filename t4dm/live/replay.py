"""After a kill: from the last checkpoint to where the run had been told to stand, step for step.

The engine is deterministic, so the same requests at the same steps give the same spikes and weights
as the run that was not killed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from t4dm import commands as c
from t4dm.live import handlers
from t4dm.live.breakpoints import nan_hit
from t4dm.live.command_log import History, NotExact
from t4dm.params import ParamError

CHUNK = 64
STILL = (
    c.Run, c.Pause, c.Speed, c.Step, c.BreakOn, c.BreakOff, c.Watch, c.Note,
    c.Checkpoint, c.Forget, c.Branch, c.Sample,
)  # fmt: skip
Tell = Callable[[dict[str, Any]], None]


def dynamic(parsed: Sequence[c.Command], body: Any) -> list[dict[str, Any]]:
    """Of a request, the commands that change what the network does."""
    items = body if isinstance(body, list) else [body]
    return [
        item for command, item in zip(parsed, items, strict=True) if not isinstance(command, STILL)
    ]


@dataclass
class Replay:
    """Brings a session from a checkpoint to the newest line of ``history``.

    ``tell`` hears ``{"from", "to", "step", "left_s"}`` now and then; ``done`` says how long it took.
    """

    history: History
    tell: Tell = lambda progress: None
    _first: int = 0
    _began: float = 0.0
    done: dict[str, Any] | None = None  # {"from", "to", "took_s"} once it is through

    def __call__(self, session: Any, meta: dict[str, Any] | None) -> None:
        """``meta``: of the checkpoint that was loaded; None where the run begins from its seed.

        Raises :class:`NotExact`; the session is then anywhere between.
        """
        newest = self.history.newest
        if newest.settings.get("finite", True) is False:
            raise self._inexact("the run had become not finite and goes on from before that")
        requests = self._requests(session, meta)
        self._first, self._began = session.engine.step, time.monotonic()
        for request in requests:
            self._advance(session, request["step"])
            self._apply(session, request)
        self._advance(session, newest.step)
        session.applied = max(session.applied, newest.applied)
        took = round(time.monotonic() - self._began, 3)
        self.done = {"from": self._first, "to": session.engine.step, "took_s": took}

    def _inexact(self, why: str) -> NotExact:
        return NotExact(why, self.history.newest.applied)

    def _requests(self, session: Any, meta: dict[str, Any] | None) -> list[dict[str, Any]]:
        """What is to be applied; where the run was reset since, the session is put to that moment."""
        applied = 0 if meta is None else meta.get("applied", 0)
        if meta is None and (last := self._last_reset()) is not None:
            applied = last["n"] - 1
        requests = self.history.since(applied)
        if requests is None:
            raise self._inexact("requests before the last ones are missing from the log")
        if meta is None and requests and "values" in requests[0]:
            session.tree.replace(requests[0]["values"])
            session.engine.params_changed(list(session.tree.to_json()["values"]))
            requests[0] = requests[0] | {"step": session.engine.step}
        return requests

    def _last_reset(self) -> dict[str, Any] | None:
        """The newest request that reset the run; such a one tells the values before it."""
        resets = [r for r in self.history.requests.values() if "values" in r]
        return max(resets, key=lambda request: request["n"], default=None)

    def _apply(self, session: Any, request: dict[str, Any]) -> None:
        try:
            commands = handlers.parse(request["commands"])
            handlers.apply(session, commands, request["who"])
        except (handlers.Refused, ParamError) as refusal:
            raise self._inexact(f"request {request['n']} is refused now: {refusal}") from None

    def _advance(self, session: Any, step: int) -> None:
        while session.engine.step < step:
            segment = session.engine.advance(min(CHUNK, step - session.engine.step))
            if nan_hit(segment) is not None:
                raise self._inexact("the run becomes not finite there and goes on from before that")
            self._progress(session.engine.step)

    def _progress(self, step: int) -> None:
        to = self.history.newest.step
        took, done = time.monotonic() - self._began, step - self._first
        left = took / done * (to - step) if done > 0 else 0.0
        self.tell({"from": self._first, "to": to, "step": step, "left_s": round(left, 1)})
