"""What is said about sampled attention: shares, entropy, and when nothing can be said."""

import numpy as np
import pytest

from t4dm.live.attention import query_spikes, relative_entropy, weights_of
from t4dm.live.groups import Layout

ONE = np.zeros((1, 64), "u1")


def sampled(weights: np.ndarray) -> np.ndarray:
    return np.rint(255 * np.atleast_2d(weights)).astype("u1")


def judge(weights: np.ndarray, keys: int = 64, fired: int = 3) -> float:
    rows = np.zeros((1, 64))
    rows[0, 64 - len(weights) :] = weights
    return float(relative_entropy(sampled(rows), np.array([keys]), np.array([fired]))[0])


@pytest.mark.parametrize("keys", [8, 9, 40, 64])
def test_even_weights_are_one_and_a_single_key_is_zero(keys):
    assert judge(np.full(keys, 1 / keys), keys) == pytest.approx(1.0, abs=1e-9)
    assert judge(np.eye(keys)[-1], keys) == 0.0


def test_two_equal_keys_of_sixteen_are_a_quarter():
    """log 2 / log 16."""
    weights = np.zeros(16)
    weights[[3, 9]] = 0.5
    assert judge(weights, 16) == pytest.approx(0.25, abs=1e-9)


def test_rounding_to_bytes_moves_the_entropy_little():
    rng = np.random.default_rng(0)
    for sharpness in (0.5, 1.0, 2.0, 5.0):
        score = sharpness * rng.standard_normal((200, 64))
        weights = np.exp(score) / np.exp(score).sum(1, keepdims=True)
        exact = -(weights * np.log(weights)).sum(1) / np.log(64)
        told = relative_entropy(sampled(weights), np.full(200, 64), np.ones(200))
        assert np.abs(told - exact).max() < 0.06


@pytest.mark.parametrize(("keys", "fired"), [(7, 3), (1, 3), (64, 0)])
def test_too_few_keys_or_no_query_spike_say_nothing(keys, fired):
    assert np.isnan(judge(np.full(keys, 1 / keys), keys, fired))
    assert np.isnan(relative_entropy(ONE, np.array([64]), np.array([1]))[0])


def test_the_queries_are_the_spikes_of_lif_in_at_sampled_steps():
    layout = Layout.stack(4, 8)
    rates = np.arange(40).reshape(10, 4)
    assert query_spikes(rates, layout, 1, step0=6).tolist() == [rates[2, 2], rates[6, 2]]
    with pytest.raises(ValueError, match="no group is LIF in of block 2"):
        query_spikes(rates, layout, 2, step0=6)


def test_weights_are_shares_of_255():
    assert weights_of(np.array([[0, 51, 255]], "u1")).tolist() == [[0.0, pytest.approx(0.2), 1.0]]
