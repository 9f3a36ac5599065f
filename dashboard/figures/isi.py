"""Inter-spike intervals: how many of each length, beside what chance alone would give."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.figures import style, timeline
from t4dm.live.intervals import intervals
from t4dm.live.window import Window

SLUG = "isi"
LONGEST_MS = 100  # drawn; longer ones are counted
FEWEST = 10
LEADS = (1, 2, 5)


def figure(
    window: Window | None, manifest: dict[str, Any] | None, theme: style.Theme = "light"
) -> style.Figure:
    """Counts of the intervals up to 100 ms of the rows in view, dashed the geometric law of their mean.

    A neuron that fires by chance alone, each step alike, has that law (CV just under 1).
    """
    dt = 1.0 if window is None else window.dt
    out: style.Figure = {
        "data": [{"type": "scatter", "x": [None], "y": [None]}],
        "layout": style.layout(
            theme,
            timeline.title("Inter-spike intervals", "", window),
            SLUG,
            xaxis=style.axis(
                theme, f"Interval ({unit(window)})", range=[0, LONGEST_MS + dt], autorange=False
            ),
            yaxis=style.axis(theme, "Intervals (count)", range=[0, 10], autorange=False),
            bargap=0,
        ),
    }
    if window is None:
        out["layout"]["annotations"].append(style.note(theme, "waiting for the first frame"))
        return out
    found = intervals(window)
    if len(found) < FEWEST:
        out["layout"]["annotations"].append(style.empty_note(theme, too_few(window, len(found))))
        return out
    counts = histogram(found, longest(window))
    out["layout"]["yaxis"]["range"] = [0, top_of(int(counts.max()))]
    out["data"] = [_bars(counts, window, theme), _chance(found, window, theme)]
    out["layout"]["annotations"].append(style.caption(theme, words(window, found)))
    return out


def unit(window: Window | None) -> str:
    """What an interval is counted in."""
    return "ms" if window is None or window.axis == "sim_ms" else f"{window.axis}s"


def longest(window: Window) -> int:
    """Steps of the longest interval that is drawn."""
    return round(LONGEST_MS / window.dt)


def histogram(found: np.ndarray, most: int) -> np.ndarray:
    """Counts of the intervals of 1 to ``most`` steps, int64 (most,)."""
    return np.bincount(found[found <= most], minlength=most + 1)[1:]


def chance(n: int, mean: float, most: int) -> np.ndarray:
    """Expected counts (most,) of n intervals where each step fires with probability 1 / mean."""
    p = 1.0 / mean
    return np.asarray(n * p * (1.0 - p) ** np.arange(most), np.float64)


def top_of(most: int) -> int:
    """End of the count axis: 1, 2 or 5 times a power of ten, 10 at least."""
    power = 10
    while True:
        for lead in LEADS:
            if lead * power >= most:
                return lead * power
        power *= 10


def too_few(window: Window, n: int) -> str:
    """Why nothing is drawn."""
    return f"{n} intervals in {window.n_steps * window.dt:g} {unit(window)}; {FEWEST} are needed"


def words(window: Window, found: np.ndarray) -> str:
    """``n 11,871, mean 13.4 ms, CV 1.32``, and of how many neurons and how long."""
    beyond = int(np.count_nonzero(found > longest(window)))
    parts = [
        f"n {len(found):,}, mean {found.mean() * window.dt:.1f} {unit(window)}, CV {found.std() / found.mean():.2f}",
        *([f"{beyond:,} longer"] if beyond else []),
        f"{len(window.rows):,} neurons in {window.n_steps * window.dt:g} {unit(window)}",
    ]
    return " · ".join(parts)


def _bars(counts: np.ndarray, window: Window, theme: style.Theme) -> dict[str, Any]:
    return {
        "type": "bar", "name": "intervals", "x0": window.dt, "dx": window.dt,
        "y": style.typed(counts.astype(np.uint32)),
        "marker": {"color": style.block_colour(1, theme), "line": {"width": 0}},
        "hovertemplate": f"%{{x}} {unit(window)}: %{{y}} intervals<extra></extra>",
    }  # fmt: skip


def _chance(found: np.ndarray, window: Window, theme: style.Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": "by chance", "x0": window.dt, "dx": window.dt,
        "y": style.typed(chance(len(found), float(found.mean()), longest(window))),
        "line": {"width": 1.5, "dash": "5px,3px", "color": style.ink(theme)},
        "hovertemplate": "by chance %{y:.1f}<extra></extra>",
    }  # fmt: skip
