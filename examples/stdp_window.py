"""The STDP window, measured pair by pair on one synapse, over its closed form.

python examples/stdp_window.py [FOLDER]   writes stdp_window.png
"""

from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import torch
from picture import COLOURS, folder, save

from t4dm.learning.params import STDPParams
from t4dm.learning.reward import dopamine_factors
from t4dm.learning.stdp import init_stdp_state, stdp_step

START, SPAN = 0.5, 80
MEASURED = [dt for dt in range(-SPAN, SPAN + 1, 5) if dt]


def change(dt: int, da: float, params: STDPParams) -> float:
    """dw of one pair: pre at step 0, post ``dt`` steps later (earlier where it is negative)."""
    w, state = torch.full((1, 1), START, dtype=torch.float64), init_stdp_state(1, 1)
    first = min(0, dt)
    for step in range(first, max(0, dt) + 1):
        pre, post = (torch.tensor([step == at]).double() for at in (0, dt))
        w, state = stdp_step(w, pre, post, state, params, da=da)
    return w.item() - START


def closed_form(dt: np.ndarray, da: float, params: STDPParams) -> np.ndarray:
    """The window as docs/equations.md, section 4, has it."""
    plus, minus = dopamine_factors(da)
    rise = params.a_plus * plus * np.exp(-np.abs(dt) / params.tau_plus)
    fall = -params.a_minus * minus * np.exp(-np.abs(dt) / params.tau_minus)
    return params.learning_rate * np.where(dt > 0, rise, np.where(dt < 0, fall, np.nan))


def main(where: Path) -> None:
    params, figure = STDPParams(), go.Figure()
    fine = np.arange(-SPAN, SPAN + 0.5, 0.5)
    for da, colour, symbol in ((0.5, COLOURS[1], "circle"), (1.0, COLOURS[0], "diamond")):
        line, marker = {"color": colour}, {"color": colour, "symbol": symbol, "size": 8}
        figure.add_scatter(
            x=fine, y=closed_form(fine, da, params), line=line, name=f"closed form, DA {da}"
        )
        measured = [change(dt, da, params) for dt in MEASURED]
        figure.add_scatter(
            x=MEASURED, y=measured, mode="markers", marker=marker, name=f"measured, DA {da}"
        )
    for add in (figure.add_hline, figure.add_vline):
        add(0, line={"color": "#7A828C", "width": 1})
    figure.update_xaxes(title="dt = t_post - t_pre (ms)").update_yaxes(title="dw (1)")
    title = "STDP window: dopamine lifts potentiation by half and takes 30 % off depression"
    save(figure.update_layout(title=title), "stdp_window", where)


if __name__ == "__main__":
    main(folder())
