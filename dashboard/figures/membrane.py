"""Membranes: u before the reset, stacked, each with its threshold as it stood at every step.

Of a script's own layers they are as the layers give them; the manifest's ``membranes`` says so in words.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dashboard.figures import groups, style, timeline
from t4dm.live.window import Window

SLUG = "membrane"
DEFAULT_ROWS = 6
THETAS = 2.5  # height of a lane, in highest thresholds in view
OURS = "u before reset"  # what a trace is, unless the manifest says otherwise
BASE = 0.4  # share of a lane below u = 0
MARKS_ACROSS = 60  # triangles stand at least a span / 80 apart


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
) -> style.Figure:
    """Trace k has its 0 at height K-1-k, in a lane from -0.4 to 0.6 round it that it never leaves.

    A lane is 2.5 x the highest threshold in view high; triangles at its edge mark what lies beyond.
    """
    lo, hi = timeline.span_ms(window, 300)
    count = DEFAULT_ROWS if window is None else len(window.membrane)
    data: list[dict[str, Any]] = []
    which, names, note = "", [], "waiting for the first frame"
    if window is not None and count:
        scale = row_scale(window)
        names = [window.layout.neuron_name(int(i)) for i in window.membrane]
        which = f"u_pre of {count} neuron{'s' if count > 1 else ''}"
        note = caption(window, scale, (manifest or {}).get("membranes", OURS))
        for k in range(count):
            data += _row(window, k, count, scale, names[k], theme)
    rows = list(range(count - 1, -1, -1))
    out: style.Figure = {
        "data": data,
        "layout": style.layout(
            theme,
            timeline.title("Membranes", which, window),
            SLUG,
            xaxis=style.time_axis(theme, lo, hi),
            yaxis=style.axis(
                theme, "" if names else "u_pre (1), one row a neuron",
                range=[-BASE, count - BASE] if count else [0, 1], autorange=False, showgrid=False,
                tickmode="array", tickvals=rows if names else [], ticktext=names,
            ),
        ),
    }  # fmt: skip
    out["layout"]["annotations"].append(style.caption(theme, note))
    if window is not None and count:
        _add_lanes(out, window, count, row_scale(window), theme)
    if window is not None and not count:
        text = "no neuron watched; click a raster row to watch it"
        out["layout"]["annotations"].append(style.empty_note(theme, text))
    return timeline.add_events(out, window, theme)


def row_scale(window: Window) -> float:
    """Height of a lane in units of u: 2.5 x the highest threshold shown, up to the next quarter."""
    stages = np.unique(groups.stage_indices(window, window.membrane))
    theta = window.theta[:, stages]
    highest = float(theta[np.isfinite(theta)].max(initial=0.0))
    return math.ceil(THETAS * highest * 4) / 4 if highest > 0 else THETAS


def caption(window: Window, scale: float, what: str = OURS) -> str:
    """The lane's scale, the samples beyond it and the membranes held at ±u_max, where there are."""
    lo, hi = limits(scale)
    parts = [f"each lane {lo:g} to {hi:g} (u_pre, 1)", "dashed: threshold in force"]
    if what != OURS:
        parts.insert(0, what)
    outside = int(np.count_nonzero((window.u < lo) | (window.u > hi)))
    if outside:
        parts.append(f"triangles: {outside:,} samples beyond it")
    clamped = int(window.clamped.sum(dtype=np.int64))
    if clamped:
        parts.append(f"{clamped:,} clamped at ±u_max in window")
    return " · ".join(parts)


def limits(scale: float) -> tuple[float, float]:
    """u at the lower and the upper edge of a lane."""
    return -BASE * scale, (1 - BASE) * scale


def _add_lanes(
    out: style.Figure, window: Window, count: int, scale: float, theme: style.Theme
) -> None:
    """A line at u = 0 and between lanes; right of each the threshold in force at the end."""
    line = {"width": 1, "color": style.grid_colour(theme)}
    across = {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "layer": "below"}
    for k in range(count):
        base = count - 1 - k
        for y in (base, base - BASE):
            out["layout"]["shapes"].append(across | {"y0": y, "y1": y, "line": line})
        if not window.n_steps:
            continue
        if np.isnan(window.u[:, k]).all():
            out["layout"]["annotations"].append(
                style.note(
                    theme, "not recorded in this window", 0, base + 0.5 - BASE, yref="y",
                    xanchor="left", yanchor="middle", xshift=8, name=style.ASIDE,
                )
            )  # fmt: skip
        theta = float(window.theta[-1, _stage(window, k).index])
        if not np.isfinite(theta):
            continue
        out["layout"]["annotations"].append(
            style.note(
                theme, f"θ {theta:.2f}", 1, base + theta / scale, yref="y", xanchor="left",
                yanchor="middle", xshift=4, name=style.ASIDE,
                font={"size": style.FONT_SIZE, "color": style.alert(theme)},
            )
        )  # fmt: skip


def _stage(window: Window, k: int) -> groups.Stage:
    """The group of the ``k``-th membrane."""
    return groups.stages(window)[int(groups.stage_indices(window, window.membrane)[k])]


def _row(
    window: Window, k: int, count: int, scale: float, name: str, theme: style.Theme
) -> list[dict[str, Any]]:
    stage = _stage(window, k)
    base = count - 1 - k
    u = window.u[:, k].astype(np.float32)
    theta = window.theta[:, stage.index]
    times = window.step0 * window.dt + np.arange(window.n_steps) * window.dt
    colour = style.block_colour(stage.colour, theme)
    inside = np.clip(u / np.float32(scale), -BASE, 1 - BASE)
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter", "mode": "lines", "name": f"theta of {name}", "x": style.typed(times),
            "y": style.typed((base + theta / scale).astype(np.float32)),
            "line": {"width": 1, "dash": "5px,3px", "shape": "hv", "color": style.alert(theme)},
            "customdata": style.typed(theta.astype(np.float32)),
            "hovertemplate": "threshold %{customdata:.3f}<extra></extra>",
        },
        {
            "type": "scatter", "mode": "lines", "name": name, "x": style.typed(times),
            "y": style.typed((base + inside).astype(np.float32)), "connectgaps": False,
            "line": {"width": 1.5, "color": colour}, "customdata": style.typed(u),
            "hovertemplate": f"{name}<br>u_pre %{{customdata:.3f}} at %{{x}} ms<extra></extra>",
        },
    ]  # fmt: skip
    spikes = np.flatnonzero(u >= theta)
    if spikes.size:
        traces.append(_spikes(times[spikes], base + inside[spikes], u[spikes], name, colour))
    lo, hi = limits(scale)
    for beyond, edge, symbol in (
        (u > hi, base + 1 - BASE, "triangle-up"), (u < lo, base - BASE, "triangle-down"),
    ):  # fmt: skip
        at = _apart(np.flatnonzero(beyond), window.n_steps)
        if at.size:
            traces.append(_edge_marks(times[at], u[at], edge, symbol, name, theme))
    return traces


def _spikes(
    times: np.ndarray, heights: np.ndarray, u: np.ndarray, name: str, colour: str
) -> dict[str, Any]:
    """A dot at each step that reached the threshold."""
    return {
        "type": "scatter", "mode": "markers", "name": f"spikes of {name}", "x": style.typed(times),
        "y": style.typed(heights.astype(np.float32)), "customdata": style.typed(u),
        "marker": {"symbol": "square", "size": 3, "color": colour},
        "hovertemplate": f"{name}<br>spike, u_pre %{{customdata:.3f}} at %{{x}} ms<extra></extra>",
    }  # fmt: skip


def _apart(steps: np.ndarray, n_steps: int) -> np.ndarray:
    """The first of ``steps``, then each that is far enough from the last one kept."""
    kept: list[int] = []
    for step in steps.tolist():
        if not kept or step - kept[-1] >= n_steps / MARKS_ACROSS:
            kept.append(step)
    return np.asarray(kept, dtype=np.int64)


def _edge_marks(
    times: np.ndarray, u: np.ndarray, edge: float, symbol: str, name: str, theme: style.Theme
) -> dict[str, Any]:
    up = symbol == "triangle-up"
    return {
        "type": "scatter", "mode": "markers", "name": f"beyond the lane of {name}",
        "x": style.typed(times),
        "y": style.typed(np.full(u.shape, edge + (-0.12 if up else 0.12), np.float32)),
        "customdata": style.typed(u), "showlegend": False, "cliponaxis": False,
        "marker": {"symbol": symbol, "size": 6, "color": style.ink(theme)},
        "hovertemplate": f"{name}<br>u_pre %{{customdata:.3f}} at %{{x}} ms<extra></extra>",
    }  # fmt: skip
