"""The course of a finding: confirmed, cleared, no flapping."""

from t4dm.health.case import Case
from t4dm.health.finding import UNSURE, Remedy, Rule, Verdict

RULE = Rule("odd", "Odd", "warning", "It is odd.", {"a": "Because."}, lambda ev, active: None)


def verdict(severity=None):
    return Verdict("a", "3 of 2", {"x": 3}, (), severity=severity)


def course(case, seen, confirm=2, clear=3):
    """One letter a look: found, cleared, or a point."""
    out = ""
    for step, there in enumerate(seen):
        said = UNSURE if there == "?" else verdict() if there else None
        changes = case.take(said, step, confirm, clear)
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


def test_a_look_that_cannot_tell_counts_neither_as_seen_nor_as_unseen():
    case = Case(RULE)
    assert course(case, [1, "?", "?", 1, "?", "?", "?", "?", 0, 0, "?"]) == "...f......."
    assert case.finding["held"] and case.finding["rule"] == "3 of 2"
    assert course(case, [1]) == "." and not case.finding["held"]
    assert course(case, [0, "?", 0, "?", 0]) == "....c" and case.finding is None
    assert course(Case(RULE), ["?"] * 9) == "........."


def test_a_severity_changes_only_once_the_other_one_stayed():
    case, told = Case(RULE), []
    grades = [None, None, "note", "note", None, "note", "note", "note", None, "note", None, None]
    for step, grade in enumerate(grades):
        changes = case.take(verdict(grade), step, 2, 3)
        told.append(case.severity and case.severity[0] + "!" * len(changes))
    assert told == [None, "w!", "w", "w", "w", "w", "w", "n", "n", "n", "n", "w!"]


# -- what another finding explains ---------------------------------------------------------------


def handed_over(said, changed=None):
    """Whether a case inherits that was explained at looks with these verdicts, and what the first look
    after them changes."""
    case = Case(RULE)
    for step, told in enumerate(said):
        assert case.take_explained(told, step, 3) == [] and case.finding is None
    inherits = case.inherits
    return inherits, [change["state"] for change in case.take(verdict(), 2, 2, 3, changed)]


def test_what_was_seen_while_explained_is_found_at_the_first_look_after():
    assert handed_over([None, verdict()]) == (True, ["found"])
    assert handed_over([verdict(), UNSURE]) == (True, ["found"])
    assert handed_over([verdict(), None]) == (False, [])
    assert handed_over([None, verdict()], changed=1) == (True, [])


def test_what_stands_ends_while_another_finding_explains_it():
    case = Case(RULE)
    course(case, [1, 1])
    ends = [case.take_explained(verdict(), step, 3) for step in range(2, 5)]
    assert [len(changes) for changes in ends] == [0, 0, 1] and case.finding is None


# -- what its cause is ---------------------------------------------------------------------------

TWO = Rule("odd", "Odd", "warning", "", {"a": "A.", "b": "B."}, lambda ev, active: None)


def of(cause, x=3):
    mend = Remedy(cause, f"Mend {cause}", (), "")
    return Verdict(cause, f"{x} of 2", {"x": x}, (mend,))


def told(case):
    return case.finding["cause"]["code"], case.finding["remedies"][0]["id"]


def test_another_cause_is_told_only_once_it_stayed():
    case, causes = Case(TWO), ""
    for step, cause in enumerate("aabbabbabbbbaaa"):
        case.take(of(cause), step, 2, 3)
        causes += told(case)[0] if case.finding else "."
        assert not case.finding or told(case)[0] == told(case)[1]
    assert causes == ".aaaaaaaaabbbba"


def test_settings_changed_within_the_window_leave_cause_and_remedies_as_they_were():
    case = Case(TWO)
    for step in range(2):
        case.take(of("a"), step, 2, 3)
    for step in range(2, 9):
        case.take(of("b", x=step), step, 2, 3, changed=2)
        assert told(case) == ("a", "a") and case.finding["numbers"] == {"x": step}
    course = [case.take(None, step, 2, 3, changed=2) for step in range(9, 12)]
    assert [change[0]["cause"] for change in course if change] == ["a"]


def test_looks_at_settings_of_before_are_none_of_those_that_another_cause_needs():
    case = Case(TWO)
    for step in range(2):
        case.take(of("a"), step, 2, 3)
    for step in range(2, 9):
        case.take(of("b"), step, 2, 3, changed=2)
    causes = []
    for step in range(9, 12):
        case.take(of("b"), step, 2, 3)
        causes.append(told(case)[0])
    assert causes == ["a", "a", "b"]


def test_what_is_found_after_the_change_may_be_told_otherwise():
    case = Case(TWO)
    for step in range(3, 9):
        case.take(of("a" if step < 5 else "b"), step, 2, 3, changed=2)
    assert told(case) == ("b", "b")
