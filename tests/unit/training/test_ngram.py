"""Counting models: probabilities sum to 1, and equal a plain dictionary version of the same formula."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from t4dm.training.ngram import Trigram, discounts, unigram_losses

VOCAB = 12


@pytest.fixture(scope="module")
def train():
    draws = np.random.default_rng(3)
    ids = [0, 1]
    for _ in range(4000):  # a chain that likes some successors, so that counts of 1 to 4 exist
        ids.append(int((ids[-1] * 5 + ids[-2] + draws.geometric(0.4)) % (VOCAB - 1)))
    return np.array(ids)


def every_next(model, a, b):
    c = np.arange(VOCAB)
    return model.probability(np.full(VOCAB, a), np.full(VOCAB, b), c)


@pytest.mark.parametrize("history", [(0, 1), (3, 3), (11, 2), (5, 11), (11, 11)])
def test_probabilities_sum_to_one_after_known_and_unknown_histories(train, history):
    p = every_next(Trigram(train, VOCAB), *history)
    assert p.sum() == pytest.approx(1.0, abs=1e-12) and (p > 0).all()


def by_dictionaries(train, a, b, c):
    """The formula, written out with dictionaries."""
    triples = Counter(zip(train[:-2], train[1:-1], train[2:], strict=True))
    pairs = Counter((y, z) for _, y, z in triples)
    singles = Counter((z,) for _, z in pairs)
    p = 1.0 / VOCAB
    for counted, history in ((singles, ()), (pairs, (b,)), (triples, (a, b))):
        taken = discounts(np.array(list(counted.values())))
        after = defaultdict(dict)
        for key, n in counted.items():
            after[key[:-1]][key[-1]] = n
        if history not in after:
            continue
        n_after = after[history]
        left = sum(taken[min(n, 3)] for n in n_after.values())
        n = n_after.get(c, 0)
        p = (n - taken[min(n, 3)] + left * p) / sum(n_after.values())
    return p


def test_equals_the_formula_written_with_dictionaries(train):
    model = Trigram(train, VOCAB)
    plain = [int(i) for i in train]
    for a, b in ((0, 1), (4, 7), (11, 3)):
        expected = [by_dictionaries(plain, a, b, c) for c in range(VOCAB)]
        np.testing.assert_allclose(every_next(model, a, b), expected, rtol=1e-12)


def test_losses_use_the_history_given(train):
    model = Trigram(train, VOCAB)
    told = train[100:110]
    losses = model.losses(told[:2], told[2:])
    p = model.probability(told[:-2], told[1:-1], told[2:])
    np.testing.assert_allclose(losses, -np.log(p))


def test_discounts_of_a_sample_in_closed_form():
    counts = np.array([1] * 10 + [2] * 5 + [3] * 2 + [4])
    y = 10 / 20
    expected = [0, 1 - 2 * y * 5 / 10, 2 - 3 * y * 2 / 5, 3 - 4 * y * 1 / 2]
    np.testing.assert_allclose(discounts(counts), expected)


def test_trigram_beats_unigram_on_a_chain(train):
    half = len(train) // 2
    uni = unigram_losses(train[:half], train[half:], VOCAB).mean()
    tri = Trigram(train[:half], VOCAB).losses(train[:half], train[half:]).mean()
    assert tri < uni - 0.2


def test_unigram_by_hand():
    losses = unigram_losses(np.array([0, 0, 1]), np.array([0, 2]), 3)
    np.testing.assert_allclose(losses, -np.log([3 / 6, 1 / 6]))


def test_too_short_a_text_is_refused():
    with pytest.raises(ValueError, match="at least 3 tokens"):
        Trigram(np.array([1, 2]), VOCAB)
