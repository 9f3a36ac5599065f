"""Answers of requests that carry a key: one that is sent again is answered as the first, not applied.

They stand in the log of commands beside what they answer, so that a kill of the worker between the
two sendings makes no difference.  A request that is answered later, when its steps are done, stands
there from its beginning, with the step it goes to.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, NamedTuple

from t4dm.live.frame import dumps
from t4dm.live.server import Request, failure

MOST = 256  # keys of one session
TOLD_BYTES = 16_000  # of one answer in the log; of a longer one only where and when
SHORT = ("ok", "rev", "step", "t_ms", "mono_ns")
REUSED = "Idempotency-Key: was used for another request of this session; choose a new one"
Answer = dict[str, Any]


class Begun(NamedTuple):
    """A request whose steps a kill interrupted: what it answers beside where it ended."""

    answer: Answer
    goal: int
    run_id: int


class Remembered:
    """The newest :data:`MOST` keys; ``told`` are the entries of the log, oldest first."""

    def __init__(self, told: Iterable[dict[str, Any]] = ()) -> None:
        self._entries = OrderedDict((entry["key"], entry) for entry in told)
        self._untold: list[dict[str, Any]] = []
        self._in_work: dict[str, list[Request]] = {}

    def answer_of(self, request: Request) -> Answer | None:
        """What a request with this key was answered; None where it is the first or still in work.

        A refusal where the key belongs to another body, or to the same at another revision.
        """
        if not request.key:
            return None
        if request.key in self._in_work:
            same = _digest(self._in_work[request.key][0]) == _digest(request)
            return None if same else _reused()
        entry = self._entries.get(request.key)
        if entry is None:
            return None
        if entry["body"] != _digest(request):
            return _reused()
        return None if "goal" in entry else entry["answer"]

    def begun(self, request: Request) -> Begun | None:
        """What the first request with this key had begun when the worker was killed."""
        entry = self._entries.get(request.key)
        if entry is None or "goal" not in entry:
            return None
        return Begun(entry["answer"], entry["goal"], entry["run_id"])

    def begin(self, request: Request, begun: Begun | None = None) -> None:
        """``request`` is answered later: one with its key waits for the same answer.

        With ``begun``, what it has done already is in the next line of the log.
        """
        if not request.key:
            return
        self._in_work[request.key] = [request]
        if begun is not None:
            self._untold.append(_entry(request, *begun))

    def joins(self, request: Request) -> bool:
        """Whether ``request`` now waits for what one with its key is answered."""
        first = self._in_work.get(request.key)
        if first is not None:
            first.append(request)
        return first is not None

    def end(self, request: Request, answer: Answer) -> list[Request]:
        """Keep ``answer`` unless it refuses; returns all requests that it answers."""
        if not request.key:
            return [request]
        if answer["ok"]:
            self._keep(request, answer)
        return self._in_work.pop(request.key, [request])

    def take_untold(self) -> tuple[dict[str, Any], ...]:
        """``{"key", "body", "answer"}`` of what no line of the log has told."""
        untold, self._untold = tuple(self._untold), []
        return untold

    def _keep(self, request: Request, answer: Answer) -> None:
        told = _entry(request, answer)
        self._untold.append(told)
        self._entries.pop(request.key, None)
        self._entries[request.key] = told | {"answer": json.loads(dumps(answer))}
        while len(self._entries) > MOST:
            self._entries.popitem(last=False)


def _entry(
    request: Request, answer: Answer, goal: int | None = None, run_id: int = 0
) -> dict[str, Any]:
    text = dumps(answer)
    if len(text) > TOLD_BYTES:
        text = dumps({name: answer[name] for name in SHORT if name in answer} | {"short": True})
    entry = {"key": request.key, "body": _digest(request), "answer": json.loads(text)}
    return entry if goal is None else entry | {"goal": goal, "run_id": run_id}


def _reused() -> Answer:
    return failure("key_reused", "Idempotency-Key", REUSED)


def _digest(request: Request) -> str:
    """What the key stands for: the body, and the revision where it was meant for one."""
    asked = request.body if request.if_rev is None else {"of": request.body, "rev": request.if_rev}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
