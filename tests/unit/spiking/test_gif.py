"""GIF neurons against their closed forms."""

import pytest
import torch

from t4dm.spiking.gif import GIFNeuron, GIFState, count_spikes


def plain(**more):
    """One neuron whose input is its current."""
    neuron = GIFNeuron(1, 1, **{"decay": 1.0, "rise": 0.0, **more})
    with torch.no_grad():
        neuron.weight.fill_(1.0)
    return neuron


def drive(neuron, currents):
    return neuron.run(torch.tensor(currents)[None, :, None])


def test_what_comes_in_goes_out_as_spikes_or_stays():
    """Without leak, charge is conserved: spikes * theta + v = sum of inputs."""
    spikes, state = drive(plain(), [0.4, 0.4, 0.4, 5.7, 0.0])
    assert spikes.flatten().tolist() == [0, 0, 1, 5, 0]
    assert state.v.item() == pytest.approx(0.9, abs=1e-5)


def test_at_most_sixteen_spikes_a_step_and_never_less_than_none():
    spikes, _ = drive(plain(), [40.0, 0.0, -3.0])
    assert spikes.flatten().tolist() == [16, 16, 5]
    assert drive(plain(), [-3.0])[0].item() == 0


def test_each_spike_takes_a_threshold_off():
    spikes, state = drive(plain(threshold=2.0), [5.0, 0.0])
    assert spikes.flatten().tolist() == [2, 0] and state.v.item() == pytest.approx(1.0)


def test_it_leaks():
    _, state = drive(plain(decay=0.5), [0.8, 0.0, 0.0])
    assert state.v.item() == pytest.approx(0.2)


def test_threshold_rises_with_spikes_and_comes_back():
    neuron = plain(rise=0.5, tau=10.0)
    _, state = drive(neuron, [3.0])
    assert state.theta.item() == pytest.approx(2.5)
    _, state = neuron.run(torch.zeros(1, 200, 1), state)
    assert state.theta.item() == pytest.approx(1.0, abs=1e-3)
    assert drive(neuron, [1.6] * 40)[0].sum() < drive(plain(), [1.6] * 40)[0].sum()


def test_gradient_goes_straight_through_within_the_range():
    v = torch.tensor([-1.0, 0.3, 2.7, 16.5, 18.0], requires_grad=True)
    (slope,) = torch.autograd.grad(count_spikes(v, torch.tensor(2.0), 4).sum(), v)
    assert slope.tolist() == [0.0, 0.5, 0.5, 0.0, 0.0]
    neuron = GIFNeuron(5, 7)
    neuron.run(torch.rand(2, 6, 5))[0].sum().backward()
    assert neuron.weight.grad.abs().max() > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_dtype_and_device_are_kept(dtype):
    neuron = GIFNeuron(5, 7).to(dtype)
    spikes, state = neuron(torch.rand(3, 5, dtype=dtype))
    assert spikes.dtype == state.v.dtype == state.theta.dtype == dtype
    neuron = neuron.to("meta")
    assert neuron.run(torch.rand(3, 2, 5, dtype=dtype, device="meta"))[0].device.type == "meta"


def test_a_train_cut_in_two_is_the_same_train():
    neuron, x = GIFNeuron(5, 7), torch.rand(2, 12, 5, generator=torch.Generator().manual_seed(0))
    whole, end = neuron.run(x)
    first, state = neuron.run(x[:, :5])
    second, last = neuron.run(x[:, 5:], GIFState(*state))
    assert torch.equal(torch.cat([first, second], 1), whole) and torch.equal(last.v, end.v)
