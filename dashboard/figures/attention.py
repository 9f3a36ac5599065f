"""Spike attention: the weight of every key, by how long ago it was, and the entropy under it."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.figures import attention_heads, style, timeline
from dashboard.figures.attention_heads import FULL, TICKS
from t4dm.live.attention import FEWEST_KEYS, query_spikes, relative_entropy
from t4dm.live.segment import GATE_EVERY, KEYS
from t4dm.live.window import Window

SLUG = "attention"


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
    attention_view: str = "age",
) -> style.Figure:
    """Lag x time heatmap on a fixed logarithmic scale; below it entropy over log(keys), 0 to 1.

    With ``attention_view`` "matrix" key time x query time of every head
    (``dashboard.figures.attention_heads``).
    """
    if attention_view == "matrix":
        return attention_heads.fill(_bare(window, theme), window, theme)
    lo, hi = timeline.span_ms(window, 300)
    which = "" if window is None else f"block {window.attention_block}, mean of the heads"
    unit = "ms" if window is None or window.axis == "sim_ms" else f"{window.axis}s"
    ago = unit if window is None or window.dt == 1 else f"steps of {window.dt:g} ms"
    out: style.Figure = {
        "data": [],
        "layout": style.layout(
            theme,
            timeline.title("Spike attention", which, window),
            SLUG,
            xaxis=style.time_axis(theme, lo, hi, anchor="y2"),
            yaxis=style.axis(
                theme, f"Key ({ago} ago)", range=[-0.5, KEYS - 0.5], autorange=False,
                showgrid=False, domain=[0.32, 1], tickvals=[0, 16, 32, 48],
            ),
            yaxis2=style.axis(
                theme, "Entropy (1)", range=[0, 1], autorange=False, domain=[0, 0.26],
                anchor="x", tickvals=[0, 0.5, 1],
            ),
        ),
    }  # fmt: skip
    if window is None or not len(window.attention):
        every = GATE_EVERY * (1.0 if window is None else window.dt)
        note = f"attention is sampled every {every:g} {unit}; none falls in this window"
        if window is None:
            note = "waiting for the first frame"
        out["layout"]["annotations"].append(style.note(theme, note))
        out["data"] = [{"type": "scatter", "x": [None], "y": [None], "yaxis": "y2"}]
        return timeline.add_events(out, window, theme)
    even = entropy(window)
    out["data"] = [_heatmap(window, theme, unit), _entropy(window, even, theme)]
    judged = even[~np.isnan(even)]
    now = f"now {judged[-1]:.2f}" if len(judged) else "none in this window"
    text = f"below: entropy / log(keys), 1 all alike; blank under {FEWEST_KEYS} keys or without a query spike; {now}"
    out["layout"]["annotations"].append(style.caption(theme, text))
    return timeline.add_events(out, window, theme)


def _bare(window: Window | None, theme: style.Theme) -> style.Figure:
    """A figure with its title alone."""
    which = "" if window is None else f"block {window.attention_block}, head by head"
    title = timeline.title("Spike attention", which, window)
    return {"data": [], "layout": style.layout(theme, title, SLUG)}


def entropy(window: Window) -> np.ndarray:
    """(Tg,) entropy over log(keys) of the shown block; NaN where a sample is not judged."""
    fired = query_spikes(window.rates, window.layout, window.attention_block, window.step0)
    return relative_entropy(window.attention, window.attention_keys, fired)


def decades(window: Window) -> np.ndarray:
    """(K, Tg) log10 of the weights by lag, at least log10(1/255); NaN where no key was in sight."""
    logs = np.log10(np.maximum(window.attention, 1) / np.float32(FULL))
    lags = np.arange(KEYS)[:, None]
    by_lag = logs[:, ::-1].T.astype(np.float32)
    return np.where(lags < window.attention_keys[None], by_lag, np.float32(np.nan))


def _heatmap(window: Window, theme: style.Theme, unit: str) -> dict[str, Any]:
    return {
        "type": "heatmap", "z": style.typed(decades(window)),
        "x0": (int(window.gate_steps[0]) + GATE_EVERY / 2) * window.dt, "dx": GATE_EVERY * window.dt,
        "y0": 0, "dy": 1, "zmin": float(np.log10(1 / FULL)), "zmax": 0.0,
        "colorscale": style.SEQUENTIAL, "hoverongaps": False,
        "customdata": style.typed(window.attention[:, ::-1].T),
        "colorbar": style.colour_bar(
            theme, "weight (1)", tickvals=[float(np.log10(w)) for w in TICKS],
            ticktext=list(TICKS.values()), len=0.68, y=1, yanchor="top",
        ),
        "hovertemplate": f"%{{y}} {unit} ago, %{{x}}: %{{customdata}}/{FULL}<extra></extra>",
    }  # fmt: skip


def _entropy(window: Window, even: np.ndarray, theme: style.Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": "entropy / log(keys)", "yaxis": "y2",
        "x": style.typed(window.gate_steps.astype(np.float64) * window.dt),
        "y": style.typed(even.astype(np.float32)), "connectgaps": False,
        "line": {
            "shape": "hv", "width": 2,
            "color": style.block_colour(window.attention_block, theme),
        },
        "hovertemplate": "entropy / log(keys) %{y:.2f} at %{x}<extra></extra>",
    }  # fmt: skip
