"""One neuron, three constant inputs: it never fires, fires now and then, fires every step.

python examples/one_neuron.py [FOLDER]   writes one_neuron.png
"""

from pathlib import Path

import numpy as np
import torch
from picture import COLOURS, folder, save
from plotly.subplots import make_subplots

from t4dm.spiking.lif import LIFNeuron

STEPS = 120
DASHED = {"dash": "dash", "color": "#A34700", "width": 1}
TICK = {"symbol": "line-ns", "size": 9, "line": {"width": 1.5, "color": "#1A1B1E"}}


def run(neuron: LIFNeuron, current: float) -> tuple[np.ndarray, np.ndarray]:
    """u before the reset and the spikes of ``STEPS`` ms of a constant input."""
    u, traces = torch.zeros(1, dtype=torch.float64), []
    for _ in range(STEPS):
        done = neuron.step(torch.full((1,), current, dtype=torch.float64), u)
        u = done.u
        traces.append((done.u_pre.item(), done.spikes.item()))
    u_pre, spikes = np.array(traces).T
    return u_pre, spikes


def main(where: Path) -> None:
    neuron = LIFNeuron(1)
    theta, alpha, beta = neuron.v_thresh, neuron.alpha, neuron.beta
    never, always = theta * (1 - alpha), theta * (1 - alpha + alpha * beta)
    currents = (0.99 * never, 1.8 * never, 1.01 * always)
    heads = [f"I = {current:.3f}" for current in currents]
    figure = make_subplots(3, 1, shared_xaxes=True, subplot_titles=heads, vertical_spacing=0.09)
    t = np.arange(STEPS)
    for row, current in enumerate(currents, 1):
        u_pre, spikes = run(neuron, current)
        line = {"color": COLOURS[row - 1]}
        name = f"{spikes.mean():.0%} of the steps fire"
        figure.add_scatter(x=t, y=u_pre, line=line, name=name, row=row, col=1)
        figure.add_hline(theta, line=DASHED, row=row, col=1)
        fired = t[spikes > 0]
        top = np.full(len(fired), 1.18 * max(theta, u_pre.max()))
        ticks = {"mode": "markers", "marker": TICK, "name": "spikes", "showlegend": row == 2}
        figure.add_scatter(x=fired, y=top, row=row, col=1, **ticks)
    title = f"One LIF neuron: silent below I = {never:g}, firing every step above {always:g} (threshold dashed)"
    figure.update_yaxes(title="u_pre (1)", rangemode="tozero")
    figure.update_xaxes(title="Time (ms)", row=3, col=1)
    save(figure.update_layout(title=title), "one_neuron", where)


if __name__ == "__main__":
    main(folder())
