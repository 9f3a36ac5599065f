"""The trainer learns, evaluates without side effects, and goes on bit for bit from a checkpoint."""

import math
import statistics

import numpy as np
import pytest
import torch

from t4dm.hippocampal.params import HippocampalParams
from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.params import ParamError
from t4dm.store.sealed import SealError
from t4dm.training import checkpoint
from t4dm.training.data import TokenText
from t4dm.training.trainer import Trainer
from tests.unit.training.conftest import MODEL, TRAIN

EWC = TRAIN.model_copy(update={"ewc_strength": 10.0})


def test_it_learns_from_a_real_text(text):
    """Two hundred steps take a byte model from ln 256 = 5.5 to below 3.2 nat; held out as well."""
    model = HippocampalTransformer(MODEL.model_copy(update={"dropout": 0.0}), seed=1)
    params = TRAIN.model_copy(update={"batch": 8, "context": 32, "sleep_every": 50})
    train, held_out = text.split()
    trainer = Trainer(model, train, params, held_out=held_out)
    reports = [trainer.step() for _ in range(200)]
    assert reports[0].loss == pytest.approx(math.log(256), abs=0.2)
    awake = [report.loss for report in reports if report.phase == "wake"]
    assert statistics.mean(awake[-20:]) < 3.2
    assert trainer.evaluate() < 3.3
    norms = [report.grad_norm for report in reports[20:]]
    assert min(norms) > 0.1 and max(norms) < 10
    assert all(report.applied for report in reports)


def woken(text, **more):
    """The fourth wake step of a trainer: its loss, and the gradients before clipping, by name."""
    params = TRAIN.model_copy(update={"clip": 0.0, "sleep_every": 0, **more})
    trainer = Trainer(HippocampalTransformer(MODEL, seed=1), text, params)
    for _ in range(3):
        trainer.step()
    report = trainer.step()
    assert report.phase == "wake"
    named = trainer.model.named_parameters()
    return report.loss, {name: 0.0 if p.grad is None else p.grad.norm().item() for name, p in named}


def test_the_wake_step_hears_prosody_and_reads_what_was_stored(text):
    """The weights that read prosody and memory learn from it, and only where there is any."""
    loss, learnt = woken(text)
    _, silent = woken(TokenText(text.ids, np.zeros_like(text.prosody)))
    forgetful, alone = woken(text, use_memory=False)
    unwritten, nothing = woken(text, memory_writes=0)
    assert len({loss, forgetful, unwritten}) == 3
    for layer in range(MODEL.n_layers):
        part = f"layers.{layer}.attention."
        assert learnt[part + "prosody.weight"] > 1e-7 and silent[part + "prosody.weight"] == 0.0
        assert learnt[part + "memory_gain"] > 1e-7 and learnt[part + "memory_gate.weight"] > 1e-7
        assert alone[part + "memory_gain"] == alone[part + "memory_gate.weight"] == 0.0
        assert nothing[part + "memory_gain"] == 0.0


def test_evaluating_changes_nothing(model, text):
    trainer = Trainer(model, text, TRAIN, held_out=text.split()[1])
    trainer.step()
    before = {name: tensor.clone() for name, tensor in checkpoint._tensors(trainer).items()}
    assert trainer.evaluate() == trainer.evaluate()
    assert model.training
    after = checkpoint._tensors(trainer)
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    with pytest.raises(ValueError, match="no held-out text"):
        Trainer(model, text, TRAIN).evaluate()


def test_a_step_that_is_not_finite_is_reported_and_not_applied(model, text):
    trainer = Trainer(model, text, TRAIN)
    trainer.step()
    with torch.no_grad():
        model.norm.bias[0] = float("nan")
    before = model.norm.weight.clone()
    report = trainer.step()
    assert not report.applied and math.isnan(report.loss)
    assert torch.equal(model.norm.weight, before) and trainer.memory.used == 16


def test_clipping_bounds_the_step_and_zero_means_none(model, text):
    trainer = Trainer(model, text, TRAIN.model_copy(update={"clip": 0.01}))
    report = trainer.step()
    left = torch.linalg.vector_norm(
        torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None])
    )
    assert report.grad_norm > 0.1 and left == pytest.approx(0.01, rel=1e-3)
    trainer.params = TRAIN.model_copy(update={"clip": 0.0})
    report = trainer.step()
    left = torch.linalg.vector_norm(
        torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None])
    )
    assert left.item() == pytest.approx(report.grad_norm, rel=1e-4)


def test_a_context_longer_than_the_model_is_refused(model, text):
    with pytest.raises(ParamError, match="expected at most max_seq_len = 32, got 33"):
        Trainer(model, text, TRAIN.model_copy(update={"context": 33}))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("killed_at", [1, 5, 9])
def test_abandoned_and_loaded_it_goes_on_bit_for_bit(tmp_path, text, dtype, killed_at):
    """Killed awake, asleep, and with anchors; the steps after the file was written are lost."""
    trainer = Trainer(HippocampalTransformer(MODEL, seed=1).to(dtype), text, EWC, seed=3)
    for _ in range(killed_at):
        trainer.step()
    checkpoint.save(tmp_path / "run", trainer)
    expected = [trainer.step() for _ in range(7)]
    loaded = checkpoint.load(tmp_path / "run", text)
    assert loaded.model.norm.weight.dtype == dtype
    assert [loaded.step() for _ in range(7)] == expected
    ours, theirs = checkpoint._tensors(loaded), checkpoint._tensors(trainer)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_run_is_the_same_whatever_else_draws_numbers(text):
    losses = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        np.random.seed(noise)
        trainer = Trainer(HippocampalTransformer(MODEL, seed=1), text, TRAIN, seed=3)
        losses.append([trainer.step().loss for _ in range(6)])
    assert losses[0] == losses[1]


def test_a_checkpoint_keeps_what_was_set(tmp_path, text):
    model = HippocampalTransformer(MODEL, seed=1)
    trainer = Trainer(model, text, TRAIN, seed=3)
    trainer.params = TRAIN.model_copy(update={"learning_rate": 0.5})
    model.dropout = 0.3
    checkpoint.save(tmp_path / "run", trainer)
    loaded = checkpoint.load(tmp_path / "run", text)
    assert loaded.params.learning_rate == 0.5 and loaded.model.dropout == 0.3
    assert loaded.model.params == MODEL and loaded.seed == 3


def test_a_damaged_file_or_another_text_is_refused(tmp_path, model, text):
    path = tmp_path / "run"
    checkpoint.save(path, Trainer(model, text, TRAIN))
    other = TokenText(text.ids[1:], text.prosody[1:])
    with pytest.raises(ValueError, match="another text"):
        checkpoint.load(path, other)
    assert checkpoint.load(path, other, other_text=True).step_number == 0
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(SealError, match="damaged"):
        checkpoint.load(path, text)


def forgetting(strength, seed, tasks):
    """How much worse the first task got while the second was learnt, and the loss on the second."""
    params = HippocampalParams(
        vocab_size=16, dim=32, n_layers=1, n_heads=2, max_seq_len=16, n_place=32, dropout=0.0
    )
    train = TRAIN.model_copy(
        update={"batch": 16, "context": 16, "sleep_every": 0, "use_memory": False,
                "ewc_strength": strength, "ewc_samples": 32, "total_steps": 10**6}
    )  # fmt: skip
    trainer = Trainer(HippocampalTransformer(params, seed=seed), tasks[0], train, seed)
    for _ in range(80):
        trainer.step()
    learnt = trainer.evaluate(tasks[0], at_most=16)
    trainer.consolidate()
    trainer.text = tasks[1]
    for _ in range(40):
        trainer.step()
    return (
        trainer.evaluate(tasks[0], at_most=16) - learnt,
        trainer.evaluate(tasks[1], at_most=16),
    )


def chain(seed, tokens):
    """A text of ``tokens`` in which each has one usual follower (probability 0.9)."""
    draws = np.random.default_rng(seed)
    follower = dict(zip(tokens, draws.permutation(tokens), strict=True))
    ids = [tokens[0]]
    for _ in range(3000):
        ids.append(follower[ids[-1]] if draws.random() < 0.9 else int(draws.choice(tokens)))
    return TokenText(np.array(ids), np.zeros((len(ids), 4), np.float32))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ewc_keeps_an_old_task(seed):
    tasks = chain(seed, list(range(8))), chain(seed + 10, list(range(8, 16)))
    free, new_free = forgetting(0.0, seed, tasks)
    kept, new_kept = forgetting(3000.0, seed, tasks)
    assert free > 0.1 and kept < 0.25 * free
    assert new_kept < new_free + 0.2
