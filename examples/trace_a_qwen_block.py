"""Trace one spiking block in the middle of a Qwen2, and draw what it did with a text.

    python examples/trace_a_qwen_block.py [FOLDER]
FOLDER holds a Qwen2; without it a small one is made: the real format, nothing learned.
Writes docs/img/qwen_block.png.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots

from t4dm.qwen.small import descriptions, make_small
from t4dm.qwen.unified_model import UnifiedModel

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "img" / "qwen_block.png"
BLOCK, TOKENS, HEAD, N = 1, 96, 0, 128
COLOURS = {"LIF in": "#D55E00", "LIF out": "#0072B2"}
LOOK = {"colorscale": "Cividis", "zmin": 0, "colorbar": {"thickness": 10, "len": 0.4}}


def draw(trace: dict[str, torch.Tensor], title: str) -> go.Figure:
    """Raster above gate on one token axis, attention beside them."""
    spikes, gate, attention = (trace[name][0].numpy() for name in ("spikes", "gate", "attention"))
    names = (f"spikes, {N} neurons a stage", f"attention, head {HEAD}", "thalamic gate")
    grid = [[{}, {"rowspan": 2}], [{}, None]]
    figure = make_subplots(2, 2, specs=grid, subplot_titles=names, vertical_spacing=0.16)
    for stage, (name, colour) in enumerate(COLOURS.items()):
        part = spikes[:, stage * N : (stage + 1) * N]
        t, i = part.nonzero()
        marker = {"symbol": "line-ns", "size": 3, "line": {"width": 1.5, "color": colour}}
        name = f"{name}, {part.mean():.1%} of them a token"
        figure.add_scatter(x=t, y=i + stage * N, mode="markers", marker=marker, name=name)
    seen = np.where(attention[HEAD] > 0, attention[HEAD], np.nan)
    figure.add_heatmap(z=gate.T, zmax=1.5, row=2, col=1, **LOOK)
    figure.add_heatmap(z=seen, zmax=1, row=1, col=2, **LOOK)
    figure.update_traces(colorbar={"x": 0.455, "y": 0.2, "title": "g"}, selector={"zmax": 1.5})
    figure.update_traces(colorbar={"y": 0.8, "title": "weight"}, selector={"zmax": 1})
    figure.update_xaxes(title="token", range=[-0.5, len(spikes) - 0.5])
    figure.update_xaxes(title="key token", col=2).update_yaxes(title="query token", col=2)
    figure.update_yaxes(title="neuron", row=1, col=1).update_yaxes(title="channel", row=2, col=1)
    return figure.update_layout(template="plotly_white", title=title, legend={"orientation": "h"})


if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else make_small(tempfile.mkdtemp(prefix="qwen-"))
    model = UnifiedModel(str(folder), n=N)
    ids = torch.tensor([model.tokenizer(descriptions()[4])["input_ids"][:TOKENS]])
    settings = replace(model.settings, attention_sharpness=0.2)
    with torch.no_grad():
        out = model(ids, return_spike_trace=True, settings=settings)
    trace = out.spike_trace[f"block {BLOCK}"]
    title = f"Reading a text: block {BLOCK} of {model.config.n_blocks} in a Qwen2, sharpness 0.2"
    draw(trace, title).write_image(PICTURE, width=1200, height=700)
    print(f"{trace['rate']:.1%} of the neurons fire at a token; {PICTURE} is written")
