"""The course of a finding: confirmed, cleared, no flapping."""

from t4dm.health.case import Case
from t4dm.health.finding import UNSURE, Remedy, Rule, Verdict
from t4dm.health.patience import Act, Spans

RULE = Rule("odd", "Odd", "warning", "It is odd.", {"a": "Because."}, lambda ev, active: None)


SPANS = Spans(confirm=2, clear=3, steady=3, longest=3)
AT_ONCE = Spans(1, 1, 1, 1)
NONE = Act()


def verdict(severity=None):
    mend = Remedy("back", "Put it back", ({"type": "clear", "path": "lif.v_thresh"},), "")
    return Verdict("a", "3 of 2", {"x": 3}, (mend,), severity=severity)


def about_it(step):
    """The act that completes the remedy of :func:`verdict`."""
    return Act(step, frozenset({"lif.v_thresh"}), {"stimulus.noise_std": 0.4})


def undone(step):
    return Act(step, frozenset({"lif.v_thresh"}), {"lif.v_thresh": 3.0})


def beside_it(step):
    return Act(step, frozenset({"stimulus.noise_std"}), {"lif.v_thresh": 3.0})


def course(case, seen, spans=SPANS, act=NONE, first=0):
    """One letter a look: found, cleared, or a point."""
    out = ""
    for step, there in enumerate(seen, first):
        said = UNSURE if there == "?" else verdict() if there else None
        changes = case.take(said, step, spans, act)
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
    case.take(Verdict("a", "5 of 2", {"x": 5}, ()), 4, SPANS)
    assert case.finding["numbers"] == {"x": 5} and case.finding["since_step"] == 2
    assert case.finding["cause"] == {"code": "a", "text": "Because."}


def test_a_graver_verdict_is_told_again():
    case = Case(RULE)
    assert case.take(verdict("note"), 1, AT_ONCE)[0]["severity"] == "note"
    assert case.take(verdict("note"), 2, AT_ONCE) == []
    assert case.take(verdict(), 3, AT_ONCE)[0]["severity"] == "warning"


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
        changes = case.take(verdict(grade), step, SPANS)
        told.append(case.severity and case.severity[0] + "!" * len(changes))
    assert told == [None, "w!", "w", "w", "w", "w", "w", "n", "n", "n", "n", "w!"]


# -- what another finding explains ---------------------------------------------------------------


def handed_over(said, mixed=False):
    """Whether a case inherits that was explained at looks with these verdicts, and what the first look
    after them changes."""
    case = Case(RULE)
    for step, told in enumerate(said):
        assert case.take_explained(told, step, 3) == [] and case.finding is None
    inherits = case.inherits
    return inherits, [
        change["state"]
        for change in case.take(verdict(), 2, SPANS, Act(1, begun=1), begins=0 if mixed else 1)
    ]


def test_what_was_seen_while_explained_is_found_at_the_first_look_after():
    assert handed_over([None, verdict()]) == (True, ["found"])
    assert handed_over([verdict(), UNSURE]) == (True, ["found"])
    assert handed_over([verdict(), None]) == (False, [])
    assert handed_over([None, verdict()], mixed=True) == (True, [])


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
        case.take(of(cause), step, SPANS)
        causes += told(case)[0] if case.finding else "."
        assert not case.finding or told(case)[0] == told(case)[1]
    assert causes == ".aaaaaaaaabbbba"


def test_settings_changed_within_the_window_leave_cause_and_remedies_as_they_were():
    case = Case(TWO)
    for step in range(2):
        case.take(of("a"), step, SPANS)
    for step in range(2, 9):
        case.take(of("b", x=step), step, SPANS, Act(2, begun=2), begins=1)
        assert told(case) == ("a", "a") and case.finding["numbers"] == {"x": step}
    course = [case.take(None, step, SPANS, Act(2, begun=2), begins=1) for step in range(9, 12)]
    assert [change[0]["cause"] for change in course if change] == ["a"]


def test_looks_at_settings_of_before_are_none_of_those_that_another_cause_needs():
    case = Case(TWO)
    for step in range(2):
        case.take(of("a"), step, SPANS)
    for step in range(2, 9):
        case.take(of("b"), step, SPANS, Act(2, begun=2), begins=1)
    causes = []
    for step in range(9, 12):
        case.take(of("b"), step, SPANS)
        causes.append(told(case)[0])
    assert causes == ["a", "a", "b"]


def test_what_is_found_after_the_change_may_be_told_otherwise():
    case = Case(TWO)
    for step in range(3, 9):
        case.take(of("a" if step < 5 else "b"), step, SPANS, Act(2, begun=2), begins=1)
    assert told(case) == ("b", "b")


def test_remedies_keep_their_values_until_something_is_done():
    case = Case(TWO)

    def put(value, step, acted):
        command = {"type": "set", "path": "input.gain", "value": value}
        mend = Remedy("lower", f"Lower to {value}", (command,), "")
        case.take(Verdict("a", "", {}, (mend,)), step, SPANS, Act(acted))
        return case.finding and case.finding["remedies"][0]["commands"][0]["value"]

    assert [put(value, value, 0) for value in range(5)] == [None, 1, 1, 1, 1]
    assert [put(value, value, 5) for value in range(5, 8)] == [5, 5, 5]


# -- what comes and goes ---------------------------------------------------------------------------

LONG = Spans(confirm=1, clear=2, steady=3, longest=10)


def test_it_is_over_sooner_where_something_was_done_since_it_was_found():
    assert course(Case(RULE), [1, 0, 0, 0], LONG) == "f..c"
    case = Case(RULE)
    course(case, [1], LONG)
    assert course(case, [1, 0, 0], LONG, about_it(1), first=1) == "..c"
    assert course(case, [1, 0, 0, 0], LONG, about_it(1), first=4) == "f..."  # found after it


def test_what_came_back_has_to_be_away_for_twice_as_long():
    case = Case(RULE)
    away = [1, 0, 0, 0, 0]
    assert course(case, away, LONG) == "f..c."
    assert course(case, [*away, 0, 0, 0, 0, 0], LONG) == "f........."
    assert (case.finding["returns"], case.finding["over_after_ms"]) == (1, 1000)
    assert course(case, [0], LONG) == "c"


def test_it_is_never_asked_for_longer_than_the_longest_span():
    case = Case(RULE)
    assert course(case, [1] + 7 * [0], LONG) == "f..c...."
    assert course(case, [1] + 9 * [0], LONG) == "f........."
    assert case.finding["over_after_ms"] == 1000
    assert course(case, [0], LONG) == "c"


def test_no_return_is_forgotten_however_long_it_was_away():
    case = Case(RULE)
    course(case, [1, 0, 0, 0, 1, 0], LONG)
    course(case, 30 * [0] + [1], LONG)
    assert (case.finding["returns"], case.finding["over_after_ms"]) == (2, 1000)


def test_one_that_comes_and_goes_is_over_at_once_where_another_explains_it():
    case = Case(RULE)
    course(case, [1, 0, 0, 0, 1], LONG)
    assert case.finding["over_after_ms"] == 800
    assert [change["state"] for change in case.take_explained(verdict(), 5, 1)] == ["cleared"]


def test_what_is_done_about_it_begins_the_count_anew():
    case = Case(RULE)
    course(case, [1, 0, 0, 0, 1], LONG)
    assert case.finding["returns"] == 1
    assert course(case, [0, 0], LONG, about_it(5), first=5) == ".c"
    course(case, [1], LONG, about_it(5), first=7)
    assert case.finding["returns"] == 1  # it stood when that was done


def test_an_act_beside_it_ends_it_no_sooner():
    case = Case(RULE)
    course(case, [1], LONG)
    told = "".join(course(case, [0, 0, 1], LONG, beside_it(1 + k), first=1 + k) for k in range(9))
    assert set(told) == {"."}  # in a rhythm, whatever it is


def test_a_remedy_that_is_undone_ends_nothing():
    case = Case(RULE)
    course(case, [1], LONG)
    assert course(case, [0], LONG, about_it(1), first=1) == "."
    assert course(case, [0, 1], LONG, undone(2), first=2) == ".."
    assert case.finding["over_after_ms"] == 300


def test_part_of_a_remedy_ends_it_sooner_as_long_as_it_did_not_come_back():
    both = ({"type": "clear", "path": "a"}, {"type": "clear", "path": "b"})
    mend = Remedy("back", "", both, "")

    def letters(case, seen, act, first):
        out = ""
        for step, there in enumerate(seen, first):
            said = Verdict("a", "", {}, (mend,)) if there else None
            out += (case.take(said, step, LONG, act) or [{"state": "."}])[0]["state"][0]
        return out

    case, half = Case(RULE), {"b": 1}
    assert letters(case, [1], NONE, 0) == "f"
    assert letters(case, [0, 0], Act(1, frozenset("a"), half), 1) == ".c"
    assert letters(case, [1], Act(3, frozenset("a"), {"a": 1, "b": 1}), 3) == "f"
    assert letters(case, [0, 0, 0], Act(4, frozenset("a"), half), 4) == "..."  # a rhythm
    assert letters(case, [0], Act(7, frozenset("b"), {}), 7) == "c"


def test_what_completes_a_remedy_and_what_does_not():
    both = ({"type": "clear", "path": "a"}, {"type": "clear", "path": "b"})
    swept = Act(1, frozenset("a"), {"a": 19.9, "b": 1})
    half, whole = Act(2, frozenset("a"), {"b": 1}), Act(3, frozenset("b"), {})
    beside = Act(4, frozenset("c"), {"c": 1})
    acts = (swept, half, whole, beside)
    assert [act.on(both) for act in acts] == [
        (False, True), (True, False), (True, False), (False, False),
    ]  # fmt: skip
    assert [act.completed(both) for act in acts] == [False, False, True, False]
    put = ({"type": "set", "path": "g", "value": 0.2},)
    assert Act(1, frozenset("g"), {"g": 0.2}).completed(put)
    assert not Act(1, frozenset("g"), {"g": 0.3}).completed(put)
    bolus = ({"type": "inject", "nt": "DA", "level": 0.3},)
    assert Act(1, frozenset({"inject DA"}), {}).completed(bolus)
    assert not Act(1, frozenset({"inject NE"}), {}).completed(bolus)


def test_a_severity_that_came_back_stays_for_longer_too():
    case, told = Case(RULE), ""
    for step, grade in enumerate("wnnnnwnnnnnnnnnn"):
        case.take(verdict("note" if grade == "n" else None), step, LONG)
        told += case.severity[0]
    assert told == "wwwnnw" + 9 * "w" + "n"


def test_how_long_it_has_been_away_is_told():
    case = Case(RULE)
    course(case, [1, 1, 0, 0], LONG)
    told = [case.finding[name] for name in ("returns", "away_ms", "over_after_ms")]
    assert told == [0, 200, 300]
    course(case, [1], LONG, first=4)
    assert case.finding["away_ms"] == 0
