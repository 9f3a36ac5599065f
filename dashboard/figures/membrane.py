"""Membranes: u before the reset, stacked, each with its threshold as it stood at every step."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.figures import groups, style, timeline
from t4dm.live.window import DT_MS, Window

SLUG = "membrane"
DEFAULT_ROWS = 6
FALLBACK_SCALE = 1.0


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
) -> style.Figure:
    """Trace k lies at height K-1-k; one row is 2 x the highest threshold in view, so theta is 0.5."""
    lo, hi = timeline.span_ms(window, 300)
    count = DEFAULT_ROWS if window is None else len(window.membrane)
    data: list[dict[str, Any]] = []
    which, names, note = "", [], "waiting for the first frame"
    if window is not None and count:
        scale = row_scale(window)
        names = [groups.neuron_name(int(i), window.n_stage) for i in window.membrane]
        which = f"u_pre of {count} neuron{'s' if count > 1 else ''}"
        note = f"one row = {scale:.3g} (u_pre, 1); dashed: threshold in force"
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
                theme, "" if names else "u_pre (1), one row a neuron", range=[-0.6, count - 0.2],
                autorange=False, tickmode="array", tickvals=rows if names else [], ticktext=names,
            ),
        ),
    }  # fmt: skip
    out["layout"]["annotations"].append(style.caption(theme, note))
    if window is not None and not count:
        text = "no neuron watched; click a raster row to watch it"
        out["layout"]["annotations"].append(style.empty_note(theme, text))
    return timeline.add_events(out, window, theme)


def row_scale(window: Window) -> float:
    """Height of one row in units of u: twice the highest threshold of the stages shown."""
    stages = np.unique(np.asarray(window.membrane, dtype=np.int64) // window.n_stage)
    highest = float(np.nanmax(window.theta[:, stages], initial=0.0))
    return 2.0 * highest if highest > 0 else FALLBACK_SCALE


def _row(
    window: Window, k: int, count: int, scale: float, name: str, theme: style.Theme
) -> list[dict[str, Any]]:
    stage = int(window.membrane[k]) // window.n_stage
    base = count - 1 - k
    u = window.u[:, k].astype(np.float32)
    theta = window.theta[:, stage]
    times = style.typed(window.step0 * DT_MS + np.arange(window.n_steps) * DT_MS)
    colour = style.block_colour(stage // 2, theme)
    return [
        {
            "type": "scatter", "mode": "lines", "name": f"theta of {name}", "x": times,
            "y": style.typed((base + theta / scale).astype(np.float32)),
            "line": {"width": 1, "dash": "dash", "shape": "hv", "color": style.muted(theme)},
            "customdata": style.typed(theta.astype(np.float32)),
            "hovertemplate": "threshold %{customdata:.3f}<extra></extra>",
        },
        {
            "type": "scatter", "mode": "lines", "name": name, "x": times,
            "y": style.typed(base + u / np.float32(scale)), "connectgaps": False,
            "line": {"width": 1.5, "color": colour}, "customdata": style.typed(u),
            "hovertemplate": f"{name}<br>u_pre %{{customdata:.3f}} at %{{x}} ms<extra></extra>",
        },
    ]  # fmt: skip
