"""Three-factor learning: the same spikes teach nothing, then something, as dopamine says.

python examples/neuromodulated_learning.py [FOLDER]   writes neuromodulated_learning.png
"""

from pathlib import Path

import torch
from picture import COLOURS, folder, save
from plotly.subplots import make_subplots

from t4dm.learning.params import STDPParams
from t4dm.learning.reward import compute_reward
from t4dm.learning.stdp import init_stdp_state, stdp_step
from t4dm.spiking.neuromod_bus import NeuromodBus

STEPS, PERIOD, LAG = 3000, 50, 5
REWARDS = {1000: "success", 2000: "failure"}


def main(where: Path) -> None:
    params = STDPParams(mode="three_factor", learning_rate=0.05)
    bus = NeuromodBus()
    w, state = torch.full((1, 1), 0.5, dtype=torch.float64), init_stdp_state(1, 1)
    rows: dict[str, list[float]] = {"dopamine": [], "eligibility": [], "weight": []}
    for step in range(STEPS):
        if step in REWARDS:
            bus.inject_reward(compute_reward(REWARDS[step]))
        da = bus.advance(step)["DA"]
        pre = torch.tensor([step % PERIOD == 0]).double()
        post = torch.tensor([step % PERIOD == LAG]).double()
        w, state = stdp_step(w, pre, post, state, params, da=da)
        assert state.eligibility is not None
        for name, value in zip(rows, (da, state.eligibility.item(), w.item()), strict=True):
            rows[name].append(value)
    figure = make_subplots(3, 1, shared_xaxes=True, vertical_spacing=0.06)
    t = list(range(STEPS))
    units = ("DA (1)", "e (1)", "w (1)")
    for row, ((name, values), unit) in enumerate(zip(rows.items(), units, strict=True), 1):
        figure.add_scatter(
            x=t, y=values, line={"color": COLOURS[row - 1]}, name=name, row=row, col=1
        )
        figure.update_yaxes(title=unit, row=row, col=1)
    for step, outcome in REWARDS.items():
        figure.add_vline(step, line={"dash": "dot", "color": "#A34700"})
        figure.add_annotation(x=step, y=1.06, yref="paper", text=outcome, showarrow=False)
    figure.update_xaxes(title="Time (ms)", row=3, col=1)
    moved = rows["weight"][1999] - rows["weight"][999], rows["weight"][-1] - rows["weight"][1999]
    title = f"Pre leads post by {LAG} ms all along; dw is {moved[0]:+.4f} after the success, {moved[1]:+.4f} after the failure"
    save(figure.update_layout(title=title), "neuromodulated_learning", where)


if __name__ == "__main__":
    main(folder())
