"""For how long a finding has to be away until it is over: longer each time that it came back.

Where nobody changes anything, a symptom that was over and is there again was never over: the network
swings.  As routers do with a route that comes and goes (RFC 2439), the doctor then waits for longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

TIMES = 2  # as long as it was away the last time, and as it had to be


class Spans(NamedTuple):
    """In looks in a row."""

    confirm: int  # seen until it is found
    clear: int  # unseen until it is over, where part of a remedy of it was done since it was found
    steady: int  # the same where nothing was
    longest: int  # the same where it came back again and again


Commands = Sequence[Mapping[str, Any]]


class Act(NamedTuple):
    """What was last done from outside, before the look at ``step``."""

    step: int = 0
    what: frozenset[str] = frozenset()  # the paths that it changed, and ``inject DA``
    off: Mapping[str, Any] = {}  # all that was off its default then, by path
    begun: int = 0  # the look that saw the first of the changes that it closely follows, or its own

    def on(self, commands: Commands) -> tuple[bool, bool]:
        """Whether it did any of ``commands``, or undid one."""
        touched = [self._done(command) for command in commands if _name(command) in self.what]
        return any(touched), not all(touched)

    def completed(self, commands: Commands) -> bool:
        """Whether it did one of ``commands``, and all of them were done then."""
        return self.on(commands)[0] and all(self._done(command) for command in commands)

    def _done(self, command: Mapping[str, Any]) -> bool:
        match command["type"]:
            case "clear":
                return command["path"] not in self.off
            case "set":
                return bool(self.off.get(command["path"]) == command["value"])
        return _name(command) in self.what


def _name(command: Mapping[str, Any]) -> str:
    return command.get("path") or f"{command['type']} {command.get('nt', '')}"


class Patience:
    """That of one finding; ``returns``: how often it came back since a remedy of it was done whole."""

    def __init__(self) -> None:
        self.returns = self._asked = 0
        self._away = 0  # looks since it was last seen
        self.acted_at = 0  # the step of the last act that was part of a remedy of it
        self._last = 0  # of the last one of any kind
        self._known = False  # whether it was found since something was done about it, or stood then

    def acted(self, act: Act, remedies: Sequence[Commands], stands: bool) -> None:
        """``act`` is the last; ``remedies`` are the commands of each.

        A part of one lets it end sooner where it did not come back, and its undoing does not; only a
        whole one begins the count anew: a script that sets this and that in a rhythm heals nothing.
        """
        if act.step == self._last:
            return
        self._last = act.step
        parts = [act.on(commands) for commands in remedies]
        if any(undone for _, undone in parts):
            self.acted_at = 0
        elif any(done for done, _ in parts):
            self.acted_at = act.step
        if any(act.completed(commands) for commands in remedies):
            self.acted_at, self._known = act.step, stands
            self.returns = self._asked = 0

    @property
    def away(self) -> int:
        """For how many looks it has not been seen."""
        return self._away

    def looked(self, away: bool) -> None:
        """At one more look it is not there, or not found yet; or it is."""
        self._away = self._away + 1 if away else 0

    def found(self) -> None:
        """It is found, or graver than it was, at this look."""
        if self._known:
            self.returns += 1
            self._asked = TIMES * max(self._away, self._asked)
        self._known, self._away = True, 0

    def asks(self, spans: Spans, since: int) -> int:
        """How many looks it has to be away, found at step ``since``."""
        usual = spans.clear if since < self.acted_at else spans.steady
        return max(usual, min(self._asked, spans.longest))
