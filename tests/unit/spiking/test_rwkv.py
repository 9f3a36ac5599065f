"""RWKV time mixing: the plain sum, stability, causality, streaming."""

import pytest
import torch

from t4dm.spiking.rwkv import RWKVTimeMix


def inputs(steps: int = 25, scale: float = 1.0, dtype=torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return (scale * torch.randn(2, steps, 16, generator=generator, dtype=torch.float64)).to(dtype)


def test_equals_the_plain_exponentially_weighted_mean():
    mix, m = RWKVTimeMix(16, dtype=torch.float64), inputs()
    before = torch.cat([torch.zeros_like(m[:, :1]), m[:, :-1]], 1)
    r, k, v = mix.project(m, before)
    w, rows = mix.decay_rate(), []
    for t in range(m.shape[1]):
        ages = torch.arange(t - 1, -1, -1, dtype=torch.float64)[:, None]
        past = torch.exp(k[:, :t] - ages * w)
        now = torch.exp(mix.bonus + k[:, t])
        total = (past * v[:, :t]).sum(1) + now * v[:, t]
        rows.append(total / (past.sum(1) + now))
    expected = (r * torch.stack(rows, 1)) @ mix.w_out
    torch.testing.assert_close(mix(m)[0], expected)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_finite_at_input_scale_1e4(dtype):
    mix = RWKVTimeMix(16, dtype=dtype)
    z, state = mix(inputs(scale=1e4, dtype=dtype))
    assert z.dtype == dtype
    assert z.isfinite().all()
    assert all(part.isfinite().all() for part in state)


def test_gradients_are_finite_at_input_scale_1e4():
    mix = RWKVTimeMix(16)
    mix(inputs(scale=1e4, dtype=torch.float32))[0].sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in mix.parameters())


def test_streaming_equals_batch():
    mix, m = RWKVTimeMix(16, dtype=torch.float64), inputs()
    whole, last = mix(m)
    state, rows = mix.init_state((2,)), []
    for t in range(m.shape[1]):
        z, state = mix.step(m[:, t], state)
        rows.append(z)
    torch.testing.assert_close(torch.stack(rows, 1), whole)
    for a, b in zip(state, last, strict=True):
        torch.testing.assert_close(a, b)


def test_nothing_looks_into_the_future():
    mix, m = RWKVTimeMix(16, dtype=torch.float64), inputs()
    changed = m.clone()
    changed[:, 10] += 1.0
    before, after = mix(m)[0], mix(changed)[0]
    assert torch.equal(before[:, :10], after[:, :10])
    assert (before[:, 10:] - after[:, 10:]).abs().max() > 1e-6


def test_serotonin_and_decay_set_the_memory():
    mix = RWKVTimeMix(16, dtype=torch.float64)
    torch.testing.assert_close(mix.decay_rate(1.0, 0.5), torch.exp(mix.w0))
    torch.testing.assert_close(mix.decay_rate(2.0, 1.0), torch.exp(mix.w0) * 2.0 / 1.5)
    taus = 1 / mix.decay_rate()
    assert taus.min().item() == pytest.approx(5.0)
    assert taus.max().item() == pytest.approx(200.0)


def test_padding_advances_no_state():
    mix, m = RWKVTimeMix(16, dtype=torch.float64), inputs(8)
    mask = torch.tensor([True, True, False, True, True, False, True, True]).repeat(2, 1)
    z, state = mix(m, mask_BT=mask)
    short, state_short = mix(m[:, mask[0]])
    torch.testing.assert_close(z[:, mask[0]], short)
    for a, b in zip(state, state_short, strict=True):
        torch.testing.assert_close(a, b)
