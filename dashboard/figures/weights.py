"""Weights: log counts in bins fixed for the whole run, inhibitory apart, and their drift."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.figures import style, timeline, weight_matrix
from t4dm.live.segment import HIST_BINS, HIST_EVERY
from t4dm.live.window import Window

SLUG = "weights"
W_LOW = -1.0
LOG_TOP = 5.0
DRIFT_SAMPLES = 40
DRIFT_TO, BARS_FROM, BARS_TO = 0.38, 0.46, 0.9  # shares of the height, as on the canvas


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
    weights_view: str = "histogram",
) -> style.Figure:
    """Above: the newest histogram of the chosen block. Below: time x bin, log counts, for drift.

    With ``weights_view`` "matrix" the weights themselves (``dashboard.figures.weight_matrix``).
    """
    which = "" if window is None else set_name(window)
    out: style.Figure = {
        "data": [],
        "layout": style.layout(theme, timeline.title("Weights", which, window), SLUG),
    }
    if weights_view == "matrix":
        return weight_matrix.fill(out, window, (manifest or {}).get("groups", ()), theme)
    w_lo, w_hi = limits(window)
    held = window is not None and len(window.hist_steps) > 0
    below, above = side_names(window)
    out["layout"] |= _axes(theme, window, w_lo, w_hi)
    if window is None or not held:
        text = (
            "waiting for the first frame"
            if window is None
            else f"weights are sampled every {HIST_EVERY * window.dt:g} ms; none falls in this window"
        )
        out["layout"]["annotations"].append(style.note(theme, text))
        out["data"] = [
            {"type": "scatter", "x": [None], "y": [None], "yaxis": axis} for axis in ("y", "y2")
        ]
        return out
    block = window.weights_block
    out["data"] = [
        _bars(window.hist_inh[-1, block], w_lo, 0.0, below, "#0072B2", "/"),
        _bars(window.hist_exc[-1, block], 0.0, w_hi, above, "#D55E00", ""),
        _drift(window, w_lo, w_hi, theme),
    ]
    steps = window.hist_steps[-DRIFT_SAMPLES:]
    when = style.seconds(float(steps[0]) * window.dt, float(steps[-1]) * window.dt)
    samples = f"{len(steps)} sample{'s' if len(steps) > 1 else ''}"
    out["layout"]["annotations"].append(
        style.note(
            theme, f"drift: {when}, {samples}", 0, DRIFT_TO, xanchor="left", name=style.ASIDE
        )
    )
    _add_bounds(out, window, theme)
    return out


def limits(window: Window | None) -> tuple[float, float]:
    """Ends of the weight axis, fixed for the run: (w_lo, w_hi)."""
    meta = {} if window is None else window.meta
    return float(meta.get("w_lo", W_LOW)), float(meta.get("w_hi", 1.0))


def set_name(window: Window) -> str:
    """Which weights: a block's recurrent ones, or a named parameter of a watched module."""
    names = window.meta.get("weights")
    if names:
        return style.safe_text(str(names[window.weights_block]))
    return f"block {window.weights_block}, recurrent"


def side_names(window: Window | None) -> tuple[str, str]:
    """What lies below and above 0."""
    if window is not None and window.meta.get("weights"):
        return "negative", "positive"
    return "inhibitory (fixed)", "excitatory (plastic)"


def _axes(theme: style.Theme, window: Window | None, w_lo: float, w_hi: float) -> dict[str, Any]:
    lo, hi = _drift_span(window)
    return {
        "xaxis": style.axis(
            theme, "Weight w (1)", range=[w_lo * 1.03, w_hi * 1.03], autorange=False, anchor="y2",
            showgrid=False,
        ),
        "yaxis": style.axis(
            theme, "Count (log)", type="log", range=[-0.3, LOG_TOP], autorange=False,
            domain=[BARS_FROM, BARS_TO], dtick=2, exponentformat="power",
        ),
        "yaxis2": style.axis(
            theme, "Time (ms)", range=[lo, hi], autorange=False, domain=[0, DRIFT_TO], anchor="x",
            nticks=4, showgrid=False,
        ),
        "bargap": 0,
        "barmode": "overlay",
    }  # fmt: skip


def _drift_span(window: Window | None) -> tuple[float, float]:
    if window is None or not len(window.hist_steps):
        return 0.0, 1000.0
    steps = window.hist_steps[-DRIFT_SAMPLES:]
    return (float(steps[0]) - 125) * window.dt, (float(steps[-1]) + 125) * window.dt


def _bars(
    counts: np.ndarray, lo: float, hi: float, name: str, colour: str, pattern: str
) -> dict[str, Any]:
    width = (hi - lo) / HIST_BINS
    return {
        "type": "bar", "name": name, "x0": lo + width / 2, "dx": width,
        "y": style.typed(counts.astype(np.uint32)), "width": width,
        "marker": {
            "color": colour, "line": {"width": 0},
            "pattern": {"shape": pattern, "fgcolor": "#FFFFFF", "bgcolor": colour, "size": 5, "solidity": 0.2},
        },
        "hovertemplate": f"{name}<br>w %{{x:.3f}}: %{{y}}<extra></extra>",
    }  # fmt: skip


def _drift(window: Window, w_lo: float, w_hi: float, theme: style.Theme) -> dict[str, Any]:
    """Log counts of both parts over time; bin edges in ``x``, since the two have other widths."""
    block = window.weights_block
    parts = (window.hist_inh[:, block], _on_one_scale(window, w_hi))
    counts = np.concatenate(parts, axis=1).astype(np.float32)[-DRIFT_SAMPLES:]
    edges = np.concatenate(
        (np.linspace(w_lo, 0.0, HIST_BINS + 1), np.linspace(0.0, w_hi, HIST_BINS + 1)[1:])
    )
    return {
        "type": "heatmap", "name": "drift", "z": style.typed(np.log10(counts + 1)),
        "customdata": style.typed(counts), "x": style.typed(edges),
        "y": style.typed(window.hist_steps[-DRIFT_SAMPLES:].astype(np.float64) * window.dt),
        "yaxis": "y2", "zmin": 0, "zmax": LOG_TOP, "colorscale": style.SEQUENTIAL,
        "colorbar": style.colour_bar(
            theme, "count", len=DRIFT_TO, y=0, yanchor="bottom",
            tickvals=[0, LOG_TOP], ticktext=["0", "100k"],
        ),
        "hovertemplate": "%{y} ms, w %{x:.3f}: %{customdata}<extra></extra>",
    }  # fmt: skip


def _on_one_scale(window: Window, w_hi: float) -> np.ndarray:
    """Counts above 0 of the block in the newest sample's bins, float32 (M, 64), NaN beyond an older end."""
    counts = window.hist_exc[:, window.weights_block].astype(np.float32)
    centres = (np.arange(HIST_BINS) + 0.5) / HIST_BINS * w_hi
    for row, end in enumerate(window.meta.get("hist_w_hi", [])):
        if end == w_hi:
            continue
        place = np.floor(centres / end * HIST_BINS).astype(int)
        inside = place < HIST_BINS
        old = counts[row].copy()
        counts[row] = np.nan
        counts[row, inside] = old[place[inside]]
    return counts


def _add_bounds(out: style.Figure, window: Window, theme: style.Theme) -> None:
    below, above = side_names(window)
    w_max = window.meta.get("w_max", 1.0)
    if w_max is None:
        out["layout"]["annotations"] += _headings(theme, below, above)
        return
    at_zero, at_max = (100 * float(v) for v in window.bounds[-1, window.weights_block])
    for value in (0.0, w_max):
        out["layout"]["shapes"].append(
            {
                "type": "line", "xref": "x", "yref": "paper", "x0": value, "x1": value,
                "y0": BARS_FROM, "y1": BARS_TO,
                "line": {"color": style.alert(theme), "width": 1.5, "dash": "5px,3px"},
            }
        )  # fmt: skip
    text = f"{above}: {at_zero:.1f} % at 0, {at_max:.1f} % at w_max {w_max:.3g}"
    out["layout"]["annotations"] += _headings(theme, below, text)


def _headings(theme: style.Theme, left: str, right: str) -> list[dict[str, Any]]:
    """What stands over the two halves."""
    return [
        style.note(theme, left, 0, BARS_TO, xanchor="left", name=style.ASIDE),
        style.note(theme, right, 1, BARS_TO, name=style.ASIDE),
    ]
