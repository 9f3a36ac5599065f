"""Firing statistics of a window: rates, silence, regularity and synchrony of each group."""

from __future__ import annotations

from typing import Any

import numpy as np

from t4dm.live.intervals import interval_variation
from t4dm.live.window import Window


def group_statistics(window: Window, bands: list[Any]) -> list[dict[str, Any]]:
    """One entry a group of a window over all neurons; ``bands`` are the manifest's, a group each,
    as shares of a ms; here of a step, as ``share`` is.

    ``share`` is spikes per neuron and step (the rate's figure has the same, times 1000 / dt);
    ``cv_isi`` the mean over neurons of the coefficient of variation of their intervals (1: Poisson,
    0: a clock), ``fano`` variance over mean of the group's spike count in a step.
    """
    counts = np.bincount(window.spk_row, minlength=len(window.rows))
    cv = interval_variation(window, counts)
    totals = window.rates.sum(axis=0, dtype=np.int64)
    means, variances = window.rates.mean(axis=0), window.rates.var(axis=0)
    out = []
    for group, band in zip(window.layout.groups, bands, strict=True):
        mine = slice(group.first, group.first + group.n)
        rates = counts[mine] * (1000.0 / window.dt / window.n_steps)
        share = float(totals[group.index]) / (group.n * window.n_steps)
        ordered = np.sort(rates)
        low, high = float(ordered[0]), float(ordered[-1])
        median = float(ordered[(group.n - 1) // 2] + ordered[group.n // 2]) / 2
        mean = float(means[group.index])
        known = cv[mine][np.isfinite(cv[mine])]
        out.append(
            {
                "group": group.name, "block": group.block, "stage": group.stage, "n": group.n,
                "share": round(share, 6), "rate_hz": round(share * 1000 / window.dt, 3),
                "min_hz": round(low, 3), "median_hz": round(median, 3), "max_hz": round(high, 3),
                "silent": int((counts[mine] == 0).sum()),
                "cv_isi": round(float(known.mean()), 4) if known.size else None,
                "fano": round(float(variances[group.index]) / mean, 4) if mean else None,
                "band": [edge * window.dt for edge in band] if band else None,
                "in_band": bool(band[0] <= share / window.dt <= band[1]) if band else None,
            }
        )  # fmt: skip
    return out
