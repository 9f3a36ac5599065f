"""``/learning/*``: what STDP and homeostasis do, from the numbers behind the page's panels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from flask import Response

from dashboard.api import frames
from dashboard.api.operations import operation
from dashboard.api.rest import live, revisions, weights
from dashboard.api.rest.learning_answers import (
    HebbianTrace,
    HomeostaticState,
    StdpMetrics,
    StdpWindows,
)
from dashboard.api.rest.queries import LayerQuery
from dashboard.figures import stdp as stdp_figure
from t4dm.live.client import SessionClient
from t4dm.live.tree import ParamTree
from t4dm.live.window import Window

SECOND_MS = 1000
SUMS, IN_1_S = ("potentiation", "depression", "net"), "sum of changes in 1 s"


def _rule(
    client: SessionClient, query: LayerQuery, window: Window
) -> tuple[dict[str, Any], stdp_figure.Applied, dict[str, Any]]:
    """The parameters told, what they make of a pair, as the STDP panel shows it, their revision."""
    told = revisions.told(client, query, window)
    params = stdp_figure.parameters({"values": told.tree.to_json()["values"]})
    ltp, ltd = stdp_figure.da_factors(window)
    now = stdp_figure.applied(params, stdp_figure.da_level(window), ltp, ltd)
    return params, now, told.head


@operation(
    "GET",
    "/learning/stdp-metrics",
    StdpMetrics,
    tag="learning",
    query=LayerQuery,
    also=frames.NOT_HELD,
)
def learning_stdp_metrics(query: LayerQuery) -> Response:
    """Whether STDP is on, gated or engaged: factors, pairs of the last second, weights."""
    client = live.client_of(query)
    window = live.samples_of(client, query, "pairs")
    params, now, rev = _rule(client, query, window)
    ltp, ltd = stdp_figure.da_factors(window)
    da = stdp_figure.da_level(window)
    layers = weights.sampled_layers(window, query)
    body = {
        **live.sampled_head(
            client, window, da="1", ltp_gain="1", ltd_gain="1", learning_rate="1", a_plus_now="1",
            a_minus_now="1", mean_weight="1", share="1", pairs="pairs in 1 s", sampled_ms="ms",
        ) | rev,
        "shown": weights.newest_of(window, layers),
        "enabled": params["enabled"], "mode": params["mode"],
        "learning_rate": params["learning_rate"],
        "da": round(da, 6), "da_gate": params["da_gate"], "gated_off": da < params["da_gate"],
        "ltp_gain": round(ltp, 6), "ltd_gain": round(ltd, 6),
        "a_plus_now": now.plus, "a_minus_now": now.minus, "quantity": now.quantity,
        "words": list(now.words),
        "sampled_ms": weights.sampled_ms(window),
        "blocks": [_learning(window, b) for b in layers],
    }  # fmt: skip
    return live.answer(body)


def _lags(window: Window) -> np.ndarray:
    """(P,) ms from pre to post of each bin of ``window.pairs``."""
    half = window.pairs.shape[2] // 2
    return np.arange(-half, half + 1) * window.dt


def _learning(window: Window, block: int) -> dict[str, Any]:
    pairs, half = window.pairs[-1, block], window.pairs.shape[2] // 2
    at_zero, at_max = (round(float(v), 6) for v in window.bounds[-1, block])
    return {
        "block": block,
        "pairs_pre_post": int(pairs[half + 1 :].sum()),
        "pairs_post_pre": int(pairs[:half].sum()),
        "mean_weight": weights.mean_exc(window, -1, block),
        "at_zero": at_zero,
        "at_max": at_max,
    }


@operation(
    "GET",
    "/learning/stdp-windows",
    StdpWindows,
    tag="learning",
    query=LayerQuery,
    also=frames.NOT_HELD,
)
def learning_stdp_windows(query: LayerQuery) -> Response:
    """The window of each sign as applied now, with the pairs of the last second by dt."""
    client = live.client_of(query)
    window = live.samples_of(client, query, "pairs")
    params, now, rev = _rule(client, query, window)
    dt, change = stdp_figure.curve(params, now)
    layers = weights.sampled_layers(window, query)
    lags = _lags(window)
    pairs = window.pairs[-1, layers] if layers else np.zeros((0, len(lags)), np.uint32)
    inside = (lags <= params["window_pre_to_post"]) & (lags >= -params["window_post_to_pre"])
    total = int(pairs.sum())
    body = {
        **live.sampled_head(client, window, dt_ms="ms", change="1", pairs="pairs in 1 s") | rev,
        "shown": weights.newest_of(window, layers),
        "parameters": params,
        "quantity": now.quantity,
        "words": list(now.words),
        "dt_ms": dt.tolist(),
        "change": live.numbers(change),
        "pair_dt_ms": lags.tolist(),
        "sampled_ms": weights.sampled_ms(window),
        "pairs": {str(b): pairs[k].tolist() for k, b in enumerate(layers)},
        "inside_share": round(int(pairs[:, inside].sum()) / total, 6) if total else None,
    }
    return live.answer(body)


@operation(
    "GET",
    "/learning/hebbian-trace",
    HebbianTrace,
    tag="learning",
    query=LayerQuery,
    also=frames.NOT_HELD,
)
def learning_hebbian_trace(query: LayerQuery) -> Response:
    """Potentiation and depression that the pairs of each second add up to, as applied now."""
    client = live.client_of(query)
    window = live.samples_of(client, query, "pairs")
    params, now, rev = _rule(client, query, window)
    lags, half = _lags(window), window.pairs.shape[2] // 2
    per_pair = np.nan_to_num(stdp_figure.change_at(params, now, lags))
    per_pair[half] = 0.0
    layers = weights.sampled_layers(window, query)
    blocks = []
    for block in layers:
        pairs = window.pairs[:, block].astype(np.float64)
        up, down = pairs[:, half + 1 :] @ per_pair[half + 1 :], pairs[:, :half] @ per_pair[:half]
        blocks.append(
            {
                "block": block, "potentiation": live.numbers(up), "depression": live.numbers(down),
                "net": live.numbers(up + down),
            }
        )  # fmt: skip
    body = {
        **live.sampled_head(client, window, **dict.fromkeys(SUMS, IN_1_S), sample_ms="ms") | rev,
        "shown": weights.course_of(window, layers),
        "sample_ms": (window.hist_steps * window.dt).tolist(),
        "quantity": now.quantity,
        "blocks": blocks,
    }
    return live.answer(body)


@operation(
    "GET",
    "/learning/homeostatic-state",
    HomeostaticState,
    tag="learning",
    query=LayerQuery,
    also=frames.NOT_HELD,
)
def learning_homeostatic_state(query: LayerQuery) -> Response:
    """Each stage's rate against its target, and how far its threshold has moved for it."""
    client = live.client_of(query)
    window = live.window_of(client, query, SECOND_MS, "theta", only=("theta", "rates"))
    told = revisions.told(client, query, window)
    tree = told.tree
    every = window.layout.blocks
    blocks = [every[k] for k in live.layers_of(len(every), query)]
    of_blocks = [g for g in window.layout.groups if g.block is not None]
    stages = [_stage(tree, window, g, told.same) for g in of_blocks if g.block in blocks]
    head = live.head(client, window, rate="spikes/neuron/step", theta="1", drift="1")
    body = {
        **head | told.head,
        "shown": {
            "blocks": live.part(len(blocks), len(every)),
            "stages": live.part(len(stages), len(of_blocks)),
        },
        **{n: tree.get(f"homeostasis.{n}") for n in ("enabled", "target_rate", "learning_rate")},
        "theta_max": tree.get("homeostasis.theta_max"),
        "stages": stages,
    }
    return live.answer(body)


def _stage(tree: ParamTree, window: Window, group: Any, same: bool) -> dict[str, Any]:
    """``same``: the window was computed with the parameters of ``tree``, so that its thresholds are theirs."""
    rate = float(window.rates[:, group.index].sum(dtype=np.int64)) / (group.n * window.n_steps)
    theta, before = float(window.theta[-1, group.index]), float(window.theta[0, group.index])
    known = math.isfinite(theta) and math.isfinite(before)
    theta_h = theta - tree.stage("lif", "v_thresh", group.block, group.stage)
    bound = tree.get("homeostasis.theta_max")
    return {
        "group": group.name, "block": group.block, "stage": group.stage,
        "rate": round(rate, 6), "error": round(rate - tree.get("homeostasis.target_rate"), 6),
        "theta": round(theta, 6) if known else None,
        "theta_h": round(theta_h, 6) if known and same else None,
        "drift": round(theta - before, 6) if known else None,
        "at_bound": abs(theta_h) >= bound - 1e-6 if known and same else None,
    }  # fmt: skip
