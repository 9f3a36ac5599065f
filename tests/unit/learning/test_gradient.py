"""Gradient descent: clipping, what is told of it, and steps that must not be taken."""

import logging

import pytest
import torch

from t4dm.learning.gradient import GradientDescent


def descent(log_every=1, **more):
    w = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    return w, GradientDescent([w], optimiser=torch.optim.SGD, log_every=log_every, **more)


def test_a_large_gradient_is_scaled_to_the_norm_and_the_true_norm_returned():
    w, train = descent(learning_rate=1.0)
    assert train.step((w**2).sum() / 2) == pytest.approx(5.0)
    torch.testing.assert_close(w.detach(), torch.tensor([2.4, 3.2]))
    w, train = descent(learning_rate=1.0, max_norm=100.0)
    train.step((w**2).sum() / 2)
    assert w.abs().max() == 0


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_changes_nothing_and_is_told(caplog, factor):
    w, train = descent(learning_rate=1.0)
    train.step((w * factor).sum())
    assert w.tolist() == [3.0, 4.0]
    assert "Numerical instability: gradient norm" in caplog.messages[-1]
    assert caplog.records[-1].levelno == logging.ERROR
    assert train.step(w.sum()) > 0 and w.tolist() != [3.0, 4.0]


def test_norms_and_learning_rates_are_told_every_so_often(caplog):
    caplog.set_level(logging.INFO)
    w, train = descent(learning_rate=0.1, log_every=10)
    for step in range(25):
        if step == 3:
            train.learning_rate = 0.01
        train.step(w.sum())
    assert [m for m in caplog.messages if "gradient norm" in m] == [
        "gradient norm 1.41, clipped to 1 in step 0",
        "gradient norm 1.41, clipped to 1 in step 10 (9 more since 0)",
        "gradient norm 1.41, clipped to 1 in step 20 (9 more since 10)",
    ]
    assert [m for m in caplog.messages if "learning_rate changed" in m] == [
        "learning_rate changed: 0.1 -> 0.01 in step 3"
    ]


def test_a_scheduler_is_seen(caplog):
    caplog.set_level(logging.INFO)
    w, train = descent(learning_rate=0.1)
    schedule = torch.optim.lr_scheduler.StepLR(train.optimiser, 2, 0.5)
    for _ in range(3):
        train.step(w.sum())
        schedule.step()
    assert "learning_rate changed: 0.1 -> 0.05 in step 2" in caplog.messages


@pytest.mark.parametrize("more", [{"learning_rate": -1.0}, {"max_norm": 0.0}])
def test_values_out_of_range_are_refused(more):
    with pytest.raises(ValueError, match=f"gradient.{next(iter(more))}: expected a number from"):
        descent(**more)
