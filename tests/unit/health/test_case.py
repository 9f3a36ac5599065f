"""The course of a finding: confirmed, cleared, no flapping."""

from t4dm.health.case import Case
from t4dm.health.finding import Rule, Verdict

RULE = Rule("odd", "Odd", "warning", "It is odd.", {"a": "Because."}, lambda ev, active: None)


def verdict(severity=None):
    return Verdict("a", "3 of 2", {"x": 3}, (), severity=severity)


def course(case, seen, confirm=2, clear=3):
    """One letter a look: found, cleared, or a point."""
    out = ""
    for step, there in enumerate(seen):
        changes = case.take(verdict() if there else None, step, confirm, clear)
        out += changes[0]["state"][0] if changes else "."
    return out


def test_it_is_found_after_confirm_and_over_after_clear_looks_in_a_row():
    assert course(Case(RULE), [1, 1, 1, 0, 0, 0, 0]) == ".f...c."


def test_a_flicker_neither_finds_nor_clears():
    assert course(Case(RULE), [1, 0, 1, 0, 1, 0]) == "......"
    assert course(Case(RULE), [1, 1, 0, 0, 1, 0, 0, 1]) == ".f......"


def test_the_finding_keeps_its_first_step_and_tells_its_newest_numbers():
    case = Case(RULE)
    course(case, [0, 1, 1, 1])
    assert case.finding["since_step"] == 2 and case.finding["state"] == "active"
    case.take(Verdict("a", "5 of 2", {"x": 5}, ()), 4, 2, 3)
    assert case.finding["numbers"] == {"x": 5} and case.finding["since_step"] == 2
    assert case.finding["cause"] == {"code": "a", "text": "Because."}


def test_a_graver_verdict_is_told_again():
    case = Case(RULE)
    assert case.take(verdict("note"), 1, 1, 1)[0]["severity"] == "note"
    assert case.take(verdict("note"), 2, 1, 1) == []
    assert case.take(verdict(), 3, 1, 1)[0]["severity"] == "warning"
