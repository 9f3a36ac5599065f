"""Hippocampal attention: causal, stressed by prosody, reading the bank."""

import pytest
import torch

from t4dm.hippocampal.attention import HippocampalAttention, Recalled

DRAWS = torch.Generator().manual_seed(3)
X = torch.randn(2, 10, 32, generator=DRAWS)
PROSODY = torch.rand(2, 10, 4, generator=DRAWS)
SIMILAR = Recalled(torch.full((2, 10, 3), 0.95), torch.randn(2, 10, 3, 32, generator=DRAWS))


@pytest.fixture
def attention():
    return HippocampalAttention(32, 4, generator=torch.Generator().manual_seed(0))


def test_rows_of_the_weights_sum_to_one_and_look_back_only(attention):
    weights = attention(X, PROSODY, need_weights=True).weights
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 10))
    assert weights.triu(1).abs().max() == 0


def test_both_ways_to_compute_agree(attention):
    fast, slow = attention(X, PROSODY, SIMILAR), attention(X, PROSODY, SIMILAR, need_weights=True)
    torch.testing.assert_close(fast.out, slow.out)
    assert fast.weights is None


def test_prosody_sharpens_or_flattens_a_head(attention):
    flat = attention(X, torch.zeros_like(PROSODY), need_weights=True).weights
    stressed = attention(X, PROSODY, need_weights=True).weights
    assert torch.equal(flat, attention(X, None, need_weights=True).weights)
    assert (flat - stressed).abs().max() > 1e-5


def test_nothing_similar_reads_nothing(attention):
    read = attention.read(SIMILAR._replace(score=torch.full((2, 10, 3), -1e4)))
    assert read.abs().max() == 0


def test_a_perfect_match_reads_its_content(attention):
    score = torch.tensor([1.0, -1.0, -1.0]).expand(2, 10, 3)
    read = attention.read(SIMILAR._replace(score=score))
    torch.testing.assert_close(read, SIMILAR.content[..., 0, :], rtol=0.01, atol=0.02)


def test_the_gate_scales_the_heads_by_one_and_a_half_at_most(attention):
    plain = attention(X)
    with torch.no_grad():
        attention.memory_gain.zero_()
        attention.memory_gate.bias.fill_(50.0)
    gated = attention(X, recalled=SIMILAR)
    torch.testing.assert_close(gated.gate, torch.ones(2, 10))
    torch.testing.assert_close(
        gated.out - attention.out.bias, 1.5 * (plain.out - attention.out.bias)
    )


@pytest.mark.parametrize("length", [1, 2, 8, 10])
def test_every_length_has_its_gate(attention, length):
    recalled = Recalled(SIMILAR.score[:, :length], SIMILAR.content[:, :length])
    made = attention(X[:, :length], PROSODY[:, :length], recalled)
    assert made.out.shape == (2, length, 32) and made.gate.shape == (2, length)


def test_an_unread_bank_never_makes_a_gradient_nan(attention):
    empty = SIMILAR._replace(score=torch.full((2, 10, 3), -1e4))
    attention(X, PROSODY, empty).out.sum().backward()
    for name, parameter in attention.named_parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all(), name


def test_what_decides_the_reading_is_learned(attention):
    attention(X, PROSODY, SIMILAR).out.square().sum().backward()
    for name in ("sharpness", "threshold", "memory_gain"):
        assert getattr(attention, name).grad.abs().max() > 0, name
    assert attention.prosody.weight.grad.abs().max() > 0
