"""A small stack of the live kind, driven by digits, as a raster; half way a threshold is raised.

python examples/raster.py [FOLDER]   writes raster.png
"""

import tempfile
from pathlib import Path

import plotly.graph_objects as go
from picture import COLOURS, folder, save

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.handlers import apply, parse
from t4dm.live.merge import merge
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from t4dm.live.view import View
from t4dm.live.window import Window

CONFIG = StackConfig(n_blocks=3, n_neurons=64)
STEPS = 1600
RAISED = {"type": "set", "path": "blocks.0.lif_in.v_thresh", "value": 1.6}


def simulate(data: Path) -> Window:
    """Every spike of ``STEPS`` steps, seed 0."""
    session = Session("raster", Engine(CONFIG, ParamTree(CONFIG.n_blocks), 0, data))
    first = [session.advance(40) for _ in range(STEPS // 80)]
    apply(session, parse(RAISED), "example")
    second = [session.advance(40) for _ in range(STEPS // 80)]
    return merge(first + second, View(rows="all"))


def main(where: Path) -> None:
    with tempfile.TemporaryDirectory() as data:
        window = simulate(Path(data))
    figure, ids = go.Figure(), window.rows[window.spk_row]
    t = window.step0 + window.spk_dt.astype(int)
    for stage in window.layout.groups:
        mine = window.layout.group_of(ids) == stage.index
        hz = mine.sum() / stage.n / window.n_steps * 1000
        colour = "#7A828C" if stage.block is None or stage.is_out else COLOURS[stage.block]
        mark = {"symbol": "line-ns", "size": 2.5, "line": {"width": 1, "color": colour}}
        name = f"{stage.name}  n={stage.n}  {hz:.0f} Hz"
        figure.add_scatter(x=t[mine], y=ids[mine], mode="markers", marker=mark, name=name)
    for digit in (e for e in window.events if e["type"] == "stimulus"):
        figure.add_vline(digit["step"], line={"color": "#DFE3E8", "width": 1})
        at = {"x": digit["step"], "y": 1.04, "yref": "paper", "showarrow": False}
        figure.add_annotation(text=f"“{digit['label']}”", **at)
    figure.add_vline(STEPS // 2, line={"dash": "dash", "color": "#A34700"})
    figure.update_xaxes(title="Time (ms)", range=[0, STEPS])
    middle = {stage.first + stage.n / 2: stage.short for stage in window.layout.groups}
    ticks = {"tickvals": list(middle), "ticktext": list(middle.values())}
    figure.update_yaxes(title="neuron", autorange="reversed", **ticks)
    title = f"{len(ids):,} spikes of a stack; at {STEPS // 2} ms the first threshold is raised to 1.6 (dashed)"
    save(figure.update_layout(title=title, legend={"itemsizing": "constant"}), "raster", where)


if __name__ == "__main__":
    main(folder())
