"""Recurrent weights: Dale's law and the diagonal."""

import torch

from t4dm.spiking.recurrent import Recurrent


def test_signs_bounds_and_diagonal():
    recurrent = Recurrent(100)
    w = recurrent.weight.detach()
    assert recurrent.n_exc == 80
    assert w.diagonal().abs().max() == 0
    assert w[:80].min() >= 0 and w[:80].max() <= 1
    assert w[80:].min() >= -1 and w[80:].max() <= 0
    assert recurrent.plastic.sum() == 80 * 99
    assert not recurrent.plastic[80:].any()


def test_excitation_and_inhibition_roughly_balance():
    w = Recurrent(256).weight.detach()
    excitation, inhibition = w[w > 0].sum(), -w[w < 0].sum()
    assert 0.5 < inhibition / excitation < 1.2


def test_current_is_the_sum_of_the_rows_that_fired():
    recurrent = Recurrent(10)
    spikes = torch.zeros(10)
    spikes[[2, 9]] = 1
    torch.testing.assert_close(recurrent(spikes), recurrent.weight[2] + recurrent.weight[9])


def test_clip_keeps_excitatory_rows_in_bounds_and_leaves_inhibition():
    recurrent = Recurrent(10)
    with torch.no_grad():
        recurrent.weight.mul_(5).sub_(0.5)
    inhibition = recurrent.weight[8:].clone()
    recurrent.clip(0.7)
    assert recurrent.weight[:8].min() == 0
    assert abs(recurrent.weight[:8].max().item() - 0.7) < 1e-6
    assert torch.equal(recurrent.weight[8:], inhibition)
