"""The debugging runbook's Python that needs the language model, as a reader would paste it."""

import pytest
import torch

from t4dm.qwen.training import rate_loss
from t4dm.qwen.unified_model import UnifiedModel


@pytest.fixture(scope="module")
def model(small_folder):
    """The model that the runbook opens, with a small one standing in by T4DM_QWEN."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("T4DM_QWEN", str(small_folder))
        return UnifiedModel(model_name="Qwen/Qwen2.5-3B-Instruct")


def test_trace_recipe(model):
    input_ids = torch.tensor([[101, 2054, 2003, 102]])
    with torch.no_grad():
        outputs = model(
            input_ids=input_ids,
            return_spike_trace=True,
        )
    spike_trace = outputs.spike_trace
    lines = []
    for block_name, block_trace in spike_trace.items():
        spikes = block_trace["spikes"]
        spike_rate = spikes.float().mean().item()
        lines.append(f"{block_name}: {spike_rate:.1%} spike rate")
        per_neuron = spikes.float().mean(dim=(0, 1))
        assert per_neuron.shape == (512,)
        lines.append(f"  Min rate: {per_neuron.min():.3f}")
        lines.append(f"  Max rate: {per_neuron.max():.3f}")
        lines.append(f"  Median rate: {per_neuron.median():.3f}")
    assert len(lines) == 24
    assert lines[0].startswith("block 0: ") and not lines[0].startswith("block 0: 0.0%")


def test_clip_and_feedback_recipes(model):
    with torch.no_grad():
        model.spiking_blocks[0].recurrent.weight.clamp_(-1.0, 1.0)
    recurrent_weights = model.spiking_blocks[0].recurrent.weight
    assert recurrent_weights.shape == (256, 256)
    text = f"{recurrent_weights.min():.3f} to {recurrent_weights.max():.3f}"
    assert text == "-1.000 to 0.500"


def test_regularisation_and_gradient_clipping_recipes(make_model, ids):
    model = make_model()
    outputs = model(ids, labels=ids, return_spike_trace=True)
    main_loss = outputs.loss
    spikes = outputs.spike_trace["block 0"]["spikes"]
    spike_loss = (spikes.mean() - 0.1) ** 2
    torch.testing.assert_close(
        rate_loss({"block 0": outputs.spike_trace["block 0"]}), spike_loss
    )  # fmt: skip
    total_loss = main_loss + 0.01 * spike_loss
    total_loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    norms = [p.grad.norm().item() for p in model.parameters() if p.grad is not None]
    assert sum(norm**2 for norm in norms) <= 1.0001
