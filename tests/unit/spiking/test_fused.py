"""The fused scans against autograd through the step-by-step module, in float64."""

import pytest
import torch
from torch.nn import functional

from t4dm.params import ParamError
from t4dm.spiking.fused import BUSY, SpikeLinear, run_lif, spike_linear
from t4dm.spiking.lif import LIFNeuron

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

T, B, N = 100, 3, 7


def currents(dtype=torch.float64, shape=(T, B, N), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(shape, generator=generator, dtype=torch.float64) * 0.6 + 0.1).to(dtype)


def stepped(neuron, current, u, axis):
    spikes = []
    for step in current.unbind(axis):
        s, u = neuron(step, u)
        spikes.append(s)
    return torch.stack(spikes, axis), u


def gradients(run, current, u):
    """Spikes, last membrane and the gradients of a loss that uses both."""
    current, u = current.clone().requires_grad_(), u.clone().requires_grad_()
    spikes, last = run(current, u)
    weight = currents(current.dtype, spikes.shape, 7)
    ((spikes * weight).sum() ** 2 + (last**3).sum()).backward()
    return spikes.detach(), last.detach(), current.grad, u.grad


@pytest.mark.parametrize("detach_reset", [False, True])
@pytest.mark.parametrize("surrogate", ["atan", "fast_sigmoid", "super_spike"])
@pytest.mark.parametrize("u_max", [10.0, 0.8])
def test_gradients_equal_autograd_through_the_module(surrogate, detach_reset, u_max):
    neuron = LIFNeuron(
        N, 0.87, 0.9, 0.8, u_max, surrogate=surrogate, slope=1.7, detach_reset=detach_reset
    )
    u = currents(shape=(B, N), seed=1) * 0.3
    fused = gradients(lambda i, u: run_lif(neuron, i, u, 0), currents(), u)
    plain = gradients(lambda i, u: stepped(neuron, i, u, 0), currents(), u)
    assert 0.05 < plain[0].mean() < 0.5 and plain[2].abs().max() > 0.1
    for mine, theirs in zip(fused, plain, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("shape", "axis"), [((T, B, N), 0), ((B, T, N), 1), ((B, T, N), -2), ((T, N), 0), ((2, B, T, N), 2)]
)  # fmt: skip
def test_every_place_of_the_time_axis(shape, axis):
    neuron, current = LIFNeuron(N), currents(shape=shape)
    start = torch.zeros_like(current.select(axis, 0))
    spikes, last = run_lif(neuron, current, time_axis=axis)
    want, u = stepped(neuron, current, start, axis)
    assert torch.equal(spikes, want) and spikes.any()
    torch.testing.assert_close(last, u, rtol=0, atol=1e-12)


def test_equal_to_run_and_every_dtype():
    neuron = LIFNeuron(N)
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        current = currents(dtype, (B, T, N))
        spikes, last = run_lif(neuron, current)
        want, u = neuron.run(current)
        assert spikes.dtype == last.dtype == dtype
        assert (spikes != want).sum() <= (0 if dtype == torch.float64 else 3)
        assert torch.equal(spikes, want) is False or torch.allclose(last, u, atol=1e-3)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("bias", [True, False])
def test_spike_linear_is_linear(rate, bias):
    generator = torch.Generator().manual_seed(3)
    x = (torch.rand(5, 11, 13, generator=generator, dtype=torch.float64) < rate).double()
    x *= 1 + torch.rand(x.shape, generator=generator, dtype=torch.float64)
    assert (x != 0).double().mean() < BUSY or rate == 0.9
    got = []
    for product in (spike_linear, functional.linear):
        w = currents(shape=(9, 13), seed=4).requires_grad_()
        b = currents(shape=(9,), seed=5).requires_grad_() if bias else None
        inputs = x.clone().requires_grad_()
        out = product(inputs, w, b)
        (out**2 * currents(shape=out.shape, seed=6)).sum().backward()
        got.append([out, inputs.grad, w.grad, *([b.grad] if bias else [])])
    for mine, theirs in zip(*got, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


def test_a_layer_draws_from_the_generator_it_is_given():
    def weights(seed=None):
        draws = None if seed is None else torch.Generator().manual_seed(seed)
        layers = [SpikeLinear(16, 500, generator=draws) for _ in range(2)]
        return torch.stack([torch.cat([x.weight, x.bias[:, None]], 1) for x in layers])

    before = torch.get_rng_state()
    first, again, other, bare = weights(3), weights(3), weights(4), weights()
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert not torch.equal(first[0], first[1]) and torch.equal(bare[0], bare[1])
    assert 0.249 < first.abs().max() <= 0.25 and abs(first.std() - 0.25 / 3**0.5) < 0.005
    assert SpikeLinear(4, 2, bias=False, dtype=torch.float64).weight.dtype == torch.float64
    assert SpikeLinear(4, 2, device="meta").weight.device.type == "meta"


def test_a_network_of_two_layers_learns_alike():
    generator = torch.Generator().manual_seed(0)
    layers = [SpikeLinear(m, n, generator=generator).double() for m, n in ((12, 10), (10, 8))]
    x = (torch.rand(T, B, 12, generator=generator) < 0.2).double()
    neurons = [LIFNeuron(10), LIFNeuron(8)]
    results = []
    for fused in (True, False):
        h = x
        for layer, neuron in zip(layers, neurons, strict=True):
            layer.zero_grad()
            if fused:
                h, _ = run_lif(neuron, 6 * layer(h), time_axis=0)
            else:
                drive = 6 * functional.linear(h, layer.weight, layer.bias)
                h, _ = stepped(neuron, drive, torch.zeros_like(drive[0]), 0)
        ((h.sum(0) - 5) ** 2).mean().backward()
        results.append([p.grad.clone() for layer in layers for p in layer.parameters()])
    for mine, theirs in zip(*results, strict=True):
        assert theirs.abs().max() > 1e-3
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


def test_what_does_not_fit_is_refused_by_name():
    neuron = LIFNeuron(N)
    for wrong in (torch.zeros(N), torch.zeros(T, N + 1), torch.zeros(T, B, N).transpose(0, 2)):
        with pytest.raises(ParamError, match="current"):
            run_lif(neuron, wrong)
    with pytest.raises(ParamError, match="u must be"):
        run_lif(neuron, torch.zeros(T, B, N), torch.zeros(B + 1, N), 0)
    with pytest.raises(ParamError, match="current"):
        run_lif(neuron, torch.zeros(T, B, N), time_axis=2)
