"""Receptive fields: the afferent weights of each sensory neuron as an 8 x 8 image, a row a digit."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.figures import style, timeline
from t4dm.live.segment import HIST_EVERY, NO_LABEL
from t4dm.live.window import Window

SLUG = "receptive"
SIDE, STEP = 8, 9  # cells of a field, and from one field to the next
COLUMNS = 32
CLASSES = 10


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
) -> style.Figure:
    """Rows 0 to 9 and, last, those without a label; colours from 0 to 0.4 of ``sensory.w_norm``."""
    held = window is not None and len(window.receptive) > 0
    rows = (
        by_label(window.neuron_labels[-1]) if window is not None and held else [[]] * (CLASSES + 1)
    )
    height = STEP * len(rows)
    out: style.Figure = {
        "data": [],
        "layout": style.layout(
            theme, timeline.title("Receptive fields", "sensory layer", window), SLUG,
            xaxis=style.axis(
                theme, "A row: the neurons of one digit (how many)", range=[0, STEP * COLUMNS],
                autorange=False, showgrid=False, showticklabels=False, ticks="",
            ),
            yaxis=style.axis(
                theme, "", range=[height, 0], autorange=False, showgrid=False,
                tickvals=[STEP * (k + 0.5) for k in range(len(rows))],
                ticktext=[row_name(k, ids) for k, ids in enumerate(rows)], ticks="",
            ),
        ),
    }  # fmt: skip
    if window is None or not held:
        text = "waiting for the first frame"
        if window is not None:
            every = f"{HIST_EVERY * window.dt:g} ms"
            text = f"the layer is sampled every {every}; no sample falls in this window"
        out["layout"]["annotations"].append(style.empty_note(theme, text))
        return out
    out["data"] = [_image(window, rows, theme)]
    n = window.neuron_labels.shape[1]
    shown = sum(min(len(ids), COLUMNS) for ids in rows)
    out["layout"]["annotations"].append(style.caption(theme, f"showing {shown} of {n} neurons"))
    return out


def by_label(labels: np.ndarray) -> list[list[int]]:
    """Neurons of each digit 0 to 9, ascending, then those without a label."""
    return [np.flatnonzero(labels == k).tolist() for k in (*range(CLASSES), NO_LABEL)]


def row_name(row: int, ids: list[int]) -> str:
    """``7 (26)``."""
    return f"{row if row < CLASSES else 'none'} ({len(ids)})"


def _image(window: Window, rows: list[list[int]], theme: style.Theme) -> dict[str, Any]:
    w_shown = float(window.meta.get("w_shown", 1.0))
    fields = window.receptive[-1].astype(np.float32) * np.float32(w_shown / 255)
    image = np.full((STEP * len(rows), STEP * COLUMNS), np.nan, np.float32)
    for row, ids in enumerate(rows):
        for column, neuron in enumerate(ids[:COLUMNS]):
            y, x = STEP * row, STEP * column
            image[y : y + SIDE, x : x + SIDE] = fields[:, neuron].reshape(SIDE, SIDE)
    return {
        "type": "heatmap", "name": "weight", "z": style.typed(image), "x0": 0.5, "dx": 1,
        "y0": 0.5, "dy": 1, "zmin": 0, "zmax": w_shown, "colorscale": style.SEQUENTIAL,
        "colorbar": style.colour_bar(theme, "weight (1)", tickvals=[0, w_shown / 2, w_shown]),
        "hovertemplate": "weight %{z:.3f}<extra></extra>", "hoverongaps": False,
    }  # fmt: skip
