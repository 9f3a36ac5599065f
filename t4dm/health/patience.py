"""For how long a finding has to be away until it is over: longer each time that it came back.

Where nobody changes anything, a symptom that was over and is there again was never over: the network
swings.  As routers do with a route that comes and goes (RFC 2439), the doctor then waits for longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from t4dm.health.presets import base

TIMES = 2  # as long as it was away the last time, and as it had to be


class Spans(NamedTuple):
    """In looks in a row."""

    confirm: int  # seen until it is found
    clear: int  # unseen until it is over, where something was done about it since it was found
    steady: int  # the same where nothing was
    longest: int  # the same where it came back again and again


class Act(NamedTuple):
    """What was last done from outside: which parameters were set, and what was injected, before the look
    at ``step``, as :func:`touched` names them."""

    step: int = 0
    what: frozenset[str] = frozenset()

    def among(self, commands: Iterable[Mapping[str, Any]]) -> bool:
        """Whether any of it is what these ``commands`` do."""
        return not self.what.isdisjoint(touched(command) for command in commands)


def touched(command: Mapping[str, Any]) -> str:
    """What ``command`` acts on: a parameter, that of all stages for one of a stage, ``inject DA``, or its
    type."""
    path = command.get("path")
    return base(path) if path else " ".join([command["type"], *filter(None, [command.get("nt")])])


class Patience:
    """That of one finding; ``returns``: how often it came back since anything was done about it."""

    def __init__(self) -> None:
        self.returns = self._asked = 0
        self._away = 0  # looks since it was last seen
        self._acted = 0  # the step of the last act about it
        self._known = False  # whether it was found since something was done about it, or stood then

    def acted(self, step: int, stands: bool) -> None:
        """The last act about it, which its remedies name, is of ``step``: the count begins anew."""
        if step != self._acted:
            self._acted, self._known = step, stands
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
        usual = spans.clear if since < self._acted else spans.steady
        return max(usual, min(self._asked, spans.longest))
