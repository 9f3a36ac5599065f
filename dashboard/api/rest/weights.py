"""Weights: their histograms, and how they moved from one sample to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from flask import Response

from dashboard.api import frames
from dashboard.api.operations import operation
from dashboard.api.rest import live
from dashboard.api.rest.learning_answers import WeightDeltas, WeightHistograms
from dashboard.api.rest.queries import LayerQuery
from dashboard.figures import weights as weights_figure
from t4dm.live.segment import HIST_BINS
from t4dm.live.window import Window


@operation(
    "GET",
    "/spiking/weights",
    WeightHistograms,
    tag="spiking",
    query=LayerQuery,
    also=frames.NOT_HELD,
)
def spiking_weights(query: LayerQuery) -> Response:
    """The newest distribution of each block's recurrent weights."""
    client = live.client_of(query)
    window = live.samples_of(client, query, "weights")
    w_lo, w_hi = weights_figure.limits(window)
    layers = sampled_layers(window, query)
    body = {
        **live.sampled_head(client, window, weight="1", count="weights"),
        "shown": newest_of(window, layers) | {"weights": _counted(window, layers)},
        "sampled_ms": sampled_ms(window),
        "w_max": window.meta.get("w_max"),
        "edges_exc": live.numbers(np.linspace(0.0, w_hi, HIST_BINS + 1)),
        "edges_inh": live.numbers(np.linspace(w_lo, 0.0, HIST_BINS + 1)),
        "blocks": [_histogram(window, block) for block in layers],
    }
    return live.answer(body)


def newest_of(window: Window, layers: list[int]) -> dict[str, Any]:
    """How much an answer lists that tells the newest sample of the blocks ``layers``."""
    samples = len(window.hist_steps)
    return {
        "blocks": live.part(len(layers), window.hist_exc.shape[1]),
        "samples": live.part(min(1, samples), samples),
    }


def course_of(window: Window, layers: list[int]) -> dict[str, Any]:
    """As :func:`newest_of`, of an answer that tells every sample of the window."""
    return newest_of(window, layers) | {"samples": live.all_of(len(window.hist_steps))}


def _counted(window: Window, layers: list[int]) -> dict[str, int]:
    """Weights of the newest sample that the histograms of ``layers`` count, of those of all blocks."""
    newest = window.hist_exc[-1:].sum(axis=(0, 2)) + window.hist_inh[-1:].sum(axis=(0, 2))
    return live.part(int(newest[layers].sum()), int(newest.sum()))


def _histogram(window: Window, block: int) -> dict[str, Any]:
    at_zero, at_max = (round(float(v), 6) for v in window.bounds[-1, block])
    return {
        "block": block,
        "name": name_of(window, block),
        "count_exc": window.hist_exc[-1, block].tolist(),
        "count_inh": window.hist_inh[-1, block].tolist(),
        "mean_exc": mean_exc(window, -1, block),
        "mean_inh": _mean(window.hist_inh[-1, block], weights_figure.limits(window)[0], 0.0),
        "at_zero": at_zero,
        "at_max": at_max,
    }


@operation(
    "GET",
    "/learning/weight-deltas",
    WeightDeltas,
    tag="learning",
    query=LayerQuery,
    also=frames.NOT_HELD,
)
def learning_weight_deltas(query: LayerQuery) -> Response:
    """How each block's plastic weights moved from sample to sample, by default over 10 s."""
    client = live.client_of(query)
    window = live.samples_of(client, query, "weights")
    layers = sampled_layers(window, query)
    body = {
        **live.sampled_head(
            client,
            window,
            mean_weight="1",
            moved="1",
            mean_change="1",
            bin_width="1",
            changed_at_least="weights",
            sample_ms="ms",
        ),
        "shown": course_of(window, layers),
        "sample_ms": (window.hist_steps * window.dt).tolist(),
        "moved_rows": client.manifest()["constants"].get("moved_rows"),
        "bin_width": weights_figure.limits(window)[1] / HIST_BINS,
        "blocks": [_delta(window, block) for block in layers],
    }
    return live.answer(body)


def _delta(window: Window, block: int) -> dict[str, Any]:
    means = [mean_exc(window, k, block) for k in range(len(window.hist_steps))]
    known = [mean for mean in means if mean is not None]
    return {
        "block": block,
        "name": name_of(window, block),
        "mean_weight": means,
        "moved": _moved(window, block),
        "changed_at_least": _changed(window, block),
        "mean_change": round(known[-1] - known[0], 9) if known else None,
    }


def _moved(window: Window, block: int) -> list[float | None]:
    if window.moved.shape[1] == 0:
        return [None] * len(window.hist_steps)
    return live.numbers(window.moved[:, block])


def _changed(window: Window, block: int) -> list[int | None]:
    """Weights that left their bin between two samples, at least; None where the bins changed."""
    counts = window.hist_exc[:, block].astype(np.int64)
    ends = window.meta.get("hist_w_hi", [])
    moved = np.abs(np.diff(counts, axis=0)).sum(axis=1) // 2
    out: list[int | None] = [None]
    for k, count in enumerate(moved.tolist()):
        out.append(count if not ends or ends[k] == ends[k + 1] else None)
    return out[: len(counts)]


def sampled_layers(window: Window, query: LayerQuery) -> list[int]:
    """Which sets of weights are asked for; none where the window has no sample."""
    layers = live.layers_of(window.hist_exc.shape[1], query)
    return layers if len(window.hist_steps) else []


def sampled_ms(window: Window) -> float | None:
    """When the newest sample was taken."""
    return float(window.hist_steps[-1]) * window.dt if len(window.hist_steps) else None


def mean_exc(window: Window, sample: int, block: int) -> float | None:
    """Mean of the weights above 0 at a sample, from the middles of its histogram's bins."""
    ends = window.meta.get("hist_w_hi", [])
    top = ends[sample] if ends else weights_figure.limits(window)[1]
    return _mean(window.hist_exc[sample, block], 0.0, float(top))


def name_of(window: Window, block: int) -> str:
    """Which weights, as the weights panel calls them."""
    return weights_figure.set_name(_showing(window, block))


def _showing(window: Window, block: int) -> Window:
    return replace(window, weights_block=block)


def _mean(counts: np.ndarray, lo: float, hi: float) -> float | None:
    total = int(counts.sum(dtype=np.int64))
    if not total:
        return None
    middles = lo + (np.arange(HIST_BINS) + 0.5) * (hi - lo) / HIST_BINS
    return round(float((counts * middles).sum()) / total, 9)
