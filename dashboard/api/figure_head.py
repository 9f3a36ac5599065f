"""What a figure and its picture say of where in the run they are from: the head of every answer.

In a figure it is ``layout.meta``, Plotly's own place for what it does not draw; a picture has it in the
headers of its answer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.api.rest import live
from dashboard.panels.base import Panel
from t4dm.live.client import SessionClient
from t4dm.live.window import Window
from t4dm.spiking.params import GAINS, NEUROMODULATORS

UNITS = {
    "raster": {"time_ms": "ms", "neuron": "id", "stage": "index of the group"},
    "gate": {"mean": "1", "g": "1"},
    "neuromod": {"level": "1", "gain": "1"},
    "weights": {"from": "1", "to": "1", "count": "weights"},
}
IN_HEADERS = {
    "X-T4DM-Epoch": "epoch",
    "X-T4DM-Step": "step",
    "X-T4DM-T-Ms": "t_ms",
    "X-T4DM-Params-Rev": "params_rev",
}
NEURONS, BLOCKS, SHOWN = "X-T4DM-Neurons", "X-T4DM-Blocks", "X-T4DM-Shown"


def head_of(client: SessionClient, panel: Panel, window: Window) -> dict[str, Any]:
    """Session, epoch, step, time, revision, units, window and what is shown of ``panel`` over ``window``.

    ``blocks`` are those that are shown, None where it is of the whole network; ``shown`` says how many
    of all: neurons, blocks, channels, steps of the window or samples in it.
    """
    head = live.sampled_head if set(panel.arrays) & set(live.SAMPLED) else live.head
    blocks = _blocks_of(panel, window)
    return {
        **head(client, window, **UNITS.get(panel.slug, {})),
        "neurons": neurons_of(panel, window),
        "blocks": blocks,
        "shown": _shown(panel, window, blocks),
    }


def neurons_of(panel: Panel, window: Window) -> dict[str, int] | None:
    """How many neurons of all are shown, where the panel has a row for each."""
    return live.part(len(window.rows), window.n_total) if panel.slug == "raster" else None


def _blocks_of(panel: Panel, window: Window) -> list[int] | None:
    """The blocks that ``panel`` shows; None where what it shows is no block's."""
    if panel.slug == "raster":
        groups = np.unique(window.layout.group_of(window.rows)).tolist()
        return sorted({b for g in groups if (b := window.layout.groups[g].block) is not None})
    if panel.slug not in ("gate", "weights"):
        return None
    place = window.gate_block if panel.slug == "gate" else window.weights_block
    blocks = window.layout.blocks
    named = [blocks[place] if place < len(blocks) else place]
    return named if place < _sets_of(panel, window) else []


def _sets_of(panel: Panel, window: Window) -> int:
    """How many blocks there are of what ``panel`` shows; none where it is not published."""
    of_each = {"gate": window.gate_mean, "weights": window.hist_exc}.get(panel.slug)
    return len(window.layout.blocks) if of_each is None else of_each.shape[1]


def _shown(panel: Panel, window: Window, blocks: list[int] | None) -> dict[str, dict[str, int]]:
    parts = {}
    if (neurons := neurons_of(panel, window)) is not None:
        parts["neurons"] = neurons
    if blocks is not None:
        parts["blocks"] = live.part(len(blocks), _sets_of(panel, window))
    if panel.slug == "gate":
        parts["channels"] = live.all_of(window.gate.shape[1])
        parts["steps"] = live.part(len(window.gate_steps), window.n_steps)
    if panel.slug == "neuromod":
        parts["neuromodulators"] = live.all_of(len(NEUROMODULATORS))
        parts["gains"] = live.all_of(len(GAINS))
        parts["steps"] = live.all_of(window.n_steps)
    if panel.slug == "weights":
        parts["samples"] = live.all_of(len(window.hist_steps))
    return parts


def headers_of(figure: dict[str, Any]) -> dict[str, str]:
    """The head of ``figure`` as headers of the answer with its picture."""
    meta = figure["layout"]["meta"]
    told = {name: str(meta[key]) for name, key in IN_HEADERS.items() if meta[key] is not None}
    parts = {kind: f"{part['n']} of {part['total']}" for kind, part in meta["shown"].items()}
    if "neurons" in parts:
        told[NEURONS] = parts["neurons"]
    if meta["blocks"]:
        told[BLOCKS] = ", ".join(map(str, meta["blocks"]))
    if parts:
        told[SHOWN] = ", ".join(f"{kind} {part}" for kind, part in parts.items())
    return told
