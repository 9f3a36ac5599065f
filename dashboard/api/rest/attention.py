"""``/spiking/attention-weights``: what each block's spike attention looks back at."""

from __future__ import annotations

from typing import Any

import numpy as np
from flask import Response

from dashboard.api import frames
from dashboard.api.operations import operation
from dashboard.api.rest import live
from dashboard.api.rest.attention_answers import AttentionWeights
from dashboard.api.rest.queries import LayerQuery
from t4dm.live import attention
from t4dm.live.segment import KEYS
from t4dm.live.view import View
from t4dm.live.window import Window

NOW_MS = 100
ASKED = ("attention", "attention_keys", "rates")


@operation(
    "GET",
    "/spiking/attention-weights",
    AttentionWeights,
    tag="spiking",
    query=LayerQuery,
    also=frames.NOT_HELD,
)
def spiking_attention_weights(query: LayerQuery) -> Response:
    """Weights of the newest query over the last 64 keys, and how even they are."""
    client = live.client_of(query)
    live.check_published(client, "attention")
    every = len(live.layout_of(client).blocks)
    layers = live.layers_of(every, query)
    steps = live.steps_of(client, query, NOW_MS)
    blocks: list[dict[str, Any]] = []
    for layer in layers:
        window = live.cut(client, steps, View(rows=(0,), attention_block=layer), ASKED)
        blocks.append(_block(window, layer))
    body = {
        **live.head(client, window, weights="1", relative_entropy="1", ages_ms="ms"),
        "shown": {
            "blocks": live.part(len(layers), every),
            "samples": live.part(min(1, len(window.gate_steps)), len(window.gate_steps)),
        },
        "ages_ms": (np.arange(KEYS) * window.dt).tolist(),
        "fewest_keys": attention.FEWEST_KEYS,
        "blocks": blocks,
    }
    return live.answer(body)


def _block(window: Window, layer: int) -> dict[str, Any]:
    """The newest sample of one block, its entropy, and the mean over those that are judged."""
    spikes = attention.query_spikes(window.rates, window.layout, layer, window.step0)
    even = attention.relative_entropy(window.attention, window.attention_keys, spikes)
    judged = even[np.isfinite(even)]
    weights = attention.weights_of(window.attention[-1:, ::-1])
    has = len(weights) > 0
    return {
        "block": layer,
        "sampled_ms": float(window.gate_steps[-1]) * window.dt if has else None,
        "keys": int(window.attention_keys[-1]) if has else 0,
        "query_spikes": int(spikes[-1]) if has else 0,
        "weights": live.numbers(weights[0], 4) if has else [],
        "relative_entropy": live.numbers(even[-1:])[0] if has else None,
        "mean_entropy": round(float(judged.mean()), 6) if judged.size else None,
        "judged": int(judged.size),
        "samples": len(even),
    }
