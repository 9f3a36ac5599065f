"""Elastic weight consolidation against closed forms."""

import pytest
import torch
from torch import nn

from t4dm.learning.ewc import compute_fisher, consolidate, penalty


@pytest.fixture
def line():
    model = nn.Linear(1, 1, bias=False).double()
    with torch.no_grad():
        model.weight.fill_(2.0)
    return model


def squared_error(model):
    return lambda sample: (model(sample).squeeze() - 1.0) ** 2


SAMPLES = [torch.tensor([x], dtype=torch.float64) for x in (0.0, 1.0, -1.0)]


def test_fisher_is_the_mean_of_squared_sample_gradients(line):
    """d/dw (w x - 1)^2 = 2 x (w x - 1): 0, 2 and 6 at w = 2; a mean of squares is 40/3."""
    fisher = compute_fisher(line, SAMPLES, squared_error(line))
    assert fisher["weight"].item() == pytest.approx(40 / 3)


def test_penalty_is_a_parabola_around_the_anchor(line):
    held = consolidate(line, {"weight": torch.full((1, 1), 3.0, dtype=torch.float64)})
    assert penalty(line, held, 10.0).item() == 0.0
    with torch.no_grad():
        line.weight += 0.5
    pull = penalty(line, held, 10.0)
    pull.backward()
    assert pull.item() == pytest.approx(0.5 * 10 * 3 * 0.25)
    assert line.weight.grad.item() == pytest.approx(10 * 3 * 0.5)


def test_consolidating_again_adds_to_what_decays(line):
    one = {"weight": torch.ones(1, 1, dtype=torch.float64)}
    held = consolidate(line, one)
    with torch.no_grad():
        line.weight += 1.0
    again = consolidate(line, one, held, decay=0.9)
    assert again.fisher["weight"].item() == pytest.approx(1.9)
    assert again.anchor["weight"].item() == 3.0 and held.anchor["weight"].item() == 2.0


def test_mode_and_gradients_are_as_before_even_after_an_error(line):
    line.train()
    line.weight.grad = torch.ones_like(line.weight)
    compute_fisher(line, SAMPLES, squared_error(line))
    assert line.training and line.weight.grad.item() == 1.0
    with pytest.raises(ZeroDivisionError):
        compute_fisher(line, SAMPLES, lambda sample: 1 / 0)
    assert line.training


def test_unused_and_frozen_weights():
    model = nn.ModuleDict({"used": nn.Linear(1, 1), "idle": nn.Linear(1, 1)})
    model["used"].bias.requires_grad_(False)
    fisher = compute_fisher(model, SAMPLES, lambda x: model["used"](x.float()).sum())
    assert "used.bias" not in fisher and fisher["idle.weight"].item() == 0.0


def test_no_sample_is_refused(line):
    with pytest.raises(ValueError, match="at least one sample"):
        compute_fisher(line, [], squared_error(line))
