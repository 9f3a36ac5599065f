"""Bridges: any number of timesteps, dtype kept, gradient through."""

import pytest
import torch

from t4dm.spiking.spike_bridge import (
    ContinuousToSpikeBridge,
    SpikeToContinuousBridge,
    regular_spikes,
)

X = torch.randn(3, 4, 10, generator=torch.Generator().manual_seed(0))


def draws():
    return torch.Generator().manual_seed(1)


@pytest.mark.parametrize("code", ["regular", "poisson"])
@pytest.mark.parametrize("steps", [1, 2, 7, 32])
def test_any_number_of_timesteps(code, steps):
    bridge = ContinuousToSpikeBridge(10, 6, code=code)
    spikes = bridge(X, steps, draws())
    assert spikes.shape == (3, 4, steps, 6)
    assert ((spikes == 0) | (spikes == 1)).all()
    assert SpikeToContinuousBridge(6, 10)(spikes).shape == X.shape


def test_regular_trains_hold_their_count_and_are_even():
    p = torch.tensor([0.0, 0.25, 0.5, 0.99, 1.0])
    train = regular_spikes(p, 100)
    assert train.sum(0).tolist() == [0, 25, 50, 99, 100]
    gaps = train[:, 1].nonzero().flatten().diff()
    assert gaps.unique().tolist() == [4]


def test_poisson_trains_have_their_rate_and_are_repeatable():
    bridge = ContinuousToSpikeBridge(10, 6, code="poisson")
    p = torch.sigmoid(X @ bridge.weight + bridge.bias)
    rate = bridge(X, 4000, draws()).mean(-2)
    assert (rate - p).abs().max() < 5 * (0.25 / 4000) ** 0.5
    assert torch.equal(bridge(X, 9, draws()), bridge(X, 9, draws()))
    with pytest.raises(ValueError, match="pass generator"):
        bridge(X)


def test_what_is_upstream_learns_through_the_spikes():
    """There and back over spikes, a linear map upstream is fitted to a target."""
    torch.manual_seed(0)
    upstream = torch.nn.Linear(10, 10)
    bridge, back = ContinuousToSpikeBridge(10, 24, 16), SpikeToContinuousBridge(24, 10)
    target = torch.sin(X)
    optimizer = torch.optim.Adam(upstream.parameters(), lr=0.05)
    errors = []
    for _ in range(60):
        optimizer.zero_grad()
        error = (back(bridge(upstream(X))) - target).square().mean()
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert upstream.weight.grad.abs().max() > 0 and errors[-1] < 0.6 * errors[0]


@pytest.mark.parametrize("code", ["regular", "poisson"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_dtype_is_kept(code, dtype):
    bridge = ContinuousToSpikeBridge(10, 6, code=code).to(dtype)
    spikes = bridge(X.to(dtype), generator=draws())
    assert spikes.dtype == dtype
    assert SpikeToContinuousBridge(6, 10).to(dtype)(spikes).dtype == dtype


def test_nothing_is_left_on_another_device():
    bridge = ContinuousToSpikeBridge(10, 6).to("meta")
    assert SpikeToContinuousBridge(6, 10).to("meta")(bridge(X.to("meta"))).device.type == "meta"


def test_wrong_values_are_refused_in_words():
    with pytest.raises(ValueError, match="timesteps must be 1 or more, got 0"):
        ContinuousToSpikeBridge(4, 4)(torch.zeros(4), 0)
    with pytest.raises(ValueError, match="did you mean 'regular'"):
        ContinuousToSpikeBridge(4, 4, code="regulr")
