"""Thalamic gate: activity of every channel, 0 to 1.5, and the mean openness over it."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.figures import style, timeline
from t4dm.live.segment import GATE_EVERY, GATE_FULL
from t4dm.live.window import DT_MS, Window

SLUG = "gate"
DEFAULT_CHANNELS = 256


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
) -> style.Figure:
    """Channel x time heatmap with fixed limits, the mean of the block as a step line."""
    lo, hi = timeline.span_ms(window, 300)
    channels = DEFAULT_CHANNELS if window is None else window.gate.shape[1]
    which = "" if window is None else f"block {window.gate_block}"
    out: style.Figure = {
        "data": [],
        "layout": style.layout(
            theme,
            timeline.title("Thalamic gate", which, window),
            SLUG,
            xaxis=style.time_axis(theme, lo, hi),
            yaxis=style.axis(
                theme, "Channel", range=[channels - 0.5, -0.5], autorange=False, showgrid=False
            ),
            yaxis2={
                "overlaying": "y", "range": [0, GATE_FULL], "visible": False, "fixedrange": True,
            },
        ),
    }  # fmt: skip
    if window is None or not len(window.gate_steps):
        note = (
            "waiting for the first frame"
            if window is None
            else (f"gate is sampled every {GATE_EVERY * DT_MS:g} ms; none falls in this window")
        )
        out["layout"]["annotations"].append(style.note(theme, note))
        return timeline.add_events(out, window, theme)
    mean = window.gate_mean[:, window.gate_block]
    out["data"] = [_heatmap(window, theme), *_mean(window, mean)]
    text = f"white line: mean openness, now {float(mean[-1]):.2f}, drawn on the same 0 to 1.5"
    out["layout"]["annotations"].append(style.note(theme, text))
    return timeline.add_events(out, window, theme)


def _heatmap(window: Window, theme: style.Theme) -> dict[str, Any]:
    activity = window.gate.T.astype(np.float32) * np.float32(GATE_FULL / 255)
    return {
        "type": "heatmap", "z": style.typed(activity),
        "x0": (int(window.gate_steps[0]) + GATE_EVERY / 2) * DT_MS, "dx": GATE_EVERY * DT_MS,
        "y0": 0, "dy": 1, "zmin": 0, "zmax": GATE_FULL, "colorscale": style.SEQUENTIAL,
        "colorbar": style.colour_bar(theme, "gate g (1)", tickvals=[0, 0.5, 1, 1.5]),
        "hovertemplate": "channel %{y}, %{x} ms: %{z:.2f}<extra></extra>",
    }  # fmt: skip


def _mean(window: Window, mean: np.ndarray) -> list[dict[str, Any]]:
    """The step line twice: dark and wide below, white above, so that it shows on every colour."""
    times = style.typed(window.gate_steps.astype(np.float64) * DT_MS)
    line = {
        "type": "scatter", "mode": "lines", "name": "mean openness", "yaxis": "y2", "x": times,
        "y": style.typed(mean.astype(np.float32)),
        "hovertemplate": "mean openness %{y:.2f} at %{x} ms<extra></extra>",
    }  # fmt: skip
    return [
        line | {"line": {"shape": "hv", "width": 4, "color": "#1A1B1E"}, "hoverinfo": "skip"},
        line | {"line": {"shape": "hv", "width": 2, "color": "#FFFFFF"}},
    ]
