"""STDP window: dw over dt from the parameters in force, with the pairs really seen behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.figures import style, timeline
from t4dm.learning.params import STDPParams
from t4dm.live.segment import PAIR_BINS
from t4dm.live.window import Window

SLUG = "stdp"
REACH_MS = PAIR_BINS // 2
CURVE_POINTS = 401
NAMES = {spec.name: spec.default for spec in STDPParams.specs()}


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
) -> style.Figure:
    """LTP right of 0. ``manifest["values"]`` holds the parameters; defaults where it is missing."""
    params = parameters(manifest)
    ltp, ltd = da_factors(window)
    dt, dw = curve(params, ltp, ltd)
    reach = float(max(np.abs(dw).max(), 1e-9)) * 1.15
    out: style.Figure = {
        "data": [_line(dt, dw, theme)],
        "layout": style.layout(
            theme,
            timeline.title("STDP window", _which(window), window),
            SLUG,
            xaxis=style.axis(
                theme, "dt = t_post - t_pre (ms)", range=[-REACH_MS, REACH_MS], autorange=False
            ),
            yaxis=style.axis(
                theme, "dw (1)", range=[-reach, reach], autorange=False, tickformat=".2~g"
            ),
            yaxis2=style.axis(
                theme, "Pairs in 1 s", overlaying="y", side="right", showgrid=False,
                rangemode="tozero",
            ),
            bargap=0.1,
        ),
    }  # fmt: skip
    _add_cross(out, theme)
    out["layout"]["annotations"].append(style.note(theme, caption(params, ltp, ltd)))
    if window is not None and len(window.hist_steps):
        counts = window.pairs[-1, window.weights_block]
        top = nice_top(int(counts.max(initial=0)))
        out["data"].insert(0, _pairs(counts, theme))
        out["layout"]["yaxis2"] |= {
            "range": [0, 2.5 * top], "autorange": False, "tickvals": [0, top // 2, top],
        }  # fmt: skip
    return out


def parameters(manifest: dict[str, Any] | None) -> dict[str, Any]:
    """The ``stdp`` group's values in force."""
    values = (manifest or {}).get("values", {})
    return {name: values.get(f"stdp.{name}", default) for name, default in NAMES.items()}


def da_factors(window: Window | None) -> tuple[float, float]:
    """Dopamine's factors on A+ and A- at the newest step, 1 without a window."""
    if window is None or not window.n_steps:
        return 1.0, 1.0
    return float(window.gains[-1, 2]), float(window.gains[-1, 3])


def curve(params: dict[str, Any], ltp: float, ltd: float) -> tuple[np.ndarray, np.ndarray]:
    """(dt, dw), float64 (points,), for a weight in mid-range where mu has no effect drawn."""
    dt = np.linspace(-REACH_MS, REACH_MS, CURVE_POINTS)
    rate = float(params["learning_rate"]) if params["enabled"] else 0.0
    plus = rate * ltp * float(params["a_plus"]) * np.exp(-np.abs(dt) / float(params["tau_plus"]))
    minus = rate * ltd * float(params["a_minus"]) * np.exp(-np.abs(dt) / float(params["tau_minus"]))
    dw = np.where(dt > 0, plus, -minus)
    dw[dt > params["window_pre_to_post"]] = 0
    dw[dt < -params["window_post_to_pre"]] = 0
    dw[dt == 0] = np.nan
    return dt, np.nan_to_num(dw) if not rate else dw


def nice_top(highest: int) -> int:
    """The smallest of 2, 4, 10, 20, 40, 100, … that is not below ``highest``."""
    scale = 1
    while True:
        for step in (2, 4, 10):
            if step * scale >= highest:
                return step * scale
        scale *= 10


def caption(params: dict[str, Any], ltp: float, ltd: float) -> str:
    """``A+ 0.01 x 1.1 · tau+ 20 ms · …``: what a reader needs to draw it again."""
    scheme = "all pairs" if params["pairing"] == "all_to_all" else "nearest pairs"
    parts = [
        f"A+ {params['a_plus']:.3g} x {ltp:.2f}",
        f"A- {params['a_minus']:.3g} x {ltd:.2f}",
        f"tau+ {params['tau_plus']:.3g} ms",
        f"tau- {params['tau_minus']:.3g} ms",
        scheme,
    ]
    if not params["enabled"]:
        parts.append("STDP off")
    return " · ".join(parts)


def _which(window: Window | None) -> str:
    return "" if window is None else f"block {window.weights_block}"


def _line(dt: np.ndarray, dw: np.ndarray, theme: style.Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": "dw", "x": style.typed(dt),
        "y": style.typed(dw), "connectgaps": False,
        "line": {"width": 2.5, "color": style.ink(theme)},
        "hovertemplate": "dt %{x:.1f} ms: dw %{y:.2g}<extra></extra>",
    }  # fmt: skip


def _pairs(counts: np.ndarray, theme: style.Theme) -> dict[str, Any]:
    """Observed pairs of the last second as bars; blue depresses, orange potentiates."""
    half = PAIR_BINS // 2
    colours = ["#0072B2"] * half + [style.muted(theme)] + ["#E69F00"] * half
    return {
        "type": "bar", "name": "observed pairs", "x0": -half, "dx": 1, "yaxis": "y2",
        "y": style.typed(counts.astype(np.uint32)), "opacity": 0.55,
        "marker": {"color": colours, "line": {"width": 0}},
        "hovertemplate": "dt %{x} ms: %{y} pairs<extra></extra>",
    }  # fmt: skip


def _add_cross(out: style.Figure, theme: style.Theme) -> None:
    line = {"color": style.muted(theme), "width": 1}
    out["layout"]["shapes"] += [
        {"type": "line", "xref": "x", "yref": "paper", "x0": 0, "x1": 0, "y0": 0, "y1": 1,
         "line": line},
        {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": 0, "y1": 0,
         "line": line},
    ]  # fmt: skip
