"""Training: the loss falls, the rate follows its target, gradients are clipped, bounds hold."""

import pytest
import torch

from t4dm.learning.gradient import GradientDescent
from t4dm.qwen.training import keep_bounds, rate_loss, train_step


@pytest.fixture
def ids(ids):
    """(2, 12): enough to train on."""
    return ids[:, :12]


def test_the_loss_of_a_text_falls_through_the_spiking_path_alone(make_model, ids):
    model = make_model(mix=0.5)
    for parameter in model.base.parameters():
        parameter.requires_grad_(False)
    train = GradientDescent(model.core.parameters(), 0.01)
    losses = [train_step(model, train, ids).loss for _ in range(8)]
    assert losses[-1] < losses[0] - 0.1


@pytest.mark.parametrize("target", [0.02, 0.4])
def test_the_regulariser_moves_the_rate_to_its_target(make_model, ids, target):
    model = make_model()
    train = GradientDescent(model.core.parameters(), 0.01)
    steps = [
        train_step(model, train, ids, rate_weight=1000.0, target_rate=target) for _ in range(8)
    ]
    assert abs(steps[-1].rate - target) < 0.7 * abs(steps[0].rate - target)


def test_rate_loss_is_the_squared_distance():
    trace = {"a": {"rate": torch.tensor(0.3)}, "b": {"rate": torch.tensor(0.1)}}
    assert rate_loss(trace, 0.1).item() == pytest.approx(0.02)


def test_gradients_are_clipped_and_their_norm_is_told(make_model, ids):
    model = make_model()
    train = GradientDescent(model.parameters(), 1e-6, max_norm=0.01, optimiser=torch.optim.SGD)
    norm = train_step(model, train, ids).grad_norm
    assert norm > 0.1
    left = torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]).norm()
    assert left.item() == pytest.approx(0.01, rel=1e-3)


def test_a_gradient_that_is_not_finite_takes_no_step(make_model, ids):
    model = make_model()
    with torch.no_grad():
        model.core.decoder.bias[0] = torch.nan
    before = [p.clone() for p in model.parameters()]
    train = GradientDescent(model.parameters(), 0.1, optimiser=torch.optim.SGD)
    assert not train_step(model, train, ids).grad_norm < float("inf")
    for old, new in zip(before, model.parameters(), strict=True):
        assert torch.equal(old.nan_to_num(), new.nan_to_num())


def test_recurrent_weights_stay_in_bounds(make_model):
    recurrent = make_model().core.stack.blocks()[0].recurrent
    with torch.no_grad():
        recurrent.weight.copy_(torch.linspace(-3, 3, 32 * 32).reshape(32, 32))
    keep_bounds(recurrent, w_max=0.8)
    w = recurrent.weight.detach()
    exc, inh = w[: recurrent.n_exc], w[recurrent.n_exc :]
    assert exc.min() == 0 and exc.max().item() == pytest.approx(0.8)
    assert inh.min().item() >= -0.8 - 1e-6 and inh.max() <= 0
    assert w.diagonal().abs().max() == 0
