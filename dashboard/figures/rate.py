"""Population rate: Hz per neuron of each stage, in bins that never reach across a change."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.figures import groups, style, timeline
from t4dm.live.window import Window

SLUG = "rate"
BINS = (5, 10, 20, 50, 100)  # steps: the shortest of which 100 span the window
TOPS = (10, 20, 50, 100, 200, 500, 1000)  # ends of the axis in Hz


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
) -> style.Figure:
    """One step line a stage: block gives the colour, solid for LIF in, dashed for LIF out."""
    lo, hi = timeline.span_ms(window, 300)
    out: style.Figure = {"data": [], "layout": {}}
    most, bin_steps = 0.0, BINS[0]
    if window is not None:
        bin_steps = bin_width(window)
        edges = bin_edges(window)
        for stage in groups.stages(window):
            hz = rate_hz(window, edges, stage)
            most = max(most, float(hz.max(initial=0)))
            out["data"].append(_trace(stage, edges * window.dt, hz, theme))
    top = next((top for top in TOPS if top >= most * 1.05), TOPS[-1])
    out["layout"] = style.layout(
        theme,
        timeline.title("Population rate", timeline.rate_unit(window), window),
        SLUG,
        xaxis=style.time_axis(theme, lo, hi),
        yaxis=style.axis(theme, f"Rate ({timeline.rate_unit(window)})", range=[0, top], autorange=False),
        showlegend=bool(out["data"]),
        legend={"x": 1.005, "y": 1, "font": {"size": 12}, "itemwidth": 30, "tracegroupgap": 0,
                "bgcolor": "rgba(0,0,0,0)"},
    )  # fmt: skip
    note = "waiting for the first frame"
    if window is not None:
        note = f"bin {bin_steps * window.dt:g} ms, cut at changes; solid: LIF in, dashed: LIF out"
    out["layout"]["annotations"].append(style.caption(theme, note))
    return timeline.add_events(out, window, theme)


def bin_width(window: Window) -> int:
    """Steps a bin, the same as on the canvas."""
    return next((every for every in BINS if window.n_steps / every <= 100), BINS[-1])


def bin_edges(window: Window) -> np.ndarray:
    """Steps where bins start and end: their absolute grid, cut at every change, int64."""
    every = bin_width(window)
    grid = np.arange(-(-window.step0 // every) * every, window.step1, every)
    inside = [s for s in timeline.change_steps(window) if window.step0 < s < window.step1]
    return np.unique(np.concatenate(([window.step0, window.step1], grid, inside))).astype(np.int64)


def rate_hz(window: Window, edges: np.ndarray, stage: groups.Stage) -> np.ndarray:
    """Mean rate of a stage between neighbouring edges, Hz per neuron, float64 (edges - 1,)."""
    if edges.size < 2:
        return np.zeros(0)
    total = np.concatenate(([0], np.cumsum(window.rates[:, stage.index], dtype=np.int64)))
    counts = np.diff(total[edges - window.step0])
    return counts / (np.diff(edges) * window.dt / 1000.0 * stage.n)


def _trace(
    stage: groups.Stage, edges_ms: np.ndarray, hz: np.ndarray, theme: style.Theme
) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": stage.label if stage.block is None else f"block {stage.block}",
        "showlegend": not stage.dashed, "legendgroup": stage.colour,
        "x": style.typed(edges_ms), "y": style.typed(np.append(hz, hz[-1:]).astype(np.float32)),
        "line": {
            "shape": "hv", "width": 1.5, "color": style.block_colour(stage.colour, theme),
            "dash": "dash" if stage.dashed else "solid",
        },
        "hovertemplate": f"{stage.label}<br>%{{y:.1f}} Hz at %{{x}} ms<extra></extra>",
    }  # fmt: skip
