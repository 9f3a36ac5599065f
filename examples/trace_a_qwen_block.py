"""Trace one spiking block in the middle of a Qwen2, and draw what it did with a text.

python examples/trace_a_qwen_block.py [FOLDER]   writes trace_a_qwen_block.png
Without T4DM_QWEN a small Qwen2 is made: the real format, nothing learned.
"""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from picture import COLOURS, folder, save
from plotly.subplots import make_subplots

from t4dm.qwen.small import descriptions, make_small
from t4dm.qwen.unified_model import UnifiedModel

BLOCK, TOKENS, HEAD, N, SHARPNESS = 1, 96, 0, 128, 0.2
BARS = {"gate": {"x": 0.46, "y": 0.2, "title": "g"}, "attention": {"y": 0.8, "title": "weight"}}
SMALL = {"thickness": 10, "len": 0.4}


def trace() -> dict[str, torch.Tensor]:
    """What block ``BLOCK`` did with the first tokens of a text."""
    with tempfile.TemporaryDirectory() as made:
        where = os.environ.get("T4DM_QWEN") or make_small(made)
        model = UnifiedModel(str(where), n=N, dtype=torch.float64)
        ids = torch.tensor([model.tokenizer(descriptions()[4])["input_ids"][:TOKENS]])
    model.settings = replace(model.settings, attention_sharpness=SHARPNESS)
    with torch.no_grad():
        return model(ids, return_spike_trace=True).spike_trace[f"block {BLOCK}"]


def main(where: Path) -> None:
    names = ("spikes", "gate", "attention")
    spikes, gate, attention = (value[0].numpy() for value in map(trace().get, names))
    titles = (f"spikes, {N} neurons a stage", f"attention, head {HEAD}", "thalamic gate")
    grid, tokens = [[{}, {"rowspan": 2}], [{}, None]], np.arange(len(spikes))
    figure = make_subplots(2, 2, specs=grid, subplot_titles=titles, vertical_spacing=0.2)
    for stage, name in enumerate(("LIF in", "LIF out")):
        t, i = spikes[:, stage * N : (stage + 1) * N].nonzero()
        mark = {"symbol": "line-ns", "size": 3, "line": {"width": 1.5, "color": COLOURS[stage]}}
        name = f"{name}, {len(t) / (N * len(spikes)):.1%} of them a token"
        figure.add_scatter(x=t, y=i + stage * N, mode="markers", marker=mark, name=name)
    seen = np.where(attention[HEAD] > 0, attention[HEAD], np.nan)
    for name, z, top, row, col in (("gate", gate.T, 1.5, 2, 1), ("attention", seen, 1, 1, 2)):
        look = {"colorscale": "Cividis", "zmin": 0, "zmax": top, "colorbar": BARS[name] | SMALL}
        figure.add_heatmap(z=z, x=tokens, y=np.arange(len(z)), name=name, row=row, col=col, **look)
    figure.update_xaxes(title="token", range=[-0.5, len(spikes) - 0.5])
    figure.update_xaxes(title="key token", col=2).update_yaxes(title="query token", col=2)
    figure.update_yaxes(title="neuron", row=1, col=1).update_yaxes(title="channel", row=2, col=1)
    title = f"Block {BLOCK} in the middle of a Qwen2 reads a text, attention sharpness {SHARPNESS}"
    figure.update_layout(title=title, legend={"orientation": "h", "y": -0.16})
    save(figure, "trace_a_qwen_block", where)


if __name__ == "__main__":
    main(folder())
