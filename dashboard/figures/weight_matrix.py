"""The weights of a block one by one: pre -> column, post -> row, at fixed limits about 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dashboard.figures import style
from t4dm.live.segment import MATRIX_EVERY, MATRIX_ZERO
from t4dm.live.window import Window

W_LOW = -1.0


def weights_of(cells: np.ndarray, w_hi: float) -> np.ndarray:
    """Weights (..., R, R) float32 of the bytes of a matrix: 128 is 0, 255 is ``w_hi``, 0 is -1."""
    steps = cells.astype(np.float32) - MATRIX_ZERO
    top = np.float32(w_hi / (255 - MATRIX_ZERO))
    return np.where(steps > 0, steps * top, steps * np.float32(-W_LOW / MATRIX_ZERO))


def side_of(neurons: int, cells: int) -> int:
    """Neurons a side of one cell."""
    return -(-neurons // cells)


def newest(window: Window) -> np.ndarray:
    """The weights (R, R) of the newest sample, pre x post."""
    return weights_of(window.matrix[-1], float(window.meta["matrix_w_hi"]))


def place(window: Window, groups: Sequence[dict[str, Any]] = ()) -> tuple[int, int | None]:
    """(neurons, excitatory neurons or None where nobody tells) of the set of weights shown."""
    blocks = window.layout.blocks
    block = blocks[window.weights_block] if window.weights_block < len(blocks) else None
    group = next((g for g in window.layout.groups if g.block == block), window.layout.groups[0])
    listed = groups[group.index] if group.index < len(groups) else {}
    return group.n, listed.get("n_exc")


def fill(
    out: style.Figure, window: Window | None, groups: Sequence[dict[str, Any]], theme: style.Theme
) -> style.Figure:
    """Put the matrix view into ``out``, a figure with its title."""
    layout = out["layout"]
    n, n_exc = (256, None) if window is None else place(window, groups)
    layout["xaxis"] = style.axis(
        theme, "Pre: column (neuron of the block)", range=[-0.5, n - 0.5], autorange=False,
        showgrid=False,
    )  # fmt: skip
    layout["yaxis"] = style.axis(
        theme, "Post: row (neuron)", range=[n - 0.5, -0.5], autorange=False, showgrid=False,
        domain=[0, 0.93],
    )  # fmt: skip
    if window is None or not len(window.matrix):
        layout["annotations"].append(style.note(theme, _why_none(window)))
        out["data"] = [{"type": "scatter", "x": [None], "y": [None]}]
        return out
    out["data"] = [_heatmap(window, n, theme)]
    _add_words(out, window, n, n_exc, theme)
    return out


def _why_none(window: Window | None) -> str:
    if window is None:
        return "waiting for the first frame"
    return (
        f"the matrix is sampled every {MATRIX_EVERY * window.dt:g} ms; none is held for this window"
    )


def _heatmap(window: Window, n: int, theme: style.Theme) -> dict[str, Any]:
    weights = newest(window)
    side = side_of(n, len(weights))
    top = max(-W_LOW, float(window.meta["matrix_w_hi"]))
    what = "w" if side == 1 else f"mean of {side} x {side} weights"
    return {
        "type": "heatmap", "z": style.typed(weights.T), "x0": (side - 1) / 2, "dx": side,
        "y0": (side - 1) / 2, "dy": side, "zmin": -top, "zmax": top,
        "colorscale": style.DIVERGING,
        "colorbar": style.colour_bar(
            theme, "weight w (1)", tickvals=[-top, 0, top], len=0.93, y=0, yanchor="bottom"
        ),
        "hovertemplate": f"pre %{{x}} → post %{{y}}: {what} %{{z:.3f}}<extra></extra>",
    }  # fmt: skip


def _add_words(
    out: style.Figure, window: Window, n: int, n_exc: int | None, theme: style.Theme
) -> None:
    """When it was sampled and how it is read; where the inhibitory columns begin."""
    layout, side = out["layout"], side_of(n, window.matrix.shape[1])
    if n_exc is not None and n_exc < n:
        layout["shapes"].append(
            {
                "type": "line", "xref": "x", "yref": "y", "x0": n_exc - 0.5, "x1": n_exc - 0.5,
                "y0": -0.5, "y1": n - 0.5, "line": {"color": style.ink(theme), "width": 1, "dash": "5px,3px"},
            }
        )  # fmt: skip
        layout["annotations"].append(
            style.note(theme, "inhibitory", 1, 0.93, name=style.ASIDE, yanchor="bottom")
        )
    when = f"at {window.meta['matrix_step'] * window.dt:,.0f} ms"
    cells = "" if side == 1 else f", a cell is the mean of {side} x {side}"
    text = f"{when} · pre → column, post → row{cells}"
    layout["annotations"].append(style.note(theme, text, 0, 0.93, xanchor="left", name=style.ASIDE))
