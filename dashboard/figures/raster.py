"""Spike raster: exact vertical ticks grouped by stage, or a stated density where they are too many."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dashboard.figures import groups, style, timeline
from t4dm.live.window import DT_MS, Window

SLUG = "raster"
HEIGHT = 460
MAX_TICKS = 20_000
TICK_HALF = 0.4  # of a row, unless that is less than 1 px
PLOT_HEIGHT = HEIGHT - style.TOP_MARGIN - style.BOTTOM_MARGIN
MAX_TICK_ROWS = 256
DENSITY_COLUMNS, DENSITY_ROWS = 600, 150  # bins across and down at most; the canvas has the same
DENSITY_FULL = 0.25  # spikes per neuron and ms at the end of the colour scale
Order = Literal["id", "rate", "latency"]


@dataclass(frozen=True, slots=True)
class _Band:
    """Rows ``lo`` to ``hi`` (exclusive) of one stage."""

    stage: groups.Stage
    lo: int
    hi: int


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
    order: Order = "id",
) -> style.Figure:
    """Ticks at (step, row); rows sorted by id, rate or first-spike latency inside each stage."""
    if window is None:
        return _frame(None, theme, [], 200, "waiting for the first frame")
    bands = _bands(window)
    n_rows = len(window.rows)
    place = _places(window, bands, order)
    rows = place[window.spk_row.astype(np.int64)]
    empty = _why_empty(window) if rows.size == 0 else ""
    out = _frame(window, theme, bands, n_rows, empty)
    dense = rows.size > MAX_TICKS or n_rows > MAX_TICK_ROWS
    if rows.size and dense:
        _add_density(out, window, theme, rows, n_rows)
    elif rows.size:
        _add_ticks(out, window, theme, rows, bands)
    return timeline.add_events(out, window, theme)


def _bands(window: Window) -> list[_Band]:
    """Runs of rows of one stage, in the order of the rows."""
    index = np.asarray(window.rows, dtype=np.int64) // window.n_stage
    cuts = [0, *(np.flatnonzero(np.diff(index)) + 1).tolist(), index.size]
    return [
        _Band(groups.stage(int(index[lo]), window.n_stage), lo, hi)
        for lo, hi in itertools.pairwise(cuts)
        if hi > lo
    ]


def _places(window: Window, bands: list[_Band], order: Order) -> np.ndarray:
    """Row index in the window -> row on the plot, int64 (rows,)."""
    place = np.arange(len(window.rows), dtype=np.int64)
    if order == "id":
        return place
    counts = np.bincount(window.spk_row, minlength=place.size)
    first = np.full(place.size, np.iinfo(np.int64).max)
    np.minimum.at(first, window.spk_row.astype(np.int64), window.spk_dt.astype(np.int64))
    key = -counts if order == "rate" else first
    for band in bands:
        rank = np.argsort(key[band.lo : band.hi], kind="stable")
        place[band.lo + rank] = np.arange(band.lo, band.hi)
    return place


def _frame(
    window: Window | None,
    theme: style.Theme,
    bands: list[_Band],
    n_rows: int,
    empty: str,
) -> style.Figure:
    lo, hi = timeline.span_ms(window, 300)
    which = groups.block_names(band.stage.block for band in bands)
    y_axis = style.axis(
        theme, "", range=[n_rows - 0.5, -0.5], autorange=False, showgrid=False, ticks="",
        tickmode="array", tickvals=[(b.lo + b.hi - 1) / 2 for b in bands],
        ticktext=[_label(b, window) for b in bands],
    )  # fmt: skip
    y_axis["title"]["text"] = "" if bands else "Neuron"
    out: style.Figure = {
        "data": [],
        "layout": style.layout(
            theme,
            timeline.title("Spike raster", which, window),
            SLUG,
            xaxis=style.time_axis(theme, lo, hi),
            yaxis=y_axis,
        ),
    }
    out["layout"]["shapes"] = [_separator(band.lo, theme) for band in bands[1:]]
    if window is not None:
        shown = f"showing {n_rows:,} of {window.n_total:,} neurons"
        out["layout"]["annotations"].append(style.caption(theme, shown))
    if empty:
        out["layout"]["annotations"].append(style.empty_note(theme, empty))
    return out


def _separator(row: int, theme: style.Theme) -> dict[str, Any]:
    return {
        "type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1,
        "y0": row - 0.5, "y1": row - 0.5, "layer": "below",
        "line": {"color": style.grid_colour(theme), "width": 1},
    }  # fmt: skip


def _label(band: _Band, window: Window | None) -> str:
    if window is None:
        return band.stage.short
    steps = max(1, window.step1 - window.step0)
    per_ms = float(window.rates[:, band.stage.index].sum(dtype=np.int64)) / (
        band.stage.n * steps * DT_MS
    )
    rate = f"{per_ms * 1000:.0f} Hz ({per_ms * 100:.1f} %/ms)"
    return f"{band.stage.short} n={band.stage.n} {rate}"


def _why_empty(window: Window) -> str:
    if np.isfinite(window.u).any():
        highest = float(np.nanmax(window.u))
        lowest = float(np.nanmin(window.theta[-1]))
        sign = "<" if highest < lowest else ">="
        return f"0 spikes in window; max u {highest:.2f} {sign} v_thresh {lowest:.2f}"
    return "0 spikes in window"


def _add_ticks(
    out: style.Figure,
    window: Window,
    theme: style.Theme,
    rows: np.ndarray,
    bands: list[_Band],
) -> None:
    """One line trace a stage: (t, row - 0.4) to (t, row + 0.4), then a gap."""
    times = (window.step0 + window.spk_dt.astype(np.float64)) * DT_MS
    ids = np.asarray(window.rows, dtype=np.int64)[window.spk_row.astype(np.int64)]
    half = max(TICK_HALF, len(window.rows) / PLOT_HEIGHT)
    for band in bands:
        mine = (rows >= band.lo) & (rows < band.hi)
        if not mine.any():
            continue
        t, row = times[mine], rows[mine]
        x = np.stack([t, t, np.full_like(t, np.nan)], axis=1).ravel()
        y = np.stack([row - half, row + half, np.full(row.shape, np.nan)], axis=1)
        out["data"].append(
            {
                "type": "scatter", "mode": "lines", "name": band.stage.label,
                "x": style.typed(x), "y": style.typed(y.ravel().astype(np.float32)),
                "customdata": style.typed(np.repeat(ids[mine] - band.stage.first, 3)),
                "line": {"width": 2, "color": style.block_colour(band.stage.block, theme)},
                "connectgaps": False,
                "hovertemplate": f"{band.stage.label} #%{{customdata}}<br>%{{x}} ms<extra></extra>",
            }
        )  # fmt: skip


def _add_density(
    out: style.Figure,
    window: Window,
    theme: style.Theme,
    rows: np.ndarray,
    n_rows: int,
) -> None:
    """Counts in bins of whole steps and rows, on the absolute grid of steps; both sizes are stated."""
    step_bin = max(1, -(-(window.step1 - window.step0) // DENSITY_COLUMNS))
    row_bin = max(1, -(-n_rows // DENSITY_ROWS))
    first = window.step0 // step_bin * step_bin
    shape = (-(-n_rows // row_bin), -(-(window.step1 - first) // step_bin))
    columns = (window.step0 - first + window.spk_dt.astype(np.int64)) // step_bin
    cells = (rows // row_bin) * shape[1] + columns
    full = max(1, int(step_bin * row_bin * DENSITY_FULL + 0.5))
    counts = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    out["data"].append(
        {
            "type": "heatmap", "name": "spikes / bin", "z": style.typed(counts.astype(np.uint16)),
            "x0": (first + (step_bin - 1) / 2) * DT_MS, "dx": step_bin * DT_MS,
            "y0": (row_bin - 1) / 2, "dy": row_bin, "zmin": 0, "zmax": full,
            "colorscale": style.SEQUENTIAL,
            "colorbar": style.colour_bar(theme, "spikes / bin", tickvals=[0, full]),
            "hovertemplate": "%{x} ms, row %{y}: %{z} spikes<extra></extra>",
        }
    )  # fmt: skip
    bins = f"{step_bin * DT_MS:g} ms x {row_bin} neuron{'s' if row_bin > 1 else ''} a bin"
    out["layout"]["annotations"].append(style.note(theme, bins, 0.6))
