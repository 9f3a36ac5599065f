"""How a rule says on which side of its limit a value stands: two limits keep a finding from flapping."""

from __future__ import annotations


def beyond(value: float, enter: float, leave: float, form: str = "g") -> str:
    """``above 50%`` where ``value`` is beyond ``enter``; else how far it is from being over.

    A finding is called beyond ``enter`` and stands until ``leave``, which is the smaller of the two
    where large values are ill, the larger where small ones are.
    """
    far, near = ("above", "below") if leave < enter else ("below", "above")
    if value > enter if leave < enter else value < enter:
        return f"{far} {enter:{form}}"
    return f"not yet {near} {leave:{form}} (called {far} {enter:{form}})"
