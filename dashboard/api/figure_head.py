"""What a figure and its picture say of where in the run they are from: the head of every answer.

In a figure it is ``layout.meta``, Plotly's own place for what it does not draw; a picture has it in the
headers of its answer.
"""

from __future__ import annotations

from typing import Any

from dashboard.api.rest import live
from dashboard.panels.base import Panel
from t4dm.live.client import SessionClient
from t4dm.live.window import Window

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
NEURONS = "X-T4DM-Neurons"


def head_of(client: SessionClient, panel: Panel, window: Window) -> dict[str, Any]:
    """Session, epoch, step, time, revision, units, window and neurons of ``panel`` over ``window``."""
    head = live.sampled_head if set(panel.arrays) & set(live.SAMPLED) else live.head
    return {
        **head(client, window, **UNITS.get(panel.slug, {})),
        "neurons": neurons_of(panel, window),
    }


def neurons_of(panel: Panel, window: Window) -> dict[str, int] | None:
    """How many neurons of all are shown, where the panel has a row for each."""
    return {"n": len(window.rows), "total": window.n_total} if panel.slug == "raster" else None


def headers_of(figure: dict[str, Any]) -> dict[str, str]:
    """The head of ``figure`` as headers of the answer with its picture."""
    meta = figure["layout"]["meta"]
    told = {name: str(meta[key]) for name, key in IN_HEADERS.items() if meta[key] is not None}
    if meta["neurons"] is not None:
        told[NEURONS] = f"{meta['neurons']['n']} of {meta['neurons']['total']}"
    return told
