"""One block: streaming equals batch, causality, and what each modulator and parameter does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from t4dm.spiking.cortical_block import BlockState, CorticalBlock
from t4dm.spiking.settings import NEUTRAL, StepSettings


@pytest.fixture
def block() -> CorticalBlock:
    block = CorticalBlock(32, 4, dtype=torch.float64)
    block.c_out = 8.0
    return block


@pytest.fixture
def drive_BTD() -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return 0.8 * torch.rand(2, 90, 32, generator=generator, dtype=torch.float64)


def stream(block: CorticalBlock, x: torch.Tensor, settings: StepSettings):
    state, rows = block.init_state((x.shape[0],)), []
    for t in range(x.shape[1]):
        done = block.step(x[:, t], state, settings)
        state = done.state
        rows.append(done.x_next)
    return torch.stack(rows, 1), state


def flat(state: BlockState) -> list[torch.Tensor]:
    return [*state[:2], *state.attention, *state.rwkv, state.u_out]


def test_streaming_equals_batch_and_chunks_spike_for_spike(block, drive_BTD):
    settings = replace(StepSettings.default(1), ach=0.8, ne=0.6, ht5=0.9)
    whole, last = block(drive_BTD, settings=settings)
    streamed, state = stream(block, drive_BTD, settings)
    first, held = block(drive_BTD[:, :37], settings=settings)
    rest, chunked = block(drive_BTD[:, 37:], held, settings)
    assert 0.02 < whole.mean() < 1.5
    assert torch.equal(whole, streamed)
    assert torch.equal(whole, torch.cat([first, rest], 1))
    for a, b, c in zip(flat(last), flat(state), flat(chunked), strict=True):
        torch.testing.assert_close(a, b)
        torch.testing.assert_close(a, c)


def test_nothing_looks_into_the_future(block, drive_BTD):
    changed = drive_BTD.clone()
    changed[:, 50] += 3.0
    before, after = block(drive_BTD)[0], block(changed)[0]
    assert torch.equal(before[:, :50], after[:, :50])
    assert not torch.equal(before[:, 50:], after[:, 50:])


def test_padding_advances_no_state_and_stays_finite(block, drive_BTD):
    mask = torch.ones(2, 90, dtype=torch.bool)
    mask[:, :5] = mask[:, 40:44] = mask[:, 80:] = False
    out, state = block(drive_BTD, mask_BT=mask)
    short, state_short = block(drive_BTD[:, mask[0]])
    assert torch.equal(out[:, mask[0]], short)
    assert out[:, ~mask[0]].abs().max() == 0
    for a, b in zip(flat(state), flat(state_short), strict=True):
        torch.testing.assert_close(a, b)


def first_step(block: CorticalBlock, x: torch.Tensor, **levels: float):
    settings = StepSettings.default(1).at(NEUTRAL | levels)
    state = block.init_state()._replace(s_in=torch.ones(32, dtype=torch.float64))
    return block.step(x, state, settings)


def test_acetylcholine_opens_the_gate(block, drive_BTD):
    x = drive_BTD[0, 0]
    torch.testing.assert_close(first_step(block, x, ACh=1.0).gate, 1.5 * first_step(block, x).gate)


def test_noradrenaline_scales_the_whole_input_of_both_stages(block, drive_BTD):
    x = drive_BTD[0, 0]
    neutral, high = first_step(block, x), first_step(block, x, NE=1.0)
    torch.testing.assert_close(high.lif_in.u_pre, 1.5 * neutral.lif_in.u_pre)
    block.kappa_rec = 0.0
    settings = StepSettings.default(1)
    low, high = (
        block.step(1e4 * x, block.init_state(), settings.at(NEUTRAL | {"NE": ne}))
        for ne in (0.5, 1.0)
    )
    assert torch.equal(low.lif_in.spikes, high.lif_in.spikes)
    assert low.lif_out.u_pre.abs().max() > 0
    torch.testing.assert_close(high.lif_out.u_pre, 1.5 * low.lif_out.u_pre)


def test_serotonin_slows_the_forgetting(block):
    block.rwkv.bonus.data.fill_(0.0)
    state = block.init_state()
    m = torch.rand(32, dtype=torch.float64)
    kept = {}
    for ht5 in (0.0, 1.0):
        _, held = block.rwkv.step(m, state.rwkv, ht5=ht5)
        _, held = block.rwkv.step(m, held, ht5=ht5)
        kept[ht5] = held.p.exp() * held.b
    assert (kept[1.0] > kept[0.0]).all()


def test_dopamine_scales_what_is_learnt(block):
    settings = StepSettings.default(1)
    moved = {}
    for da in (0.0, 0.5, 1.0):
        copy = CorticalBlock(32, 4, dtype=torch.float64)
        before = copy.recurrent.weight.detach().clone()
        state, plastic = copy.init_state(), copy.init_plastic()
        for level in (np.arange(32) < 16, np.arange(32) >= 16):
            x = torch.as_tensor(level, dtype=torch.float64) * 9
            done = copy.step(x, state, settings.at(NEUTRAL | {"DA": da}))
            plastic = copy.learn(done, plastic, settings.at(NEUTRAL | {"DA": da}))
            state = done.state._replace(u_in=torch.zeros(32, dtype=torch.float64))
        moved[da] = (copy.recurrent.weight - before).detach()
    rise = {da: m[m > 0].sum().item() for da, m in moved.items()}
    assert rise[1.0] == pytest.approx(1.5 * rise[0.5])
    assert rise[0.0] == pytest.approx(0.5 * rise[0.5])


def test_recurrent_gain_zero_cuts_the_feedback(block, drive_BTD):
    x = drive_BTD[0, 0]
    settings = replace(StepSettings.default(1), recurrent_gain=0.0)
    state = block.init_state()._replace(s_in=torch.ones(32, dtype=torch.float64))
    y, _ = block.gate_of(x, settings)
    assert torch.equal(block.step(x, state, settings).lif_in.u_pre, y)


def test_gradients_reach_every_parameter(block, drive_BTD):
    out, _ = block(drive_BTD)
    out.sum().backward()
    for name, parameter in block.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all() and parameter.grad.abs().sum() > 0, name


def test_bfloat16_runs():
    block = CorticalBlock(32, 4, dtype=torch.bfloat16)
    out, _ = block(torch.rand(1, 10, 32, dtype=torch.bfloat16))
    assert out.dtype == torch.bfloat16 and out.isfinite().all()
