"""Spike attention: rows, causality, timing, streaming."""

import re

import pytest
import torch

from t4dm.spiking.spike_attention import SpikeAttention


def raster(steps: int, dim: int = 32, seed: int = 0, batch: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(batch, steps, dim, generator=generator) < 0.2).double()


def attention(window: int = 64) -> SpikeAttention:
    return SpikeAttention(32, 4, window, dtype=torch.float64)


def test_rows_sum_to_one_and_look_back_at_most_the_window():
    a = attention(window=5)(spikes=raster(20))
    assert a.shape == (2, 4, 20, 20)
    torch.testing.assert_close(a.sum(-1), torch.ones(2, 4, 20, dtype=torch.float64))
    age = torch.arange(20)[:, None] - torch.arange(20)[None, :]
    assert a[..., (age < 0) | (age >= 5)].abs().max() == 0
    assert a[..., (age >= 0) & (age < 5)].min() > 0


def test_weights_of_spikes_and_spikes_prev_for_one_raster():
    attn = SpikeAttention(dim=256, num_heads=8)
    now, before = torch.randint(0, 2, (8, 256)).float(), torch.randint(0, 2, (8, 256)).float()
    assert attn(spikes=now, spikes_prev=before).shape == (8, 8, 8)
    shifted = torch.cat([torch.zeros(1, 256), now[:-1]])
    assert torch.equal(attn(spikes=now), attn(spikes=now, spikes_prev=shifted))


def test_timing_changes_the_weights_at_equal_rates():
    early, late = torch.zeros(12, 32).double(), torch.zeros(12, 32).double()
    early[3, 0] = late[7, 0] = 1.0
    early[5, 1] = late[5, 1] = 1.0
    attn = attention()
    assert torch.equal(early.sum(0), late.sum(0))
    assert (attn(early)[:, 5, :6] - attn(late)[:, 5, :6]).abs().max() > 1e-3


def test_pre_before_post_raises_and_post_before_pre_lowers():
    attn = attention()
    with torch.no_grad():
        attn.w_q.copy_(torch.eye(32))
        attn.w_k.copy_(torch.eye(32))
    spikes = torch.zeros(10, 32).double()
    spikes[2, 0] = 1.0  # the key side at t' = 3 has seen channel 0 fire
    spikes[4, 0] = 1.0
    spikes[6, 1] = 1.0
    weights = attn(spikes)[0]
    assert weights[4, 3] > weights[4, 1]
    reverse = attn(spikes, kappa=4.0)[0]
    assert reverse[5, 4] < weights[5, 4]


def test_streaming_equals_batch_and_chunks():
    attn, s = attention(window=7), raster(40)
    whole, last = attn.mix(s)
    first, state = attn.mix(s[:, :13])
    rest, chunked = attn.mix(s[:, 13:], state)
    torch.testing.assert_close(torch.cat([first, rest], 1), whole)
    state, rows = attn.init_state((2,)), []
    for t in range(40):
        row, state = attn.step(s[:, t], state)
        rows.append(row)
    torch.testing.assert_close(torch.stack(rows, 1), whole)
    for a, b, c in zip(last, chunked, state, strict=True):
        torch.testing.assert_close(a, b)
        torch.testing.assert_close(a, c)


def test_output_is_the_weighted_spikes_of_the_returned_weights():
    attn, s = attention(), raster(20, batch=1)[0]
    values = s.unflatten(-1, (4, 8)).transpose(0, 1)
    expected = (attn(s) @ values).transpose(0, 1).flatten(-2) @ attn.w_o
    torch.testing.assert_close(attn.mix(s)[0], expected)


def test_nothing_looks_into_the_future():
    attn, s = attention(), raster(30)
    changed = s.clone()
    changed[:, 20] = 1 - changed[:, 20]
    before, after = attn.mix(s)[0], attn.mix(changed)[0]
    assert torch.equal(before[:, :20], after[:, :20])
    assert (before[:, 20:] - after[:, 20:]).abs().max() > 1e-6


def test_padding_is_finite_and_as_if_it_were_not_there():
    attn, s = attention(window=6), raster(20, batch=1)
    mask = torch.ones(1, 20, dtype=torch.bool)
    mask[:, :3] = mask[:, 9:12] = False
    out, _ = attn.mix(s, mask_BT=mask)
    assert out.isfinite().all()
    assert out[:, ~mask[0]].abs().max() == 0
    torch.testing.assert_close(out[:, mask[0]], attn.mix(s[:, mask[0]])[0])


def test_a_row_that_is_all_padding_is_finite():
    attn, s = attention(window=6), raster(20)
    mask = torch.ones(2, 20, dtype=torch.bool)
    mask[0] = False
    out, state = attn.mix(s, mask_BT=mask)
    assert out.isfinite().all() and out[0].abs().max() == 0 and out[1].abs().max() > 0
    assert not state.held[0].any()


def test_streaming_equals_batch_beyond_the_window_at_many_parameters():
    s = raster(150, batch=1)
    for tau, kappa, sharpness in ((2.0, 0.0, 1.0), (50.0, 4.0, 20.0)):
        attn = attention(window=64)
        whole, _ = attn.mix(s, None, None, tau, kappa, sharpness)
        state, rows = attn.init_state((1,)), []
        for t in range(150):
            row, state = attn.step(s[:, t], state, tau, kappa, sharpness)
            rows.append(row)
        assert (torch.stack(rows, 1) - whole).abs().max() < 1e-6


@pytest.mark.parametrize(("rate", "spread"), [(0.02, 1.1), (0.08, 5.4)])
def test_scores_of_an_unstructured_raster_spread_with_the_rate(rate, spread):
    generator = torch.Generator().manual_seed(0)
    spikes = (torch.rand(64, 256, generator=generator) < rate).double()
    with torch.no_grad():
        weights = SpikeAttention(256, 8, dtype=torch.float64)(spikes)
    rows = [weights[:, t, : t + 1].log().std(-1).mean() for t in range(20, 64)]
    assert torch.stack(rows).mean().item() == pytest.approx(spread, rel=0.15)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"dim": 0}, "dim must be at least 1, got 0"),
        ({"dim": 8, "num_heads": 0}, "num_heads must be at least 1, got 0"),
        ({"dim": 8, "window": 0}, "window must be at least 1, got 0"),
        ({"dim": 12}, "dim 12 is not a multiple of num_heads 8"),
    ],
)
def test_sizes_that_cannot_be_are_refused_by_name(sizes, message):
    with pytest.raises(ValueError, match=message):
        SpikeAttention(**sizes)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"spikes": torch.zeros(5, 9)}, r"spikes must be (T, 8) or (B, T, 8), is (5, 9)"),
        ({"spikes": torch.zeros(8)}, r"spikes must be (T, 8) or (B, T, 8), is (8,)"),
        ({"spikes_prev": torch.zeros(4, 8)}, "the shape of spikes, (5, 8), is (4, 8)"),
        ({"spikes_prev": torch.zeros(5, 9)}, "the shape of spikes, (5, 8), is (5, 9)"),
        ({"tau": 0.0}, "tau must be above 0 ms, got 0.0"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_shape(given, message):
    attention = SpikeAttention(dim=8)
    with pytest.raises(ValueError, match=re.escape(message)):
        attention(**({"spikes": torch.zeros(5, 8)} | given))
