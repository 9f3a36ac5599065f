"""After a kill, of a run session: the same requests at the same steps, as ``t4dm.live.replay`` does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from t4dm.live import run_handlers
from t4dm.live.handlers import Refused, parse
from t4dm.live.replay import Replay
from t4dm.params import ParamError


@dataclass
class RunReplay(Replay):
    """Brings a :class:`t4dm.live.run_session.RunSession` to the newest line of the log."""

    def _apply(self, session: Any, request: dict[str, Any]) -> None:
        try:
            commands = parse(request["commands"], session.commands)
            run_handlers.apply(session, commands, request["who"])
        except (Refused, ParamError) as refusal:
            raise self._inexact(f"request {request['n']} is refused now: {refusal}") from None

    def _advance(self, session: Any, step: int) -> None:
        while session.engine.step < step:
            if session.advance() is None:
                raise self._inexact("it has nothing to do by itself before that")
            self._progress(session.engine.step)
