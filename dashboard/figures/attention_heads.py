"""Spike attention head by head: key time x query time, each row the weights of one query."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dashboard.figures import style
from t4dm.live.segment import KEYS, MATRIX_EVERY
from t4dm.live.window import Window

# H heads  Q queries, oldest first  S = 2K - 1 steps that they can see, oldest first

FULL = 255
TICKS = {1 / FULL: "1/255", 1 / KEYS: "1/64", 1 / 4: "1/4", 1.0: "1"}
REACH = 2 * KEYS - 1
GAP, HEADING = 0.02, 0.075  # between two columns; over each picture; shares of the plot


def columns_of(heads: int) -> int:
    """Pictures a row."""
    return heads if heads <= 2 else 4 if heads <= 8 else int(np.ceil(np.sqrt(2 * heads)))


def tiles(heads: int, columns: int) -> list[tuple[list[float], list[float]]]:
    """Domains (x, y) of the picture of each head, the first at the upper left."""
    width, height = (1 + GAP) / columns, 1 / -(-heads // columns)
    return [
        (
            [h % columns * width, h % columns * width + width - GAP],
            [max(0.0, 1 - (h // columns + 1) * height), 1 - h // columns * height - HEADING],
        )
        for h in range(heads)
    ]


def in_sight(step: int) -> np.ndarray:
    """(Q, K) bool: keys that the queries up to ``step`` had, newest last; a run begins at step 0."""
    queries = step - KEYS + 1 + np.arange(KEYS)
    return queries[:, None] - KEYS + 1 + np.arange(KEYS) >= 0


def kept(window: Window) -> np.ndarray:
    """(Q,) bool: queries of the sample that were recorded; their rows sum to 1."""
    return window.attention_heads[-1].any(axis=(0, 2))


def weights_by_key(window: Window) -> np.ndarray:
    """(H, Q, S) weights of the sample by the steps of query and key; NaN where no key was in sight."""
    rows = window.attention_heads[-1].astype(np.float32) / np.float32(FULL)
    seen = in_sight(int(window.meta["attention_step"])) & kept(window)[:, None]
    out = np.full((len(rows), KEYS, REACH), np.nan, np.float32)
    for q in range(KEYS):
        out[:, q, q : q + KEYS] = np.where(seen[q], rows[:, q], np.float32(np.nan))
    return out


class Moment(NamedTuple):
    """The step of the last query, and how many ms a step lasts."""

    step: int
    dt: float


def fill(out: style.Figure, window: Window | None, theme: style.Theme) -> style.Figure:
    """Put the pictures of all heads into ``out``, a figure with its title."""
    if window is None or not window.attention_heads.size:
        hidden = {"visible": False, "range": [0, 1], "autorange": False}
        out["layout"] |= {"xaxis": hidden, "yaxis": hidden}
        out["layout"]["annotations"].append(style.note(theme, _why_none(window)))
        out["data"] = [{"type": "scatter", "x": [None], "y": [None]}]
        return out
    at, weights = Moment(int(window.meta["attention_step"]), window.dt), weights_by_key(window)
    for h, (across, up) in enumerate(tiles(len(weights), columns_of(len(weights)))):
        out["data"].append(_heatmap(weights[h], h, len(weights), at, theme))
        _add_axes(out["layout"], h, len(weights), at, (across, up), theme)
        out["layout"]["shapes"].append(_future(h, at, theme))
        heading = f"head {h + 1} of {len(weights)}"
        out["layout"]["annotations"].append(
            style.note(theme, heading, across[0], up[1], xanchor="left", name=style.ASIDE)
        )
    _add_titles(out, window, theme)
    return out


def _why_none(window: Window | None) -> str:
    if window is None:
        return "waiting for the first frame"
    every = f"{MATRIX_EVERY * window.dt:g} ms"
    return f"every head is sampled every {every}; no sample is held for this window"


def _axis(name: str, h: int) -> str:
    """``x`` of the first head, ``x2`` of the second."""
    return name if h == 0 else f"{name}{h + 1}"


def _heatmap(
    weights: np.ndarray, h: int, heads: int, at: Moment, theme: style.Theme
) -> dict[str, Any]:
    logs = np.log10(np.maximum(weights, np.float32(1 / FULL)))
    trace: dict[str, Any] = {
        "type": "heatmap", "name": f"head {h + 1}", "z": style.typed(logs),
        "customdata": style.typed(weights), "xaxis": _axis("x", h), "yaxis": _axis("y", h),
        "x0": (at.step - REACH + 1) * at.dt, "dx": at.dt,
        "y0": (at.step - KEYS + 1) * at.dt, "dy": at.dt,
        "zmin": float(np.log10(1 / FULL)), "zmax": 0.0,
        "colorscale": style.SEQUENTIAL, "hoverongaps": False, "showscale": h == 0,
        "hovertemplate": (
            f"head {h + 1} of {heads}<br>query %{{y}} ms → key %{{x}} ms: %{{customdata:.3f}}<extra></extra>"
        ),
    }  # fmt: skip
    if h == 0:
        trace["colorbar"] = style.colour_bar(
            theme, "weight (1)", tickvals=[float(np.log10(w)) for w in TICKS],
            ticktext=list(TICKS.values()),
        )  # fmt: skip
    return trace


def ranges(at: Moment) -> tuple[list[float], list[float]]:
    """Ranges in ms of the keys (left to right) and of the queries (downwards)."""
    last = (at.step + 0.5) * at.dt
    return [last - REACH * at.dt, last], [last, last - KEYS * at.dt]


def _add_axes(
    layout: dict[str, Any],
    h: int,
    heads: int,
    at: Moment,
    domains: tuple[list[float], list[float]],
    theme: style.Theme,
) -> None:
    """Axes of one head; numbers stand left of the first column and under what has none below."""
    columns = columns_of(heads)
    across, down = ranges(at)
    common: dict[str, Any] = {
        "autorange": False, "showgrid": False, "tickformat": ",~r",
        "ticklabeloverflow": "hide past domain",
    }  # fmt: skip
    linked = {} if h == 0 else {"matches": "x"}
    layout[_axis("xaxis", h)] = style.axis(
        theme, "", range=across, domain=domains[0], anchor=_axis("y", h), nticks=4,
        showticklabels=h + columns >= heads, **common, **linked,
    )  # fmt: skip
    layout[_axis("yaxis", h)] = style.axis(
        theme, "", range=down, domain=domains[1], anchor=_axis("x", h), nticks=4,
        showticklabels=h % columns == 0, fixedrange=True, **common,
    )  # fmt: skip


def _future(h: int, at: Moment, theme: style.Theme) -> dict[str, Any]:
    """The keys that were still to come for each query: no weight of 0, no weight at all."""
    (_, right), (bottom, _) = ranges(at)
    edges = right - np.arange(KEYS)[::-1] * at.dt  # end of each query's own key, oldest first
    ends = bottom - np.arange(KEYS)[::-1] * at.dt  # end of each query's row
    stairs = "".join(f"H{x:.10g}V{y:.10g}" for x, y in zip(edges, ends, strict=True))
    return {
        "type": "path", "xref": _axis("x", h), "yref": _axis("y", h), "layer": "below",
        "path": f"M{right:.10g},{bottom - KEYS * at.dt:.10g}{stairs}Z",
        "line": {"width": 0}, "fillcolor": style.line_colour(theme),
    }  # fmt: skip


def _add_titles(out: style.Figure, window: Window, theme: style.Theme) -> None:
    """Names of the axes, one for all pictures, and how they are read."""
    aside = {"name": style.ASIDE}
    lost = KEYS - int(kept(window).sum())
    step = int(window.meta["attention_step"])
    missing = f" · {lost} of {KEYS} queries not recorded" if lost and step >= KEYS - 1 else ""
    text = f"a row sums to 1 · grey: keys yet to come{missing}"
    out["layout"]["annotations"] += [
        style.note(theme, "Key time (ms)", 0.5, 0, xanchor="center", yanchor="top", yshift=-20, **aside),
        style.note(
            theme, "Query time (ms)", 0, 0.5, yanchor="middle", textangle=-90, xshift=-72, **aside
        ),
        style.note(theme, text, 1, 1, yanchor="bottom", **aside),
    ]  # fmt: skip
