"""The reading brain as the engine of a run session."""

import json

import numpy as np
import pytest

from t4dm import commands as c
from t4dm.live.brain_engine import SCALARS, SERIES, BrainEngine, held_out_score, vocabulary
from t4dm.live.kinds import kind_of
from t4dm.live.run_session import RunSession
from t4dm.params import ParamError


def engine(text=None, seed=0):
    tree = kind_of("brain").tree({})
    if text is not None:
        tree.set("reading.text", text)
    return BrainEngine({}, tree, seed, None)


def run(one, steps):
    return [one.advance() for _ in range(steps)]


def told(record):
    return json.loads(record.arrays["text"].tobytes())


def scalar(record, name):
    return float(record.arrays["scalars"][0, SCALARS.index(name)])


def test_words_held_out_are_told_good_from_bad():
    """107 words, each fifth held out once: at least 85 % right, where chance is 50 %."""
    share, n = held_out_score()
    assert n == 107 and share >= 0.85
    assert len(vocabulary().places) == 4000


def test_every_array_is_as_the_series_declare_it():
    records = run(engine("Peace! Why?"), 4)
    assert set(records[0].arrays) == set(SERIES)
    assert "text" not in records[1].arrays
    for name, array in records[0].arrays.items():
        assert f"{array.dtype.kind}{array.dtype.itemsize}" == SERIES[name]["dtype"]
        if SERIES[name]["per_step"]:
            assert [1, *SERIES[name]["shape"]] == list(array.shape) and np.isfinite(array).all()


def test_tokens_are_words_and_marks_and_say_what_is_not_known():
    record = run(engine("The king zorblax, came!"), 1)[0]
    tokens = [tuple(one) for one in told(record)["tokens"]]
    assert tokens == [
        ("", "The", "known"), (" ", "king", "known"), (" ", "zorblax", "unknown"),
        ("", ",", "mark"), (" ", "came", "known"), ("", "!", "mark"),
    ]  # fmt: skip


def test_good_and_bad_words_are_felt_and_what_is_not_known_is_neutral():
    records = run(engine("joy sword zorblax"), 3)
    valence = [scalar(record, "valence") for record in records]
    assert valence[0] > 0.4 and valence[1] < -0.4 and abs(valence[2]) < 1e-5
    dopamine = [scalar(record, "dopamine") for record in records]
    assert dopamine == pytest.approx([min(1, max(0, 0.5 + v / 2)) for v in valence], abs=1e-6)


def test_capitals_and_exclamation_stir():
    calm, loud = (run(engine(text), 3)[-1] for text in ("in the house", "IN THE HOUSE"))
    assert scalar(loud, "arousal") > scalar(calm, "arousal") + 0.1


def test_what_is_shown_of_the_basal_ganglia_is_what_they_did():
    """GPi as published gives the release that the module computed."""
    for record in run(engine(), 20):
        shown = np.clip(1 - record.arrays["gpi"] / 0.5, 0, 1)
        np.testing.assert_allclose(shown, record.arrays["release"], atol=1e-5)


def test_the_session_pauses_at_the_end_and_going_on_reads_again():
    session = RunSession("b", "brain", engine("peace and war"))
    records = [session.advance() for _ in range(3)]
    assert session.state == "paused" and session.reason == "the text is read"
    session.run()
    again = session.advance()
    assert told(again)["begun"] == 3 and again.arrays["scalars"][0, -1] == 0
    np.testing.assert_array_equal(again.arrays["scalars"], records[0].arrays["scalars"])


def test_a_new_text_is_read_from_its_first_word_and_one_without_a_word_is_refused():
    one = engine("peace and war")
    run(one, 2)
    one.tree.set("reading.text", "a new day")
    one.params_changed(["reading.text"])
    told_while_it_stands = one.asked()
    assert [token[1] for token in told(told_while_it_stands)["tokens"]] == ["a", "new", "day"]
    assert one.progress() | {"left_s": 0} == {
        "done": 0, "total": 3, "rate": 4.0, "unit": "words", "left_s": 0,
    }  # fmt: skip
    one.tree.set("reading.text", "   ")
    with pytest.raises(ParamError, match="at least one word"):
        one.params_changed(["reading.text"])
    assert len(one.tokens) == 3


def test_an_outcome_is_learnt_from_by_its_error():
    one = engine("the people sang")
    with pytest.raises(ParamError, match="no word was read yet"):
        one.command(c.Outcome(value=1.0))
    felt = scalar(run(one, 3)[-1], "valence")
    before, answer = one.command(c.Outcome(value=-1.0, words=2))
    assert answer["words"] == ["people", "sang"]
    assert answer["error"] == pytest.approx(-1.0 - before, abs=1e-3)
    assert answer["after"] < before
    event = one.asked().meta["events"][0]
    assert event["type"] == "outcome" and event["error"] == answer["error"]
    one.command(c.Read())
    assert scalar(run(one, 3)[-1], "valence") < felt - 0.1
    one.reset(0)
    assert one.reader.valence(one.tokens) == pytest.approx(
        engine("the people sang").reader.valence(one.tokens)
    )


def test_gain_emphasis_and_dopamine_act():
    one = engine("sword sword sword")
    one.tree.set("feelings.gain", 0.0)
    one.tree.set("feelings.dopamine", 1.0)
    first = run(one, 1)[0]
    assert scalar(first, "valence") == 0 and scalar(first, "dopamine") == 1
    one.tree.set("feelings.gain", 1.0)
    assert scalar(run(one, 1)[0], "valence") < -0.4


def test_a_loaded_state_goes_on_bit_for_bit_in_a_session():
    sessions = [RunSession("b", "brain", engine(seed=seed)) for seed in (5, 0)]
    for _ in range(12):
        sessions[0].advance()
    sessions[0].engine.command(c.Outcome(value=1.0))
    sessions[1].take(sessions[0].checkpoint())
    for _ in range(15):
        a, b = (session.advance() for session in sessions)
        for name in SERIES:
            if SERIES[name]["per_step"]:
                np.testing.assert_array_equal(a.arrays[name], b.arrays[name])


def test_other_seeds_have_other_weights_and_the_same_feelings():
    one, other = (run(engine(seed=seed), 6) for seed in (0, 1))
    assert [scalar(r, "valence") for r in one] == [scalar(r, "valence") for r in other]
    assert not np.allclose(one[3].arrays["votes"], other[3].arrays["votes"])
