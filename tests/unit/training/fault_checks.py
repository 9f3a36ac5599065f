"""One check a fault: it holds on the sound code and fails once the matching ablation is on.

Curve faults fail at a measured number (AssertionError); error faults raise what torch or Python raises.
"""

import math

import torch
import torch.nn.functional as F

from t4dm.ablations import NONE, Ablation
from t4dm.brain.basal_ganglia import BasalGanglia
from t4dm.brain.grid_cells import GridCells
from t4dm.brain.language_zone import FullLanguageZone, MoELanguageZone
from t4dm.brain.liquid import LiquidCell
from t4dm.brain.liquid_moe import LiquidMoE, LiquidMoERouter
from t4dm.brain.natural_brain import NaturalBrain
from t4dm.brain.params import BrainParams
from t4dm.brain.thalamus import Thalamus
from t4dm.hippocampal.attention import HippocampalAttention, Recalled
from t4dm.hippocampal.params import HippocampalParams
from t4dm.hippocampal.place_cells import PlaceCellEncoder
from t4dm.hippocampal.theta_gamma import ThetaGammaEncoding
from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.spiking.gif import GIFNeuron
from t4dm.spiking.spike_bridge import ContinuousToSpikeBridge, SpikeToContinuousBridge
from t4dm.training.sleep import fisher_of
from t4dm.training.wake import Tensors, wake

HALF = torch.bfloat16
PARAMS = HippocampalParams(
    vocab_size=512, dim=64, n_layers=2, n_heads=4, max_seq_len=64, n_place=128,
    memory_size=128, dropout=0.2,
)  # fmt: skip


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def transformer(ablations):
    return HippocampalTransformer(PARAMS, seed=1, ablations=ablations)


def batch():
    ids = torch.randint(512, (4, 33), generator=seeded(2))
    return Tensors(ids[:, :-1], ids[:, 1:], torch.rand(4, 32, 4, generator=seeded(3)))


def stream(width=16, dtype=HALF):
    return torch.randn(2, 6, width, generator=seeded(1)).to(dtype)


def duplicate_norm_dropout(ablations):
    """Of what the head reads, 1 - p = 0.8 of the variance is signal, not (1 - p)^2 = 0.64."""
    model, entered = transformer(ablations).train(), []
    model.norm.register_forward_pre_hook(lambda _, given: entered.append(given[0]))
    read = model(batch().ids, generator=seeded()).hidden
    signal = F.layer_norm(entered[0], (64,))
    kept = torch.corrcoef(torch.stack([read.flatten(), signal.flatten()]))[0, 1].item() ** 2
    assert abs(kept - 0.8) < 0.03, f"{kept:.3f} of the variance is signal"


def untied_head(ablations):
    """One matrix of V x D serves as embedding and as head."""
    n = sum(p.numel() for p in transformer(ablations).parameters())
    n_tied = sum(p.numel() for p in transformer(NONE).parameters())
    assert n == n_tied, f"{n - n_tied} parameters too many"


def embedding_n01(ablations):
    """An untrained model's loss is ln V: it knows nothing, and is sure of nothing."""
    model, told = transformer(ablations).eval(), batch()
    loss = F.cross_entropy(model(told.ids).logits.flatten(0, 1), told.targets.flatten()).item()
    assert abs(loss - math.log(512)) < 0.3, f"first loss {loss:.2f}, ln V = {math.log(512):.2f}"


def place_residual_full(ablations):
    """What the place cells add stays smaller than the embedding."""
    cells = PlaceCellEncoder(512, 64, 128, generator=seeded(), ablations=ablations)
    out, _ = cells(torch.arange(512))
    e = cells.token_embedding.weight
    ratio = ((out - e).norm(dim=-1) / e.norm(dim=-1)).mean().item()
    assert ratio < 0.6, f"what is added is {ratio:.2f} times the embedding"


def memory_gate_transposed(ablations):
    """The gate of a token scales that token, at every length."""
    attention = HippocampalAttention(64, 4, generator=seeded(), ablations=ablations)
    for length in (16, 1, 7):
        x = torch.randn(2, length, 64, generator=seeded(1))
        recalled = Recalled(torch.ones(2, length, 3), torch.zeros(2, length, 3, 64))
        assert attention(x, recalled=recalled).out.shape == x.shape


def position_by_current_length(ablations):
    """A position's code is the same in a short text and in a longer one."""
    rhythm = ThetaGammaEncoding(16, 64, generator=seeded(), ablations=ablations)
    moved = (rhythm.codes(0, 10) - rhythm.codes(0, 20)[:10]).norm(dim=-1).max().item()
    assert moved < 1e-6, f"a code moved by {moved:.2f} as the text grew"


def no_prosody_in_wake(ablations):
    """The wake step hears prosody and asks the bank: the weights that read them learn."""
    model, told = transformer(ablations).eval(), batch()
    bank = model.remember(model.empty_memory(), model(told.ids).cue[0], told.targets[0])
    wake(model, told, bank).loss.backward()
    attention = model.layers[0].attention
    for name, weight in (("prosody", attention.prosody.weight), ("memory", attention.memory_gain)):
        norm = 0.0 if weight.grad is None else weight.grad.norm().item()
        assert norm > 1e-7, f"the gradient of the {name} weights is {norm}"


def ewc_without_prosody(ablations):
    """Fisher information sees that prosody matters."""
    fisher = fisher_of(transformer(ablations).eval(), batch())
    most = fisher["layers.0.attention.prosody.weight"].max().item()
    assert most > 0, f"Fisher information of the prosody weights is {most}"


def liquid_state_dtype(ablations):
    """bfloat16 in, bfloat16 state and out; in mixed precision no part meets another's dtype."""
    moe = LiquidMoE(16, 4, generator=seeded(), ablations=ablations)
    with torch.autocast("cpu", HALF):
        out, routing = moe(stream(dtype=torch.float32))
    assert out.shape == (2, 6, 16) and routing.state.dtype == torch.float32
    cell = LiquidCell(16, 8, generator=seeded(), ablations=ablations).to(HALF)
    h, state = cell.run(stream())
    assert h.dtype == state.dtype == HALF


def router_top_k_unclamped(ablations):
    """Eight experts asked for, three there: three answer."""
    router = LiquidMoERouter(16, 3, 8, generator=seeded(), ablations=ablations)
    assert router(stream(dtype=torch.float32)).chosen.shape == (2, 6, 3)


def bridge_fixed_timesteps(ablations):
    """Spike trains of every length find their way back to their tokens."""
    zone = MoELanguageZone(16, 24, 5, generator=seeded(), ablations=ablations)
    for steps in (8, 5, 1, 13):
        assert zone.spikes(stream(dtype=torch.float32), steps).shape == (2, 6, steps, 24)


def gif_state_dtype(ablations):
    """The layer after the neurons gets what it was made for."""
    neurons = GIFNeuron(16, 24, generator=seeded(), ablations=ablations).to(HALF)
    after = SpikeToContinuousBridge(24, 16).to(HALF)
    assert after(neurons.run(stream())[0]).dtype == HALF


def bridge_dtype(ablations):
    """The layer after the bridge gets what it was made for."""
    bridge = ContinuousToSpikeBridge(16, 24, generator=seeded(), ablations=ablations).to(HALF)
    after = SpikeToContinuousBridge(24, 16).to(HALF)
    assert after(bridge(stream())).dtype == HALF


def brain_residual_full(ablations):
    """What the regions add stays far below what came in."""
    brain = NaturalBrain(BrainParams(dim=16, n_neurons=24), seed=1, ablations=ablations)
    x = stream(dtype=torch.float32)
    ratio = ((brain(x).out - x).norm() / x.norm()).item()
    assert 0 < ratio < 0.1, f"what is added is {ratio:.3f} times the input"


def thalamus_gain_dtype(ablations):
    """A bfloat16 stream is gated and relayed in bfloat16."""
    thalamus = Thalamus(16, generator=seeded(), ablations=ablations).to(HALF)
    relay, gate = thalamus(stream(), 0.7)
    assert relay.dtype == gate.dtype == HALF


def basal_ganglia_float_sum(ablations):
    """With nothing released the total is a tensor of zeros."""
    x = stream(dtype=torch.float32)
    total, _ = BasalGanglia(ablations)(torch.zeros(2, 6, 2), [x, x], dopamine=0.0)
    assert total.shape == x.shape and not total.any()


def grid_constant_unregistered(ablations):
    """The whole module moves, its constant with it."""
    cells = GridCells(2, 3, 0.3, generator=seeded(), ablations=ablations).to("meta")
    assert cells(torch.zeros(5, 2, device="meta")).shape == (5, 2, 3)
    assert "k" in dict(cells.named_buffers())


def zone_in_bfloat16(ablations):
    """The language zone as a whole keeps bfloat16."""
    zone = FullLanguageZone(16, 24, 4, generator=seeded(), ablations=ablations).to(HALF)
    assert zone(stream())[0].dtype == HALF


CHECKS = {ablation: globals()[ablation.value] for ablation in Ablation}
