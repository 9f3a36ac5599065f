"""Spike raster: exact vertical ticks grouped by stage, or a stated density where they are too many."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dashboard.figures import groups, style, timeline
from t4dm.live.window import Window

SLUG = "raster"
HEIGHT = 460
# Ticks up to so many rows, and rows x steps: some 20,000 ticks of a healthy network.  What fires in a
# window hardly decides, else a picture flickers between ticks and density; canvas and figure agree.
MAX_TICK_ROWS, MAX_TICK_CELLS = 256, 300_000
MAX_TICKS = 50_000  # of a network that fires without end
TICKS = "ticks"  # name of the shapes that hold them
TICK_HALF = 0.4  # of a row, unless that is less than 1 px
PLOT_HEIGHT = HEIGHT - style.TOP_MARGIN - style.BOTTOM_MARGIN
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
    dense = is_dense(n_rows, window.n_steps, rows.size)
    out["layout"]["shapes"] += [_separator(band.lo, theme, dense) for band in bands[1:]]
    if rows.size and dense:
        _add_density(out, window, theme, rows, n_rows)
    elif rows.size:
        _add_ticks(out, window, theme, rows, bands, excitatory_counts(window, manifest))
    return timeline.add_events(out, window, theme)


def is_dense(n_rows: int, n_steps: int, n_spikes: int) -> bool:
    """Whether a window of so many rows, steps and spikes is shown as a density."""
    crowded = n_rows > MAX_TICK_ROWS or n_rows * n_steps > MAX_TICK_CELLS
    return crowded or n_spikes > MAX_TICKS


def excitatory_counts(window: Window, manifest: dict[str, Any] | None) -> list[int]:
    """How many neurons of each group are excitatory: its first ones; all where nothing says so."""
    listed = (manifest or {}).get("groups", [])
    told = {index: item.get("n_exc") for index, item in enumerate(listed)}
    return [
        stage.n if told.get(stage.index) is None else int(told[stage.index])
        for stage in groups.stages(window)
    ]


def _bands(window: Window) -> list[_Band]:
    """Runs of rows of one group, in the order of the rows."""
    index = groups.stage_indices(window, window.rows)
    stages = groups.stages(window)
    cuts = [0, *(np.flatnonzero(np.diff(index)) + 1).tolist(), index.size]
    return [_Band(stages[int(index[lo])], lo, hi) for lo, hi in itertools.pairwise(cuts) if hi > lo]


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
    which = groups.block_names(band.stage for band in bands)
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
    if window is not None:
        shown = f"showing {n_rows:,} of {window.n_total:,} neurons"
        out["layout"]["annotations"].append(style.caption(theme, shown))
    if empty:
        out["layout"]["annotations"].append(style.empty_note(theme, empty))
    return out


def _separator(row: int, theme: style.Theme, dense: bool) -> dict[str, Any]:
    return {
        "type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1,
        "y0": row - 0.5, "y1": row - 0.5,
        "line": {"color": "#FFFFFF" if dense else style.line_colour(theme), "width": 1},
    }  # fmt: skip


def _label(band: _Band, window: Window | None) -> str:
    if window is None:
        return band.stage.short
    steps = max(1, window.step1 - window.step0)
    total = int(window.rates[:, band.stage.index].sum(dtype=np.int64))
    rate = timeline.rate_text(window, total / (band.stage.n * steps))
    return style.safe_text(f"{band.stage.short} n={band.stage.n} {rate}")


def _why_empty(window: Window) -> str:
    """The watched neuron and step whose u came closest to the threshold of its own group; as on the canvas."""
    said, known = "0 spikes in window", np.isfinite(window.u)
    if not known.any():
        return said
    own = groups.stage_indices(window, window.membrane)
    u, theta = window.u.astype(np.float64), window.theta[:, own].astype(np.float64)
    gap = np.where(known & np.isfinite(theta), u - theta, -np.inf)
    t, k = np.unravel_index(gap.argmax(), gap.shape)
    if not np.isfinite(gap[t, k]):
        return f"{said} · max u {u[known].max():.2f} (watched neurons)"
    sign, name = "<" if gap[t, k] < 0 else "≥", groups.stages(window)[own[k]].label
    return f"{said} · closest watched: u {u[t, k]:.2f} {sign} θ {theta[t, k]:.2f} ({name})"


def _add_ticks(
    out: style.Figure,
    window: Window,
    theme: style.Theme,
    rows: np.ndarray,
    bands: list[_Band],
    n_exc: list[int],
) -> None:
    """One trace of points a stage for the hover, and one path of all its ticks.

    A line with gaps would be one SVG element a tick, which a browser takes seconds to lay out.
    """
    times = (window.step0 + window.spk_dt.astype(np.int64)) * window.dt
    ids = np.asarray(window.rows, dtype=np.int64)[window.spk_row.astype(np.int64)]
    half = round(max(TICK_HALF, len(window.rows) / PLOT_HEIGHT), 2)
    for band in bands:
        mine = (rows >= band.lo) & (rows < band.hi)
        if not mine.any():
            continue
        colour = style.block_colour(band.stage.colour, theme)
        inside = ids - band.stage.first
        excitatory = inside < n_exc[band.stage.index]
        out["data"].append(
            {
                "type": "scatter", "mode": "none", "name": band.stage.label,
                "x": style.typed(times[mine]), "y": style.typed(rows[mine].astype(np.int32)),
                "customdata": style.typed(inside[mine]),
                "hoverlabel": {"bgcolor": colour},
                "hovertemplate": f"{band.stage.label} #%{{customdata}}<br>%{{x}} ms<extra></extra>",
            }
        )  # fmt: skip
        for part, ink in ((excitatory, colour), (~excitatory, style.faint(colour, theme))):
            if (mine & part).any():
                path = _path(times[mine & part], rows[mine & part], half)
                out["layout"]["shapes"].append(_ticks(path, ink))


def _path(times: np.ndarray, rows: np.ndarray, half: float) -> str:
    """An SVG path in data coordinates: at each time an upright line of 2 x ``half`` rows."""
    pairs = zip(times.tolist(), rows.tolist(), strict=True)
    return "".join(f"M{t:.10g},{row - half:.7g}V{row + half:.7g}" for t, row in pairs)


def _ticks(path: str, colour: str) -> dict[str, Any]:
    return {
        "type": "path", "xref": "x", "yref": "y", "path": path, "layer": "above", "name": TICKS,
        "line": {"width": 2, "color": colour},
    }  # fmt: skip


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
    full = max(1, int(step_bin * window.dt * row_bin * DENSITY_FULL + 0.5))
    counts = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    out["data"].append(
        {
            "type": "heatmap", "name": "spikes / bin", "z": style.typed(counts.astype(np.uint16)),
            "x0": (first + step_bin / 2) * window.dt, "dx": step_bin * window.dt,
            "y0": (row_bin - 1) / 2, "dy": row_bin, "zmin": 0, "zmax": full,
            "colorscale": style.SEQUENTIAL,
            "colorbar": style.colour_bar(theme, "spikes / bin", tickvals=[0, full]),
            "hovertemplate": "%{x} ms, row %{y}: %{z} spikes<extra></extra>",
        }
    )  # fmt: skip
    bins = f"{step_bin * window.dt:g} ms x {row_bin} neuron{'s' if row_bin > 1 else ''} a bin"
    out["layout"]["annotations"].append(style.note(theme, bins, 0.6, name=style.ASIDE))
