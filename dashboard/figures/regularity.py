"""How regular single neurons fire, and how much a group fires together, beside the values of chance."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.figures import groups, style, timeline
from t4dm.live.intervals import interval_variation
from t4dm.live.window import Window

SLUG = "regularity"
RANGE = (0.1, 100.0)
APART = 0.16  # of a group's width, between its two marks


def figure(
    window: Window | None, manifest: dict[str, Any] | None, theme: style.Theme = "light"
) -> style.Figure:
    """Of each group the mean CV of its neurons' intervals (dot) and the Fano factor of its count (diamond).

    Both are 1 where neurons fire by chance and independently; the axis is logarithmic and fixed.
    """
    found = [] if window is None else groups.stages(window)
    out: style.Figure = {
        "data": [{"type": "scatter", "x": [None], "y": [None]}],
        "layout": style.layout(
            theme,
            timeline.title("Regularity and synchrony", "", window),
            SLUG,
            xaxis=style.axis(
                theme, "", range=[-0.5, max(1, len(found)) - 0.5], autorange=False, showgrid=False,
                tickmode="array", tickvals=list(range(len(found))), tickangle=0,
                ticktext=[in_two_lines(stage.short) for stage in found],
            ),
            yaxis=style.axis(
                theme, "CV, Fano (1)", type="log", range=[float(v) for v in np.log10(RANGE)],
                autorange=False, tickvals=[0.1, 1, 10, 100],
            ),
        ),
    }  # fmt: skip
    if window is None:
        out["layout"]["annotations"].append(style.note(theme, "waiting for the first frame"))
        return out
    cv, fano, n = measures(window)
    colours = [style.block_colour(stage.colour, theme) for stage in found]
    out["data"] = [
        _marks("CV of intervals", cv, -APART, "circle", colours, [s.label for s in found]),
        _marks("Fano of the group", fano, APART, "diamond-open", colours, [s.label for s in found]),
    ]
    line = {"width": 1, "dash": "5px,3px", "color": style.ink(theme)}
    out["layout"]["shapes"].append(
        {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": 1, "y1": 1, "line": line}
    )  # fmt: skip
    out["layout"]["annotations"].append(style.caption(theme, words(window, int(n.sum()))))
    return out


def in_two_lines(short: str) -> str:
    """``b0 out`` as two lines; a name of one word is cut short."""
    name = style.safe_text(short)
    return name.replace(" ", "<br>", 1) if " " in name else name[:4]


def measures(window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mean CV, Fano factor, neurons with three spikes or more) of each group; NaN where there is none.

    CV over the rows in view; Fano: variance over mean of the group's spikes in a step, all neurons.
    """
    counts = np.bincount(window.spk_row, minlength=len(window.rows))
    cv = interval_variation(window, counts)
    stage = groups.stage_indices(window, window.rows)
    known = np.isfinite(cv)
    total = window.rates.shape[1]
    n = np.bincount(stage[known], minlength=total)
    sums = np.bincount(stage[known], weights=cv[known], minlength=total)
    mean = window.rates.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        fano = np.where(mean > 0, window.rates.var(axis=0) / mean, np.nan)
        return np.where(n > 0, sums / n, np.nan), fano, n


def words(window: Window, n: int) -> str:
    """What the marks are, of how many neurons and how long."""
    unit = "ms" if window.axis == "sim_ms" else f"{window.axis}s"
    return (
        f"● CV of intervals, mean over {n:,} neurons · ◇ Fano of a group's spikes in a step · "
        f"dashed: by chance 1 · {window.n_steps * window.dt:g} {unit}"
    )


def _marks(
    name: str, values: np.ndarray, aside: float, symbol: str, colours: list[str], labels: list[str]
) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "name": name,
        "x": style.typed(np.arange(len(values)) + aside), "y": style.typed(values.astype(np.float64)),
        "marker": {"symbol": symbol, "size": 9, "color": colours, "line": {"width": 2, "color": colours}},
        "text": labels, "hovertemplate": f"%{{text}}<br>{name} %{{y:.2f}}<extra></extra>",
    }  # fmt: skip
