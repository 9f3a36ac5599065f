"""Population rate: Hz per neuron of each stage, in bins that never reach across a change."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.figures import groups, style, timeline
from t4dm.live.window import DT_MS, Window

SLUG = "rate"
BIN_STEPS = 10
FULL_HZ = 200.0


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
) -> style.Figure:
    """One step line a stage: block gives the colour, solid for LIF in, dashed for LIF out."""
    lo, hi = timeline.span_ms(window, 300)
    out: style.Figure = {"data": [], "layout": {}}
    top = FULL_HZ
    if window is not None:
        edges = bin_edges(window)
        for stage in groups.stages(window):
            hz = rate_hz(window, edges, stage)
            top = max(top, float(hz.max(initial=0)) * 1.05)
            out["data"].append(_trace(stage, edges * DT_MS, hz, theme))
    out["layout"] = style.layout(
        theme,
        timeline.title("Population rate", "Hz per neuron", window),
        SLUG,
        xaxis=style.time_axis(theme, lo, hi),
        yaxis=style.axis(theme, "Rate (Hz per neuron)", range=[0, top], autorange=False),
        showlegend=bool(out["data"]),
        legend={"x": 1.005, "y": 1, "font": {"size": 12}, "itemwidth": 30, "tracegroupgap": 0,
                "bgcolor": "rgba(0,0,0,0)"},
    )  # fmt: skip
    note = "waiting for the first frame"
    if window is not None:
        note = f"bin {BIN_STEPS * DT_MS:g} ms, cut at changes; solid: LIF in, dashed: LIF out"
    out["layout"]["annotations"].append(style.caption(theme, note))
    return timeline.add_events(out, window, theme)


def bin_edges(window: Window) -> np.ndarray:
    """Steps where bins start and end: the absolute 10-step grid, cut at every change, int64."""
    grid = np.arange(-(-window.step0 // BIN_STEPS) * BIN_STEPS, window.step1, BIN_STEPS)
    inside = [s for s in timeline.change_steps(window) if window.step0 < s < window.step1]
    return np.unique(np.concatenate(([window.step0, window.step1], grid, inside))).astype(np.int64)


def rate_hz(window: Window, edges: np.ndarray, stage: groups.Stage) -> np.ndarray:
    """Mean rate of a stage between neighbouring edges, Hz per neuron, float64 (edges - 1,)."""
    if edges.size < 2:
        return np.zeros(0)
    total = np.concatenate(([0], np.cumsum(window.rates[:, stage.index], dtype=np.int64)))
    counts = np.diff(total[edges - window.step0])
    return counts / (np.diff(edges) * DT_MS / 1000.0 * stage.n)


def _trace(
    stage: groups.Stage, edges_ms: np.ndarray, hz: np.ndarray, theme: style.Theme
) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": f"block {stage.block}",
        "showlegend": stage.index % 2 == 0, "legendgroup": stage.block,
        "x": style.typed(edges_ms), "y": style.typed(np.append(hz, hz[-1:]).astype(np.float32)),
        "line": {
            "shape": "hv", "width": 1.5, "color": style.block_colour(stage.block, theme),
            "dash": "solid" if stage.index % 2 == 0 else "dash",
        },
        "hovertemplate": f"{stage.label}<br>%{{y:.1f}} Hz at %{{x}} ms<extra></extra>",
    }  # fmt: skip
