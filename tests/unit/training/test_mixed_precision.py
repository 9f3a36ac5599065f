"""Float32 weights inside ``torch.autocast`` to bfloat16: every module runs, and every weight learns."""

import pytest
import torch

from t4dm.brain.amygdala import Amygdala
from t4dm.brain.basal_ganglia import BasalGanglia
from t4dm.brain.hippocampal_formation import HippocampalFormation
from t4dm.brain.language_zone import FullLanguageZone, MoELanguageZone
from t4dm.brain.liquid import LiquidCell
from t4dm.brain.liquid_moe import LiquidMoE, LiquidMoERouter
from t4dm.brain.natural_brain import NaturalBrain
from t4dm.brain.params import BrainParams
from t4dm.brain.thalamus import Thalamus
from t4dm.hippocampal import memory_bank
from t4dm.hippocampal.attention import HippocampalAttention, Recalled
from t4dm.hippocampal.layer import HippocampalLayer
from t4dm.hippocampal.place_cells import PlaceCellEncoder
from t4dm.hippocampal.theta_gamma import ThetaGammaEncoding
from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.spiking.gif import GIFNeuron
from t4dm.spiking.spike_bridge import ContinuousToSpikeBridge, SpikeToContinuousBridge
from t4dm.training.brain_transformer import BrainTransformer
from t4dm.training.trainer import Trainer
from tests.unit.training.conftest import MODEL, TRAIN

torch.set_num_threads(1)

HALF = torch.bfloat16
BRAIN = BrainParams(dim=16, n_neurons=24, timesteps=3, n_experts=4, top_k=2)
BOTH = pytest.mark.parametrize("entering", [torch.float32, HALF], ids=["float32", "bfloat16"])


def draws(seed=0):
    return torch.Generator().manual_seed(seed)


def tokens(dtype, width=16):
    return torch.randn(2, 6, width, generator=draws(1)).to(dtype)


def bridged(x, code):
    there = ContinuousToSpikeBridge(16, 24, code=code, generator=draws())
    back = SpikeToContinuousBridge(24, 16, generator=draws())
    return [there, back], back(there(x, generator=draws(2)))


def called(module, x, *more):
    return module, module(x, *more)


def remembering(module, x):
    recalled = Recalled(torch.ones(2, 6, 3), torch.randn(2, 6, 3, 16, generator=draws(2)))
    return called(module, x, torch.rand(2, 6, 4), recalled)


MODULES = {
    "encoder": lambda x: called(PlaceCellEncoder(9, 16, 32, generator=draws()), torch.arange(9)),
    "positions": lambda x: called(ThetaGammaEncoding(16, 64, generator=draws()), x),
    "attention": lambda x: remembering(HippocampalAttention(16, 4, generator=draws()), x),
    "layer": lambda x: remembering(HippocampalLayer(16, 4, 2, 2, generator=draws()), x),
    "amygdala": lambda x: called(Amygdala(16), x),
    "thalamus": lambda x: called(Thalamus(16, generator=draws()), x, torch.rand(2, 6)),
    "liquid": lambda x: (cell := LiquidCell(16, 8, generator=draws()), cell.run(x)),
    "router": lambda x: called(LiquidMoERouter(16, 4, generator=draws()), x),
    "experts": lambda x: called(LiquidMoE(16, 4, generator=draws()), x),
    "full zone": lambda x: called(FullLanguageZone(16, 24, 4, generator=draws()), x),
    "experts' zone": lambda x: called(MoELanguageZone(16, 24, 4, generator=draws()), x),
    "brain": lambda x: called(NaturalBrain(BRAIN, 1), x, torch.rand(2, 6, 4)),
    "gif": lambda x: (neurons := GIFNeuron(16, 24, generator=draws()), neurons.run(x)),
    "regular bridge": lambda x: bridged(x, "regular"),
    "poisson bridge": lambda x: bridged(x, "poisson"),
}


def learnt(made):
    """Every tensor with gradient among nested tuples."""
    if isinstance(made, torch.Tensor):
        return [made] if made.requires_grad else []
    return [one for part in made for one in learnt(part)] if isinstance(made, tuple) else []


@BOTH
@pytest.mark.parametrize("name", MODULES)
def test_a_module_runs_both_ways(name, entering):
    with torch.autocast("cpu", HALF):
        modules, made = MODULES[name](tokens(entering))
    sum(one.float().square().sum() for one in learnt(made)).backward()
    for module in modules if isinstance(modules, list) else [modules]:
        for weight_name, weight in module.named_parameters():
            assert weight.grad is not None, f"{weight_name} gets no gradient"
            assert weight.grad.dtype == torch.float32 and weight.grad.isfinite().all(), weight_name


@BOTH
def test_states_keep_the_dtype_of_what_came_in(entering):
    x = tokens(entering)
    cell, neurons = LiquidCell(16, 8, generator=draws()), GIFNeuron(16, 24, generator=draws())
    moe = LiquidMoE(16, 4, generator=draws())
    with torch.autocast("cpu", HALF):
        h, spiking = cell.run(x)[1], neurons.run(x)[1]
        routed = moe(x)[1].state
        again = (cell.run(x, h)[1], *neurons.run(x, spiking)[1], moe(x, routed)[1].state)
    assert {one.dtype for one in (h, *spiking, routed, *again)} == {entering}


def test_the_formation_and_the_ganglia_have_no_weights_and_run():
    place = torch.rand(3, 2, generator=draws())
    x = tokens(torch.float32)
    with torch.autocast("cpu", HALF):
        code = HippocampalFormation(seed=0)(place, torch.rand(3)).code
        total, _ = BasalGanglia()(torch.rand(2, 6, 2), [x, x.to(HALF)])
    torch.testing.assert_close(code.norm(dim=-1), torch.ones(3), rtol=0.01, atol=0)
    assert total.dtype == torch.float32 and total.any()


@pytest.mark.parametrize("time", [3, 16])  # by a matrix product, and carried from token to token
def test_recall_is_exact_as_ever(time):
    """Scores to the last bit those of float32; bfloat16 products would differ by 1e-3."""
    bank = memory_bank.empty_bank(32, 64)
    place = torch.zeros(2, time, 64)
    place.scatter_(-1, torch.randint(64, (2, time, 2), generator=draws()), 0.7)
    bank = memory_bank.write(bank, torch.rand(32, 64, generator=draws(1)), torch.arange(32))

    def recalled():
        before = torch.rand(2, 64, generator=draws(3))
        cue = memory_bank.temporal_context(place, 0.6, before)
        return cue, *memory_bank.recall_along(bank, place, cue, 0.6, 4, before)

    expected = recalled()
    with torch.autocast("cpu", HALF):
        found = recalled()
    assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


@pytest.mark.parametrize("brain", [False, True], ids=["transformer", "with a brain"])
def test_the_trainer_wakes_sleeps_and_consolidates(brain, text):
    """Loss of the first step within 0.02 of float32's; every step applied; Fisher finite."""
    params = TRAIN.model_copy(
        update={"batch": 2, "context": 12, "sleep_every": 2, "sleep_steps": 1, "ewc_strength": 1.0}
    )

    def trainer():
        if brain:
            return Trainer(BrainTransformer(MODEL, BRAIN, seed=1), text, params)
        return Trainer(HippocampalTransformer(MODEL, seed=1), text, params)

    mixed = trainer()
    with torch.autocast("cpu", HALF):
        told = [mixed.step() for _ in range(5)]
    assert [one.phase for one in told] == ["wake", "wake", "sleep", "wake", "wake"]
    assert all(one.applied for one in told) and told[4].penalty > 0
    assert told[0].loss == pytest.approx(trainer().step().loss, abs=0.02)
    assert all(one.isfinite().all() for one in mixed.held.fisher.values())
    assert {p.dtype for p in mixed.model.parameters()} == {torch.float32}
