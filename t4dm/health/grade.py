"""The severity of a finding that stands: soon graver, milder once it might be over."""

from __future__ import annotations

from collections.abc import Sequence

from t4dm.health.patience import Act, Commands, Patience, Spans


class Grade:
    """That of one finding, from the look on at which it is found."""

    def __init__(self) -> None:
        self._patience = Patience()
        self._patience.found()
        self._eased = False  # whether it became milder than it was
        self._shift = (0, 0)  # to graver (1) or milder (-1), and for how many looks in a row

    def acted(self, act: Act, remedies: Sequence[Commands]) -> None:
        """As :meth:`Patience.acted`."""
        self._patience.acted(act, remedies, stands=True)

    def moves(self, now: int, told: int, spans: Spans, since: int) -> bool:
        """Whether a finding that is told with rank ``told``, found at step ``since``, is of rank ``now``
        from this look on: graver after ``spans.confirm`` looks, milder when it would be over."""
        patience = self._patience
        patience.looked(away=now < told or self._eased)
        way = (now > told) - (now < told)
        looks = self._shift[1] + 1 if way == self._shift[0] else 1
        self._shift = (way, looks)
        if not way or looks < (spans.confirm if way > 0 else patience.asks(spans, since)):
            return False
        if way > 0 and self._eased:
            patience.found()
        self._shift, self._eased = (0, 0), way < 0
        return True
