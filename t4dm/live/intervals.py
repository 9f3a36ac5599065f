"""Inter-spike intervals of a window: each from one spike of a neuron to its next, both in the window."""

from __future__ import annotations

import numpy as np

from t4dm.live.window import Window

MIN_INTERVALS = 2
SQUARED = 46_340  # the largest number whose square fits 32 bits


def intervals(window: Window) -> np.ndarray:
    """Every interval of the window's rows in steps, int64 (n,), row after row."""
    order = np.argsort(window.spk_row, kind="stable")
    rows = window.spk_row[order]
    gaps = np.diff(window.spk_dt[order].astype(np.int64))
    return gaps[rows[1:] == rows[:-1]]


def interval_variation(window: Window, counts: np.ndarray) -> np.ndarray:
    """Coefficient of variation of each row's inter-spike intervals, (R,); NaN under 2 intervals.

    ``counts`` (R,) are the spikes of each row.
    """
    order = np.argsort(window.spk_row, kind="stable")
    times = window.spk_dt[order].astype(np.int32 if window.n_steps <= SQUARED else np.int64)
    gaps = np.diff(times)  # squares fit, the sum of 32-bit ones does not
    squares = np.zeros(len(times), np.int64)
    np.cumsum(gaps * gaps, out=squares[1:])
    enough = counts > MIN_INTERVALS
    ends = np.cumsum(counts)[enough]
    n = counts[enough] - 1
    first, last = ends - n - 1, ends - 1
    mean = (times[last] - times[first]) / n
    square = (squares[last] - squares[first]) / n
    out = np.full(len(counts), np.nan)
    out[enough] = np.sqrt(np.maximum(square - mean * mean, 0.0)) / mean
    return out
