"""The stack: seeds, probes, streaming, learning, bounds."""

from dataclasses import replace

import pytest
import torch

from t4dm.learning.params import HomeostasisParams, STDPParams
from t4dm.spiking.cortical_stack import CorticalStack, patch_encoder
from t4dm.spiking.settings import StepSettings

FROZEN = {
    "stdp": STDPParams(enabled=False),
    "homeostasis": HomeostasisParams(enabled=False),
}


def run(stack, stim_TP, settings):
    state, rows, probes = stack.init_state(), [], []
    for row in torch.as_tensor(stim_TP):
        out, state, probe = stack.step(row, state, settings)
        rows.append(out)
        probes.append(probe)
    return torch.stack(rows), torch.stack([p["spikes"] for p in probes]), probes, state


def test_encoder_pools_3x3_patches_that_sum_to_one():
    encoder = patch_encoder(64, 50, torch.Generator().manual_seed(0))
    torch.testing.assert_close(encoder.sum(0), torch.ones(50, dtype=torch.float64))
    for column in encoder.T:
        rows, columns = (column.reshape(8, 8) > 0).nonzero().unbind(1)
        assert (
            len(rows) == 9 and rows.max() - rows.min() == 2 and columns.max() - columns.min() == 2
        )
    with pytest.raises(ValueError, match="width 32"):
        patch_encoder(32, 50, torch.Generator())


def test_a_seed_fixes_every_weight_and_the_spikes(images_TP):
    first, again, other = (CorticalStack(2, 64, 4, seed=s) for s in (5, 5, 6))
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    assert not torch.equal(
        first.spiking_blocks[1].recurrent.weight, other.spiking_blocks[1].recurrent.weight
    )
    settings = StepSettings.default(2)
    assert torch.equal(
        run(first, images_TP[:100], settings)[1], run(again, images_TP[:100], settings)[1]
    )


def test_float32_and_float64_stacks_of_a_seed_agree_up_to_rounding():
    single, double = CorticalStack(1, 64, 4), CorticalStack(1, 64, 4, dtype=torch.float64)
    for name, value in single.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, double.state_dict()[name].float()), name


def test_stepping_equals_the_batch_when_nothing_learns(small_stack, images_TP):
    settings = replace(StepSettings.default(2), **FROZEN)
    out, spikes, _, _ = run(small_stack, images_TP[:200], settings)
    batch, _ = small_stack(torch.as_tensor(images_TP[None, :200]), settings=settings)
    assert (spikes.mean((0, 2)) > 0.01).all()
    assert torch.equal(out, batch[0])


def test_frozen_rules_change_nothing(small_stack, images_TP):
    before = [b.recurrent.weight.clone() for b in small_stack.blocks()]
    settings = replace(StepSettings.default(2), **FROZEN)
    _, _, probes, _ = run(small_stack, images_TP[:200], settings)
    assert probes[-1]["theta"].tolist() == [1.0] * 4
    for block, w in zip(small_stack.blocks(), before, strict=True):
        assert torch.equal(block.recurrent.weight, w)


def test_learning_moves_only_plastic_weights_and_never_leaves_the_bounds(small_stack, images_TP):
    before = [b.recurrent.weight.detach().clone() for b in small_stack.blocks()]
    settings = replace(StepSettings.default(2), stdp=STDPParams(a_plus=0.3, a_minus=0.3))
    state = small_stack.init_state()
    for row in torch.as_tensor(images_TP[:250]):
        _, state, _ = small_stack.step(row, state, settings)
        for block in small_stack.blocks():
            w = block.recurrent.weight[: block.recurrent.n_exc]
            assert w.min() >= 0 and w.max() <= 1
    for block, w in zip(small_stack.blocks(), before, strict=True):
        moved = block.recurrent.weight != w
        assert moved.any()
        assert not moved[~block.recurrent.plastic].any()


def test_a_smaller_w_max_bounds_the_weights_from_that_step(small_stack, images_TP):
    settings = replace(StepSettings.default(2), stdp=STDPParams(w_max=0.2, enabled=False))
    run(small_stack, images_TP[:1], settings)
    for block in small_stack.blocks():
        assert block.recurrent.weight.max() <= 0.2


def test_thresholds_move_with_the_rate_and_freeze_in_rests(small_stack, images_TP):
    settings = StepSettings.default(2)
    _, spikes, probes, state = run(small_stack, images_TP[:200], settings)
    p = settings.homeostasis
    expected = 1.0 + p.learning_rate * (spikes[:-1, 0].mean(1).double() - p.target_rate).sum()
    assert probes[-1]["theta"][0].item() == pytest.approx(expected.item())
    theta = [plastic.theta_h for plastic in state.plastic]
    _, rested, _ = small_stack.step(torch.zeros(64), state, replace(settings, rest=True))
    assert [plastic.theta_h for plastic in rested.plastic] == theta


def test_a_high_threshold_silences_and_a_tight_clamp_is_counted(small_stack, images_TP):
    settings = StepSettings.default(2)
    high = replace(settings, v_thresh=settings.v_thresh * 0 + 10, u_max=settings.u_max * 0 + 0.5)
    _, spikes, probes, _ = run(small_stack, images_TP[:60], high)
    assert spikes.sum() == 0
    assert sum(p["clamped"][0] for p in probes) > 0


def test_probes_have_their_shapes(small_stack, images_TP):
    _, _, probes, _ = run(small_stack, images_TP[:1], StepSettings.default(2))
    shapes = {name: tuple(value.shape) for name, value in probes[0].items()}
    assert shapes == {
        "spikes": (4, 64), "u_pre": (4, 64), "theta": (4,), "gate": (2, 64),
        "attention": (2, 64), "clamped": (4,),
    }  # fmt: skip
