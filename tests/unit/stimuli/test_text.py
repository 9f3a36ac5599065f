"""Text: one fixed pattern a character, played in order."""

import numpy as np

from t4dm.live.tree import ParamTree
from t4dm.stimuli.registry import make_stimulus
from t4dm.stimuli.text import ACTIVE_UNITS, letter_pattern


def test_patterns_are_fixed_and_apart():
    assert np.array_equal(letter_pattern("a"), letter_pattern("a"))
    patterns = [letter_pattern(c) for c in "abcdefghijklmnopqrstuvwxyz éЖ漢"]
    assert all(p.sum() == ACTIVE_UNITS for p in patterns)
    assert len({p.tobytes() for p in patterns}) == len(patterns)


def test_pattern_of_a_is_pinned():
    assert np.flatnonzero(letter_pattern("a"))[:5].tolist() == [3, 6, 8, 10, 12]


def test_letters_in_order_and_over_again():
    tree = ParamTree(1)
    tree.replace({"stimulus.kind": "text", "stimulus.text": "xyz", "stimulus.image_ms": 20})
    rows, events, _ = make_stimulus(tree, 0, None).rows(0, 280)
    shown = [e for e in events if e["type"] == "stimulus"]
    assert [e["label"] for e in shown] == ["x", "y", "z", "x"]
    assert [e["index"] for e in shown] == [0, 1, 2, 0]
    silent = letter_pattern("x") == 0
    assert rows[:20, ~silent].any() and not rows[:20, silent].any()


def test_new_text_starts_at_its_first_letter_and_empty_text_rests():
    tree = ParamTree(1)
    tree.replace({"stimulus.kind": "text", "stimulus.text": "xyz"})
    source = make_stimulus(tree, 0, None)
    source.rows(0, 320)
    tree.set("stimulus.text", "q")
    source.params_changed(tree, 320)
    assert source.rows(320, 1)[1][0]["label"] == "q"
    tree.set("stimulus.text", "")
    source.params_changed(tree, 321)
    rows, events, rest = source.rows(321, 400)
    assert not rows.any() and rest.all()
    assert [e["type"] for e in events] == ["rest"]
