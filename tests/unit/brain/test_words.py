"""Word vectors by counting."""

import numpy as np
import pytest

from t4dm.brain.words import learn

TEXT = "the cat drinks milk . the dog drinks water . a car burns petrol . a truck burns diesel . "


def test_words_in_alike_company_have_alike_vectors():
    words = learn(TEXT * 30, 14, 4, np.random.default_rng(0))
    alike = {
        name: float(words.vector("cat") @ words.vector(name)) for name in ("dog", "truck", "car")
    }
    assert alike["dog"] > 0.5 and alike["dog"] > max(alike["truck"], alike["car"]) + 0.3


def test_vectors_have_length_one_and_an_unknown_word_its_own_draw():
    words = learn(TEXT * 30, 14, 4, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(words.vectors, axis=1), 1.0, atol=1e-5)
    assert words.knows("CAT") and not words.knows("lion")
    np.testing.assert_array_equal(words.vector("lion"), words.vector("Lion"))
    assert np.linalg.norm(words.vector("lion")) == pytest.approx(1.0, abs=1e-5)
    assert not np.allclose(words.vector("lion"), words.vector("tiger"))


def test_equal_draws_give_equal_vectors():
    one, same = (learn(TEXT * 3, 12, 4, np.random.default_rng(1)) for _ in range(2))
    assert one.places == same.places
    np.testing.assert_array_equal(one.vectors, same.vectors)


def test_a_text_with_too_few_words_is_refused():
    with pytest.raises(ValueError, match="2 different words"):
        learn("yes no yes no", 100, 8, np.random.default_rng(0))
