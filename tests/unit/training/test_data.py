"""Tokens, prosody and batches."""

import numpy as np
import pytest

from t4dm.hippocampal.prosody import prosody_of
from t4dm.training.data import TokenText
from t4dm.training.tokenizer import ByteTokenizer, LearnedTokenizer

ODD = "Café — 中文 🦆\r\n\tIs it  HERE?\n\n  No!\x00 end "


@pytest.fixture(scope="session")
def learned(english):
    return LearnedTokenizer.learn(english, 400)


def test_bytes_go_round(english):
    tokenizer = ByteTokenizer()
    for sample in (english, ODD, ""):
        assert tokenizer.decode(tokenizer.encode(sample)) == sample
    assert [tokenizer.piece(i) for i in tokenizer.encode("aé")] == ["a", "", ""]


def test_a_learned_vocabulary_goes_round_and_is_shorter(english, learned):
    for sample in (english, ODD, ""):
        assert learned.decode(learned.encode(sample)) == sample
    assert learned.vocab_size == 400
    assert len(learned.encode(english)) < 0.7 * len(english)
    assert learned.piece(learned.encode(" the")[0]).startswith(" ")


def test_a_learned_vocabulary_is_one_text_that_can_be_kept(english, learned):
    again = LearnedTokenizer(learned.definition)
    assert again.encode(english[:2000]) == learned.encode(english[:2000])
    with pytest.raises(ValueError, match="256 or more, got 20"):
        LearnedTokenizer.learn("abc", 20)


def test_targets_are_the_next_token(text):
    batch = text.batch(0, 3, 5, 20)
    assert batch.ids.shape == batch.targets.shape == (5, 20) and batch.prosody.shape == (5, 20, 4)
    assert np.array_equal(batch.ids[:, 1:], batch.targets[:, :-1])


def test_a_batch_depends_on_seed_and_step_alone(text):
    first, again = text.batch(1, 7, 4, 16), text.batch(1, 7, 4, 16)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    for seed, step in ((1, 8), (2, 7)):
        assert not np.array_equal(first.ids, text.batch(seed, step, 4, 16).ids)


def test_every_part_of_the_text_is_drawn():
    small = TokenText(np.arange(30), np.zeros((30, 4), np.float32))
    starts = {int(s) for step in range(200) for s in small.batch(0, step, 4, 10).ids[:, 0]}
    assert starts == set(range(20))
    assert {int(t) for step in range(200) for t in small.batch(0, step, 4, 10).targets[:, -1]} >= {
        29
    }


def test_prosody_is_that_of_the_text(english, text):
    assert np.array_equal(text.prosody[:500], prosody_of(english[:500])[0])


def test_split_and_windows_cover_the_text_once(text):
    train, held = text.split(0.25)
    assert len(train) + len(held) == len(text) and len(held) == round(len(text) / 4)
    windows = held.windows(100)
    assert np.array_equal(windows.ids.reshape(-1), held.ids[: windows.ids.size])
    assert len(held.windows(100, 3).ids) == 3


def test_a_text_too_short_is_refused_with_what_it_needs():
    with pytest.raises(ValueError, match="12 tokens is too short .* needs at least 17"):
        TokenText(np.arange(12), np.zeros((12, 4))).batch(0, 0, 1, 16)
    with pytest.raises(ValueError, match="do not match"):
        TokenText(np.arange(12), np.zeros((11, 4)))
