"""Prosody comes from the text, and only from what has been read."""

import numpy as np
import pytest

from t4dm.hippocampal.prosody import ProsodyState, prosody_of, read_piece

EMPHASIS, QUESTION, BOUNDARY, LENGTH = range(4)


def rows(text):
    """One row a character."""
    return prosody_of(text)[0]


def test_capitals_raise_emphasis_from_the_second_on():
    assert rows("LOUD voice")[:, EMPHASIS].tolist() == [0, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert rows("Anna")[:, EMPHASIS].max() == 0


def test_a_question_rises_an_exclamation_falls_and_both_fade():
    np.testing.assert_allclose(rows("so? ye")[:, QUESTION], [0, 0, 1, 0.8, 0.64, 0.512], rtol=1e-6)
    assert rows("no!")[-1].tolist() == [1.0, -1.0, 1.0, 0.0]


def test_boundaries_are_stops_pauses_and_lines():
    assert rows("a. b, c\n\n")[:, BOUNDARY].tolist() == [0, 1, 0, 0, 0.5, 0, 0, 0.5, 1]


def test_length_grows_with_the_word_and_starts_anew():
    length = rows("abcd ab")[:, LENGTH]
    assert np.all(np.diff(length[:4]) > 0) and length[4] == 0 and length[5] == length[0]
    assert rows("a" * 60)[-1, LENGTH] == 1.0


def test_nothing_looks_ahead():
    text = "Is it HERE? No, it's over THERE!\n\nWell."
    whole = rows(text)
    for cut in range(1, len(text)):
        assert np.array_equal(rows(text[:cut]), whole[:cut])


@pytest.mark.parametrize("cut", [1, 7, 20])
def test_cut_into_calls_it_is_the_same(cut):
    pieces = ["Wha", "t", " a", " DA", "Y", "!", " Rain", "?", "\n", "\n"]
    first, state = prosody_of(pieces[:cut])
    second, _ = prosody_of(pieces[cut:], state)
    assert np.array_equal(np.concatenate([first, second]), prosody_of(pieces)[0])


def test_every_number_stays_in_its_range():
    rng = np.random.default_rng(0)
    letters = "aZ?! .,\n\u00c9\u4e2d0'"
    table = rows("".join(rng.choice(list(letters), 2000)))
    assert table.min() >= -1 and table.max() <= 1 and table.dtype == np.float32


def test_no_text_gives_no_rows_and_an_empty_piece_changes_only_the_fading():
    assert prosody_of([])[0].shape == (0, 4)
    row, state = read_piece("", ProsodyState(3, 2, 1.0, "a"))
    assert row[QUESTION] == pytest.approx(0.8) and state.letters == 3
