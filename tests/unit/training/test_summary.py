"""The numbers of a run's summary, each by hand."""

import pytest

from t4dm.training import summary as module
from t4dm.training.runs import RUNS
from t4dm.training.summary import distinct_2, loss_at, norms, sleeps


def steps(phases, losses=None, grad_norms=None):
    n = len(phases)
    return [
        {"step": s, "phase": "sleep" if phases[s] == "s" else "wake",
         "loss": (losses or [1.0] * n)[s], "grad_norm": (grad_norms or [1.0] * n)[s]}
        for s in range(n)
    ]  # fmt: skip


def test_sleeps_are_told_by_their_first_and_last_step():
    assert sleeps(steps("wwwsswwwss")) == [[3, 5], [8, 10]]
    assert sleeps(steps("wwssw")) == [[2, 4]]
    assert sleeps(steps("www")) == []


def test_loss_at_a_step_is_the_mean_of_the_wake_steps_before_it(monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 2)
    assert loss_at(steps("wwsww", [9, 4, 100, 2, 50]), 4) == pytest.approx(3.0)


def test_norms_leave_out_the_first_steps_and_count_what_leaves_the_band():
    found = norms(steps("w" * 24, grad_norms=[50.0] + [1.0] * 20 + [0.05, 3.0, 11.0]))
    assert found["largest_in_the_first_steps"] == 50.0
    assert (found["smallest"], found["largest"]) == (0.05, 11.0)
    assert found["outside_the_band"] == 2 and found["median"] == pytest.approx(2.0)


def test_distinct_2_counts_pairs_of_words():
    assert distinct_2(["a b a b", "b c"]) == pytest.approx(3 / 4)
    assert distinct_2(["word"]) == 0.0


def test_first_below_needs_the_mean_of_the_whole_window(monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 2)
    made = steps("wwwsw", [5, 2, 2, 1, 0])
    assert module._first_below(made, 3.0) == 3
    assert module._first_below(made, 0.5) is None


@pytest.mark.parametrize("name", ["memorise", "tiny"])
@pytest.mark.parametrize("lost", ["’", "e"])
def test_a_decoder_that_loses_a_character_is_no_round_trip(name, lost, monkeypatch):
    """The text is held against what was read, not against what the decoder made of it."""
    material = RUNS[name].material()
    assert module._round_trip(material)
    decode = type(material.tokenizer).decode
    monkeypatch.setattr(
        type(material.tokenizer), "decode", lambda self, ids: decode(self, ids).replace(lost, "?")
    )
    assert not module._round_trip(RUNS[name].material())
