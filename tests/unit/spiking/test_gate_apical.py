"""Thalamic gate and apical modulation."""

import torch

from t4dm.spiking.apical import ApicalModulation
from t4dm.spiking.thalamic_gate import ThalamicGate


def test_gate_lies_in_its_range_and_scales_with_acetylcholine():
    gate, x = ThalamicGate(16), torch.randn(50, 16) * 10
    _, neutral = gate(x)
    y, high = gate(x, ach=1.0)
    assert high.min() >= 0 and high.max() <= 1.5
    torch.testing.assert_close(high, 1.5 * neutral)
    torch.testing.assert_close(y, high * x)


def test_bias_shuts_and_slope_zero_flattens_the_gate():
    gate, x = ThalamicGate(16), torch.randn(50, 16)
    assert gate(x, bias=-10.0)[1].max() < 0.05
    torch.testing.assert_close(gate(x, slope=0.0)[1], torch.full((50, 16), 0.5))


def test_apical_gain_zero_halves_and_missing_context_passes():
    apical, basal, context = ApicalModulation(16), torch.randn(5, 16), torch.randn(5, 16)
    torch.testing.assert_close(apical(basal, context, gain=0.0).modulated, basal / 2)
    out = apical(basal)
    assert torch.equal(out.modulated, basal)
    assert out.prediction_error is None and out.goodness is None


def test_measures_come_with_a_context():
    apical, basal, context = ApicalModulation(16), torch.randn(5, 16), torch.randn(5, 16)
    out = apical(basal, context)
    assert torch.equal(out.modulated, apical.modulate(basal, context))
    torch.testing.assert_close(out.goodness, out.modulated.square().mean(-1))
    perfect = torch.tanh(context @ apical.weight + apical.bias)
    assert apical(perfect, context).prediction_error.abs().max() < 1e-12
