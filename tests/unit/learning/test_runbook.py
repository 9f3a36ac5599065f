"""The debugging runbook's Python, as a reader would paste it."""

import torch

from t4dm.learning.homeostasis import HomeostasisControl
from t4dm.learning.reward import compute_reward
from t4dm.learning.stdp import STDPLearner
from t4dm.spiking.lif import LIFNeuron
from t4dm.spiking.neuromod_bus import NeuromodBus
from t4dm.spiking.spike_attention import SpikeAttention


def test_membrane_trace():
    lif = LIFNeuron(size=256, alpha=0.9, v_thresh=1.0)
    u, lines, trace = torch.zeros(256), [], []
    for t, input_current in enumerate(torch.randn(10, 256)):
        spikes, u = lif(input_current, u)
        trace.append(u.clone().detach())
        lines.append(
            f"t={t}: mean_u={u.mean():.3f}, max_u={u.max():.3f}, spikes={spikes.sum():.0f}"
        )
    assert torch.stack(trace).numpy().shape == (10, 256)
    assert len(lines) == 10


def test_no_spikes_recipe():
    lif = LIFNeuron(size=256)
    spikes, u = lif(torch.ones(256) * 2.0, torch.zeros(256))
    assert f"{spikes.sum():.0f}" == "256"
    assert (u > lif.v_thresh).sum() == 0


def test_neuromodulator_state():
    neuromod = NeuromodBus()
    before = neuromod.get_state()
    text = f"{before['DA']:.3f} {before['ACh']:.3f} {before['NE']:.3f} {before['5HT']:.3f}"
    assert text == "0.500 0.500 0.500 0.500"
    neuromod.inject_reward(reward=1.0)
    assert neuromod.get_state() != before
    assert len(neuromod.get_injection_schedule()[:5]) == 5


def test_stdp_recipe():
    stdp = STDPLearner(window_pre_to_post=20, window_post_to_pre=20, tau_plus=20.0, tau_minus=20.0)
    pre, post = torch.tensor([10, 50, 100]), torch.tensor([15, 55, 105])
    dw = stdp.compute_weight_change(pre_spike_times=pre, post_spike_times=post, current_weight=0.5)
    assert f"{dw:.6f}" == "0.023364"
    rows = []
    for pre_t in pre:
        for post_t in post:
            delta_t = post_t - pre_t
            rows.append(f"dt={delta_t:3d} ms: dw={stdp.window_function(delta_t):.6f}")
    assert rows[0] == "dt=  5 ms: dw=0.007788"
    assert rows[1] == "dt= 45 ms: dw=0.000000"


def test_weight_update_recipe():
    stdp = STDPLearner()
    assert stdp.enabled and stdp.learning_rate > 0
    assert stdp.update_weight(0.5, torch.tensor([10, 50]), torch.tensor([15, 55])) > 0.5
    assert STDPLearner(window_pre_to_post=50, tau_plus=50.0).window_function(45) > 0


def test_homeostasis_recipe():
    homeostasis = HomeostasisControl(target_rate=0.1, learning_rate=0.001)
    lines = [
        f"rate={rate:.2%}, adjustment={homeostasis.compute_adjustment(current_rate=rate):.4f}"
        for rate in (0.02, 0.05, 0.08, 0.12)
    ]
    assert lines[0] == "rate=2.00%, adjustment=0.0001"
    assert homeostasis.target_rate == 0.1


def test_attention_recipe():
    attn = SpikeAttention(dim=256, num_heads=8)
    weights = attn(
        spikes=torch.randint(0, 2, (8, 256)).float(),
        spikes_prev=torch.randint(0, 2, (8, 256)).float(),
    )
    text = f"{weights.mean():.3f} {weights.std():.3f} {weights.min():.3f} {weights.max():.3f}"
    assert "nan" not in text
    assert weights.shape == (8, 8, 8)


def test_reward_recipe():
    reward = compute_reward(outcome="success", prediction_error=0.1)
    assert f"Computed reward: {reward}" == "Computed reward: 0.95"
