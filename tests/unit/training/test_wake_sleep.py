"""Wake and sleep: what is stored, what is replayed, what nothing changes."""

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

from t4dm.training.data import Batch, draws_at
from t4dm.training.schedule import learning_rate_at, scheduled
from t4dm.training.sleep import draw, dream, fisher_of, no_replay, revalued, store, taken
from t4dm.training.trainer import Trainer
from t4dm.training.wake import losses, on_device, remember, wake
from tests.unit.training.conftest import TRAIN


@pytest.fixture
def batch(text, model):
    return on_device(text.batch(0, 0, 4, 24), model)


def numbered(first, n, context=6):
    ids = np.arange(first, first + n)[:, None].repeat(context, 1)
    return Batch(ids, ids, np.zeros((n, context, 4), np.float32))


def test_the_most_surprising_tokens_are_stored(model, batch):
    model.eval()
    seen = wake(model, batch, model.empty_memory())
    bank = remember(model, model.empty_memory(), seen, batch.targets, 10)
    top = seen.surprise.flatten().topk(10).indices
    assert sorted(bank.values[:10].tolist()) == sorted(batch.targets.flatten()[top].tolist())
    assert bank.used == 10


def test_a_second_look_at_the_same_text_is_less_surprising(model, batch):
    model.eval()
    bank = model.empty_memory()
    first = wake(model, batch, bank)
    bank = remember(model, bank, first, batch.targets, 96)
    assert wake(model, batch, bank).loss < first.loss - 0.3


@pytest.mark.parametrize("size", [4, 20])
def test_the_store_is_an_even_sample_of_everything_seen(size):
    counts = np.zeros(40)
    for seed in range(300):
        replay = no_replay(6)
        for step in range(40 // size):
            more = numbered(size * step, size)
            replay = store(replay, more, np.ones(size), 8, draws_at(seed, step, 3))
        assert len(replay) == 8 and replay.seen == 40
        counts[replay.batch.ids[:, 0]] += 1
    expected = 300 * 8 / 40
    assert abs(counts - expected).max() < 5 * expected**0.5


def test_a_smaller_store_forgets_and_another_length_begins_anew():
    replay = store(no_replay(6), numbered(0, 10), np.ones(10), 10, draws_at(0, 0, 3))
    assert len(store(replay, numbered(10, 1), np.ones(1), 4, draws_at(0, 1, 3))) == 4
    other = store(replay, numbered(10, 2, context=9), np.ones(2), 10, draws_at(0, 1, 3))
    assert len(other) == 2 and other.batch.ids.shape == (2, 9)


def test_surprising_sequences_are_replayed_more_often():
    replay = store(no_replay(6), numbered(0, 2), np.array([1.0, 3.0]), 9, draws_at(0, 0, 3))
    drawn = draw(replay, 4000, draws_at(0, 0, 4))
    assert (drawn == 1).mean() == pytest.approx(0.75, abs=0.03)
    assert taken(replay, np.array([1])).ids[0, 0] == 1
    assert revalued(replay, np.array([1]), np.array([0.5])).loss.tolist() == [1.0, 0.5]
    with pytest.raises(ValueError, match="nothing is stored"):
        draw(no_replay(6), 1, draws_at(0, 0, 4))


def test_dreaming_hears_prosody_and_asks_no_bank(model, batch):
    model.eval()
    loss, each, balance = dream(model, batch)
    silent = dream(model, batch._replace(prosody=torch.zeros_like(batch.prosody))).each
    assert balance is None
    assert each.shape == (4,) and not torch.equal(each, silent)
    torch.testing.assert_close(loss, each.mean())
    output = model(batch.ids, prosody=batch.prosody)
    torch.testing.assert_close(each, losses(output, batch.targets).mean(-1))


def test_fisher_is_of_single_sequences(model, batch):
    """A mean of squares, not the square of a mean."""
    fisher = fisher_of(model.eval(), batch)
    by_hand = torch.zeros_like(model.norm.weight)
    for row in range(4):
        one = type(batch)(*(part[row : row + 1] for part in batch))
        (gradient,) = torch.autograd.grad(dream(model, one)[0], model.norm.weight)
        by_hand += gradient.square() / 4
    torch.testing.assert_close(fisher["norm.weight"], by_hand)


def test_fisher_leaves_the_model_as_it_was(model, batch):
    model.train()
    model.norm.weight.grad = torch.ones_like(model.norm.weight)
    fisher_of(model, batch)
    assert model.training and (model.norm.weight.grad == 1).all()
    assert model.output_head.weight.grad is None


def test_sleep_comes_and_goes_at_its_steps(model, text):
    trainer = Trainer(model, text, TRAIN)
    phases = "".join(trainer.step().phase[0] for _ in range(14))
    assert phases == "wwwwsswwwwssww"
    trainer.params = TRAIN.model_copy(update={"sleep_every": 0})
    assert {trainer.step().phase for _ in range(8)} == {"wake"}


def test_the_rate_rises_falls_and_stays():
    params = TRAIN.model_copy(update={"learning_rate": 1.0, "warmup": 10, "total_steps": 110})
    rates = [learning_rate_at(step, params) for step in range(130)]
    assert rates[0] == pytest.approx(0.1) and rates[9] == rates[10] == 1.0
    assert rates[60] == pytest.approx(0.55) and rates[110] == rates[129] == pytest.approx(0.1)
    assert np.all(np.diff(rates[:10]) > 0) and np.all(np.diff(rates[10:111]) < 0)


def test_rates_are_those_of_the_schedulers_that_torch_chains():
    """Linear warm-up from 1/20 of the peak, then half a cosine: equal to 1e-12 of the peak."""
    params = TRAIN.model_copy(update={"learning_rate": 1.0, "warmup": 20, "total_steps": 120})
    theirs = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    rise = LinearLR(theirs, start_factor=1 / 20, total_iters=19)
    fall = CosineAnnealingLR(theirs, T_max=100, eta_min=params.final_share)
    chained = SequentialLR(theirs, [rise, fall], milestones=[20])
    for step in range(120):
        found = theirs.param_groups[0]["lr"]
        assert learning_rate_at(step, params) == pytest.approx(found, abs=1e-12), step
        theirs.step()
        chained.step()


def test_torch_puts_the_rate_of_the_step_into_every_group(model, text):
    """Also after the peak was changed between two steps; the rate is exactly the rule's."""
    trainer = Trainer(model, text, TRAIN)
    for step, peak in ((0, 3e-3), (1, 3e-3), (2, 7e-4)):
        trainer.params = TRAIN.model_copy(update={"learning_rate": peak})
        report = trainer.step()
        expected = learning_rate_at(step, trainer.params)
        rates = {group["lr"] for group in trainer.optimizer.param_groups}
        assert rates == {report.learning_rate} == {expected}
    assert scheduled(trainer.optimizer, 150, TRAIN).get_last_lr()[0] < 3e-3
