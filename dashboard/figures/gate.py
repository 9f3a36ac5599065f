"""Thalamic gate: activity of every channel, 0 to 1.5, and the mean openness under it."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.figures import style, timeline
from t4dm.live.segment import GATE_EVERY, GATE_FULL
from t4dm.live.window import Window

SLUG = "gate"
DEFAULT_CHANNELS = 256


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
) -> style.Figure:
    """Channel x time heatmap with fixed limits; below it the mean of the block as a step line."""
    lo, hi = timeline.span_ms(window, 300)
    channels = DEFAULT_CHANNELS if window is None else window.gate.shape[1]
    which = "" if window is None else f"block {window.gate_block}"
    out: style.Figure = {
        "data": [],
        "layout": style.layout(
            theme,
            timeline.title("Thalamic gate", which, window),
            SLUG,
            xaxis=style.time_axis(theme, lo, hi, anchor="y2"),
            yaxis=style.axis(
                theme, "Channel", range=[channels - 0.5, -0.5], autorange=False, showgrid=False,
                domain=[0.32, 1], nticks=5,
            ),
            yaxis2=style.axis(
                theme, "Mean (1)", range=[0, GATE_FULL], autorange=False, domain=[0, 0.26],
                anchor="x", tickvals=[0, 1],
            ),
        ),
    }  # fmt: skip
    if window is None or not len(window.gate_steps):
        note = "waiting for the first frame"
        if window is not None:
            every = f"{GATE_EVERY * window.dt:g} ms"
            note = f"gate is sampled every {every}; none falls in this window"
        out["layout"]["annotations"].append(style.note(theme, note))
        out["data"] = [{"type": "scatter", "x": [None], "y": [None], "yaxis": "y2"}]
        return timeline.add_events(out, window, theme)
    mean = window.gate_mean[:, window.gate_block]
    out["data"] = [_heatmap(window, theme), _mean(window, mean, theme)]
    text = f"below: mean openness of the block, now {float(mean[-1]):.2f}"
    out["layout"]["annotations"].append(style.caption(theme, text))
    return timeline.add_events(out, window, theme)


def _heatmap(window: Window, theme: style.Theme) -> dict[str, Any]:
    activity = window.gate.T.astype(np.float32) * np.float32(GATE_FULL / 255)
    return {
        "type": "heatmap", "z": style.typed(activity),
        "x0": (int(window.gate_steps[0]) + GATE_EVERY / 2) * window.dt, "dx": GATE_EVERY * window.dt,
        "y0": 0, "dy": 1, "zmin": 0, "zmax": GATE_FULL, "colorscale": style.SEQUENTIAL,
        "colorbar": style.colour_bar(
            theme, "gate g (1)", tickvals=[0, 0.5, 1, 1.5], len=0.68, y=1, yanchor="top"
        ),
        "hovertemplate": "channel %{y}, %{x} ms: %{z:.2f}<extra></extra>",
    }  # fmt: skip


def _mean(window: Window, mean: np.ndarray, theme: style.Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": "mean openness", "yaxis": "y2",
        "x": style.typed(window.gate_steps.astype(np.float64) * window.dt),
        "y": style.typed(mean.astype(np.float32)),
        "line": {
            "shape": "hv", "width": 2, "color": style.block_colour(window.gate_block, theme)
        },
        "hovertemplate": "mean openness %{y:.2f} at %{x} ms<extra></extra>",
    }  # fmt: skip
