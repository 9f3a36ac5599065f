"""The loss taken in pieces is the loss of the whole table of logits, and so is its gradient."""

import pytest
import torch
import torch.nn.functional as F

from t4dm.training import head_loss as module
from t4dm.training.head_loss import head_loss


def made(dtype, n=(3, 7), dim=8, vocab=11):
    draws = torch.Generator().manual_seed(4)
    hidden = torch.randn(*n, dim, generator=draws).to(dtype).requires_grad_()
    weight = torch.randn(vocab, dim, generator=draws).to(dtype).requires_grad_()
    return hidden, weight, torch.randint(0, vocab, n, generator=draws)


@pytest.mark.parametrize("piece", [1, 33, 1 << 22])
def test_loss_and_gradient_are_those_of_cross_entropy(monkeypatch, piece):
    monkeypatch.setattr(module, "PIECE", piece)
    hidden, weight, targets = made(torch.float64)
    mean, each = head_loss(hidden, weight, targets)
    whole = F.cross_entropy((hidden @ weight.T).flatten(0, 1), targets.flatten(), reduction="none")
    torch.testing.assert_close(each, whole.view_as(targets).detach(), rtol=1e-12, atol=1e-12)
    ours = torch.autograd.grad(3.0 * mean, [hidden, weight])
    theirs = torch.autograd.grad(3.0 * whole.mean(), [hidden, weight])
    for mine, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, right, rtol=1e-10, atol=1e-12)


def test_large_logits_stay_finite():
    hidden, weight, targets = made(torch.float32)
    mean, each = head_loss(1e4 * hidden, weight, targets)
    assert bool(mean.isfinite()) and bool(each.isfinite().all())


def test_bfloat16_is_summed_in_float32():
    hidden, weight, targets = made(torch.bfloat16)
    mean, each = head_loss(hidden, weight, targets)
    mean.backward()
    assert mean.dtype == each.dtype == torch.float32
    assert hidden.grad is not None and hidden.grad.dtype == torch.bfloat16


def test_nothing_is_learnt_without_gradient():
    hidden, weight, targets = made(torch.float32)
    with torch.no_grad():
        mean, _ = head_loss(hidden, weight, targets)
    assert not mean.requires_grad
