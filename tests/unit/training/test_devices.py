"""Training stays on the device of its model: the meta device refuses a tensor made elsewhere."""

import pytest
import torch

from t4dm.brain.params import BrainParams
from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.learning.ewc import consolidate, penalty
from t4dm.training import checkpoint, trainer
from t4dm.training.brain_transformer import BrainTransformer
from t4dm.training.sleep import dream, fisher_of
from t4dm.training.trainer import Trainer
from t4dm.training.wake import Tensors, remember, wake
from tests.unit.training.conftest import MODEL, TRAIN

SHAPE = BrainParams(n_neurons=16, timesteps=2, n_experts=3, top_k=2)
MODELS = {
    "plain": lambda: HippocampalTransformer(MODEL, seed=1),
    "brain": lambda: BrainTransformer(MODEL, SHAPE, seed=1),
}


@pytest.fixture(params=[torch.float32, torch.bfloat16])
def dtype(request):
    return request.param


@pytest.fixture(params=list(MODELS))
def model(request, dtype):
    return MODELS[request.param]().to("meta", dtype).eval()


@pytest.fixture
def batch(dtype):
    ids = torch.zeros(2, 6, dtype=torch.int64, device="meta")
    return Tensors(ids, ids, torch.zeros(2, 6, 4, dtype=dtype, device="meta"))


def places(tensors):
    return {tensor.device.type for tensor in tensors}


def test_a_wake_step(model, batch):
    seen = wake(model, batch, model.empty_memory())
    balance = seen.output.balance
    (seen.loss if balance is None else seen.loss + balance).backward()
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    assert len(grads) > 20 and places(grads) == {"meta"}
    unasked = seen._replace(output=seen.output._replace(recalled=None))
    assert places(remember(model, model.empty_memory(), unasked, batch.targets, 4)) == {"meta"}


def test_a_text_in_parts(model, batch):
    more = {"use_memory": True, "memory": model.empty_memory()}
    context = model(batch.ids, batch.prosody, **more).context
    made = model(batch.ids[:, :1], batch.prosody[:, :1], context=context, **more)
    assert made.logits.device.type == "meta"


def test_sleep_and_consolidation(model, batch):
    dream(model, batch).loss.backward()
    held = consolidate(model, fisher_of(model, batch))
    held = consolidate(model, held.fisher, held, 0.9)
    pull = penalty(model, held, 1.0)
    pull.backward()
    assert places([pull, *held.fisher.values(), *held.anchor.values()]) == {"meta"}


def test_a_checkpoint_goes_on_elsewhere(tmp_path, text, monkeypatch):
    """Saved on the CPU, loaded on another device: weights, moments, bank, Fisher and anchor are there."""
    ewc = TRAIN.model_copy(update={"ewc_strength": 1.0})
    first = Trainer(HippocampalTransformer(MODEL, seed=1), text, ewc)
    for _ in range(6):
        first.step()
    checkpoint.save(tmp_path / "run", first)
    groups = torch.optim.AdamW  # the fused one knows no meta device
    monkeypatch.setattr(trainer, "make_optimizer", lambda model: groups(model.parameters(), lr=0.0))
    moved = checkpoint.load(tmp_path / "run", text, device="meta")
    found = checkpoint._tensors(moved)
    assert found.keys() == checkpoint._tensors(first).keys() and places(found.values()) == {"meta"}
