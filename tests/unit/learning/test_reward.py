"""Rewards and dopamine factors."""

import pytest

from t4dm.learning.reward import compute_reward, dopamine_factors


def test_reward_is_the_outcome_less_up_to_half_for_surprise():
    assert compute_reward(outcome="success", prediction_error=0.1) == pytest.approx(0.95)
    assert compute_reward("success", -5.0) == 0.5
    assert compute_reward("failure", 0.0) == -1.0
    assert compute_reward("neutral", 0.7) == 0.0
    assert compute_reward(0.4, 0.0) == 0.4


@pytest.mark.parametrize("outcome", ["succes", 1.5, float("nan")])
def test_unknown_or_impossible_outcomes_are_refused(outcome):
    with pytest.raises(ValueError):
        compute_reward(outcome, 0.0)


def test_a_misspelt_outcome_names_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'success'"):
        compute_reward("succes", 0.0)


def test_a_prediction_error_must_be_finite():
    with pytest.raises(ValueError, match="finite"):
        compute_reward("success", float("inf"))


@pytest.mark.parametrize(
    ("da", "factors"), [(0.5, (1, 1)), (1.0, (1.5, 0.7)), (0.0, (0.5, 1.3)), (2.0, (1.5, 0.7))]
)
def test_dopamine_factors(da, factors):
    assert dopamine_factors(da) == pytest.approx(factors)
