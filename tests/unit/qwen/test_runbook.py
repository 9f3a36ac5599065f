"""A rate in the loss and a clipped gradient, as a reader of the runbook puts them together."""

import torch

from t4dm.qwen.training import rate_loss


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
