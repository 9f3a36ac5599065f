"""Answers by key: one that is sent again, early or late, gets what the first got."""

from t4dm.live.remembered import MOST, TOLD_BYTES, Begun, Remembered
from t4dm.live.server import Request

BODY = {"type": "inject", "nt": "DA", "level": 0.1}


def asked(body=BODY, key="once"):
    return Request("commands", body, key=key)


def answer(step=1, **fields):
    return {"ok": True, "step": step, **fields}


def test_the_first_answer_is_given_again():
    remembered = Remembered()
    first = asked()
    assert remembered.answer_of(first) is None
    assert remembered.end(first, answer(3)) == [first]
    assert remembered.answer_of(asked()) == answer(3)
    assert remembered.answer_of(asked(dict(reversed(BODY.items())))) == answer(3)
    assert remembered.answer_of(asked(key="")) is None


def test_another_body_under_the_key_is_refused():
    remembered = Remembered()
    remembered.end(asked(), answer())
    refusal = remembered.answer_of(asked(BODY | {"level": 0.2}))
    assert refusal["error"]["code"] == "key_reused"
    assert refusal["error"]["field"] == "Idempotency-Key"


def test_the_same_body_for_another_revision_is_refused():
    def at(rev):
        return Request("commands", BODY, key="once", if_rev=rev)

    remembered = Remembered()
    remembered.begin(at(3))
    assert remembered.answer_of(at(3)) is None and remembered.joins(at(3))
    assert remembered.answer_of(at(4))["error"]["code"] == "key_reused"
    remembered.end(at(3), answer())
    assert remembered.answer_of(at(3)) == answer()
    for other in (at(4), at(None)):
        assert remembered.answer_of(other)["error"]["code"] == "key_reused"


def test_one_that_comes_while_the_first_is_in_work_waits_for_its_answer():
    remembered = Remembered()
    first, second = asked(), asked()
    remembered.begin(first)
    assert remembered.answer_of(second) is None
    assert remembered.joins(second) and not remembered.joins(asked(key="other"))
    assert remembered.answer_of(asked({"type": "pause"}))["error"]["code"] == "key_reused"
    assert remembered.end(first, answer(9)) == [first, second]
    assert remembered.answer_of(asked()) == answer(9)


def test_a_refusal_is_not_kept():
    remembered = Remembered()
    remembered.end(asked(), {"ok": False, "error": {}})
    assert remembered.answer_of(asked()) is None and remembered.take_untold() == ()


def test_the_log_is_told_each_once():
    remembered = Remembered()
    remembered.end(asked(), answer(new="x"))
    entries = remembered.take_untold()
    assert len(entries) == 1 and remembered.take_untold() == ()
    assert Remembered(entries).answer_of(asked()) == answer(new="x")


def test_of_a_long_answer_the_log_holds_where_it_was_applied():
    remembered, new = Remembered(), "x" * TOLD_BYTES
    remembered.end(asked(), answer(7, rev=2, new=new))
    assert remembered.answer_of(asked()) == answer(7, rev=2, new=new)
    after_a_kill = Remembered(remembered.take_untold()).answer_of(asked())
    assert after_a_kill == answer(7, rev=2, short=True)


def test_what_was_begun_is_known_after_a_kill_until_it_is_answered():
    remembered, begun = Remembered(), Begun(answer(3), goal=50, run_id=1)
    remembered.begin(asked(), begun)
    entries = remembered.take_untold()
    again = Remembered(entries)
    assert again.answer_of(asked()) is None and again.begun(asked()) == begun
    assert again.begun(asked(key="other")) is None
    assert again.answer_of(asked({"type": "pause"}))["error"]["code"] == "key_reused"
    again.end(asked(), answer(50))
    assert again.begun(asked()) is None and again.answer_of(asked()) == answer(50)
    whole = Remembered([*entries, *again.take_untold()])
    assert whole.answer_of(asked()) == answer(50)


def test_the_oldest_give_way():
    remembered = Remembered()
    for n in range(MOST + 1):
        remembered.end(asked(key=f"k{n}"), answer(n))
    assert remembered.answer_of(asked(key="k0")) is None
    assert remembered.answer_of(asked(key="k1")) == answer(1)
