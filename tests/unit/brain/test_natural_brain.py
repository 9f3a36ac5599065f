"""Language zones and the whole brain."""

import pytest
import torch

from t4dm.brain.language_zone import FullLanguageZone, MoELanguageZone
from t4dm.brain.natural_brain import NaturalBrain
from t4dm.brain.params import BrainParams

SMALL = BrainParams(dim=16, n_neurons=24, timesteps=4, n_experts=3, top_k=2)


@pytest.fixture
def brain():
    return NaturalBrain(SMALL, seed=1)


@pytest.mark.parametrize("steps", [1, 5, 8])
def test_zones_take_any_number_of_spike_steps(x, draws, steps):
    out, rate, _ = FullLanguageZone(16, 24, generator=draws)(x, timesteps=steps)
    assert out.shape == x.shape and rate.shape == (2, 6, 24) and rate.max() > 0
    out, _ = MoELanguageZone(16, 24, generator=draws)(x, timesteps=steps)
    assert out.shape == x.shape


def test_spikes_stand_with_their_token(x, draws):
    """Folded back, the spikes of a token are those it has alone."""
    zone = FullLanguageZone(16, 24, generator=draws)
    spikes = zone.spikes(x, 5)
    assert spikes.shape == (2, 6, 5, 24)
    assert torch.equal(spikes[1, 3], zone.enter(x[1, 3], 5))


def test_zones_learn(x, draws):
    for zone in (
        FullLanguageZone(16, 24, 4, generator=draws),
        MoELanguageZone(16, 24, 4, generator=draws),
    ):
        optimizer, errors = torch.optim.Adam(zone.parameters(), lr=0.01), []
        for _ in range(40):
            optimizer.zero_grad()
            error = (zone(x)[0] - torch.roll(x, 1, -1)).square().mean()
            error.backward()
            optimizer.step()
            errors.append(error.item())
        assert errors[-1] < 0.8 * errors[0], type(zone).__name__
        silent = [n for n, p in zone.named_parameters() if p.grad is None]
        assert not silent


def test_what_is_added_is_small_and_released_only(x, brain):
    thought = brain(x)
    assert (thought.out - x).norm() < 0.5 * x.norm()
    assert thought.release.min() >= 0 and thought.release.max() <= 1
    assert thought.release.max() > 0
    brain.dopamine = 0.0
    brain.amygdala.value.data.zero_()
    assert torch.equal(brain(x).out, x)


def test_shapes_and_ranges(x, brain):
    thought = brain(x, torch.rand(2, 6, 4))
    assert thought.votes.shape == thought.release.shape == (2, 6, 3)
    assert thought.arousal.shape == thought.valence.shape == (2, 6)
    assert thought.arousal.min() >= 0 and thought.arousal.max() <= 1
    assert thought.gate.min() > 0 and thought.gate.max() < 1.5
    assert thought.where.place.shape == (12, 64) and thought.routing.load.sum() > 0.99


def test_a_shout_arouses_and_opens_the_thalamus(x, brain):
    loud, quiet = torch.zeros(2, 6, 4), torch.zeros(2, 6, 4)
    loud[..., 0] = 1.0
    shouted, said = brain(x, loud), brain(x, quiet)
    assert (shouted.arousal > said.arousal).all() and (shouted.gate > said.gate).all()


def test_nothing_looks_ahead_and_a_text_may_come_in_parts(x, brain):
    whole = brain(x)
    first = brain(x[:, :4])
    second = brain(x[:, 4:], state=first.state)
    joined = torch.cat([first.out, second.out], 1)
    torch.testing.assert_close(joined, whole.out, rtol=1e-4, atol=1e-5)
    assert second.state.tokens == 6


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dtype_and_device_are_kept(x, brain, dtype):
    brain = brain.to(dtype)
    thought = brain(x.to(dtype), torch.rand(2, 6, 4).to(dtype))
    assert thought.out.dtype == thought.arousal.dtype == thought.rate.dtype == dtype
    thought.out.sum().backward()
    away = brain.to("meta")(x.to("meta", dtype))
    assert away.out.device.type == "meta"


def test_every_part_gets_gradient(x):
    """With all experts at work, so that none is left out."""
    brain = NaturalBrain(SMALL.model_copy(update={"top_k": 3}), seed=1)
    brain.amygdala.value.data.normal_(generator=torch.Generator().manual_seed(0))
    thought = brain(x, torch.rand(2, 6, 4))
    (thought.out.square().sum() + thought.routing.balance).backward()
    without = [n for n, p in brain.named_parameters() if p.grad is None or not p.grad.any()]
    assert not without, without


def test_one_seed_is_one_brain(x):
    assert torch.equal(NaturalBrain(SMALL, 3)(x).out, NaturalBrain(SMALL, 3)(x).out)
    assert not torch.equal(NaturalBrain(SMALL, 3)(x).out, NaturalBrain(SMALL, 4)(x).out)
