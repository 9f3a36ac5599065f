"""Gradients of LIF neurons over many steps, dtypes, devices, shapes and compilation."""

import math

import numpy as np
import pytest
import torch

from t4dm.spiking.lif import LIFNeuron
from t4dm.spiking.surrogate import SLOPES

STEPS, N = 100, 6


def backward_by_hand(current, weights, alpha, theta, beta, kind, slope, detach):
    """dL/dI of L = sum w*s, from the recursion of the equations, run backwards in numpy.

    lam(t) = w(t) d(t) + alpha*lam(t+1) * (1 - beta*theta*d(t)), d the surrogate slope at u_pre(t);
    without the second term of the bracket when the reset is detached.
    """
    u, u_pre = np.zeros(current.shape[1]), []
    for row in current:
        u_pre.append(alpha * u + row)
        u = u_pre[-1] - beta * theta * (u_pre[-1] >= theta)
    x = torch.as_tensor(np.stack(u_pre) - theta)
    d = SLOPES[kind](x, slope).numpy()
    lam, later = np.zeros_like(current), np.zeros(current.shape[1])
    for t in range(len(current) - 1, -1, -1):
        through = 1.0 if detach else 1 - beta * theta * d[t]
        lam[t] = later = weights[t] * d[t] + alpha * later * through
    return lam


@pytest.mark.parametrize("kind", SLOPES)
@pytest.mark.parametrize("detach", [False, True])
def test_gradients_through_100_steps_are_the_recursion_of_the_equations(kind, detach):
    rng = np.random.default_rng(0)
    current, weights = 0.2 + 0.5 * rng.standard_normal((STEPS, N)), rng.random((STEPS, N))
    lif = LIFNeuron(N, 0.9, 0.8, 0.7, surrogate=kind, slope=3.0, detach_reset=detach)
    leaf = torch.tensor(current, requires_grad=True)
    spikes, _ = lif.run(leaf)
    assert 0.05 < spikes.mean() < 0.9
    (spikes * torch.as_tensor(weights)).sum().backward()
    by_hand = backward_by_hand(current, weights, 0.9, 0.8, 0.7, kind, 3.0, detach)
    np.testing.assert_allclose(leaf.grad.numpy(), by_hand, rtol=1e-9, atol=1e-12)


def test_the_first_input_still_feels_the_last_step():
    leaf = torch.full((STEPS, 1), 0.05, dtype=torch.float64, requires_grad=True)
    _, u = LIFNeuron(1).run(leaf)
    u.sum().backward()
    lower = 0.9 ** (STEPS - 1) * (1 - 2 / math.pi) ** STEPS
    assert lower < leaf.grad[0].item() <= 0.9 ** (STEPS - 1)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_dtype_is_kept_forward_and_backward(dtype):
    leaf = torch.linspace(0, 2, 5 * N).reshape(5, N).to(dtype).requires_grad_()
    lif = LIFNeuron(N)
    done = lif.step(leaf[0], lif.init_state(dtype=dtype))
    assert {part.dtype for part in done[:3]} == {dtype} and done.clamped.dtype == torch.bool
    spikes, u = lif.run(leaf)
    assert (spikes.dtype, u.dtype) == (dtype, dtype)
    (spikes.sum() + u.sum()).backward()
    assert leaf.grad.dtype == dtype and leaf.grad.isfinite().all()


def test_device_is_kept():
    lif = LIFNeuron(N)
    current = torch.empty(3, 5, N, device="meta")
    spikes, u = lif.run(current)
    assert spikes.device.type == u.device.type == "meta"
    assert lif.init_state((3,), device="meta").device.type == "meta"


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_any_batch_shape_gives_each_row_alone(shape):
    generator = torch.Generator().manual_seed(0)
    current = torch.rand(*shape, 20, N, generator=generator)
    spikes, u = LIFNeuron(N).run(current)
    assert spikes.shape == current.shape and u.shape == (*shape, N)
    flat = current.reshape(-1, 20, N)
    for row, found in zip(flat, spikes.reshape(-1, 20, N), strict=True):
        assert torch.equal(LIFNeuron(N).run(row)[0], found)


@pytest.mark.parametrize("kind", SLOPES)
def test_a_step_compiles_whole_and_gives_the_same(kind):
    torch._dynamo.reset()
    lif = LIFNeuron(N, surrogate=kind)
    compiled = torch.compile(lambda i, u: lif.step(i, u), backend="aot_eager", fullgraph=True)
    generator = torch.Generator().manual_seed(0)
    current, grads = torch.randn(10, N, generator=generator).double(), []
    for step in (lif.step, compiled):
        leaf = current.clone().requires_grad_()
        u = lif.init_state(dtype=torch.float64)
        spikes = []
        for row in leaf:
            done = step(row, u)
            u = done.u
            spikes.append(done.spikes)
        (torch.stack(spikes).sum() + u.sum()).backward()
        grads.append((torch.stack(spikes).detach(), leaf.grad))
    assert grads[0][0].sum() > 0
    for a, b in zip(*grads, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
