"""``/visualization/*``: the page's panels as data, as Plotly figures, and as pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flask import Response

from dashboard.api import figure_head, frames, panels
from dashboard.api.operations import operation
from dashboard.api.rest import live
from dashboard.api.rest.answers import Table
from dashboard.api.rest.queries import BlockPictureQuery, PictureQuery, RasterQuery
from dashboard.panels.base import Panel
from dashboard.panels.registry import panel_by_slug
from t4dm.live.client import SessionClient
from t4dm.live.view import View
from t4dm.live.window import Window

PICTURES = ("image/png", "image/svg+xml")
NO_BROWSER = {501: "No Chromium on the server: the sentence says what to install."}


def _picture(rule: str, query: type[PictureQuery]) -> Callable[..., Any]:
    """Declare a GET that answers a panel as data, figure or image."""
    return operation(
        "GET",
        rule,
        Table,
        tag="visualization",
        query=query,
        also=frames.NOT_HELD | NO_BROWSER,
        other_media=PICTURES,
    )


@_picture("/visualization/spike-raster", RasterQuery)
def visualization_spike_raster(query: RasterQuery) -> Response:
    """Spikes of the chosen neurons, by default of 100 over the panel's span."""
    client = live.client_of(query)
    rows = live.rows_of(query.neurons, query.layer, client)
    return _drawn("raster", client, query, View(rows=rows), {"order": query.order})


@_picture("/visualization/thalamic-gate", BlockPictureQuery)
def visualization_thalamic_gate(query: BlockPictureQuery) -> Response:
    """How far each channel of a block's gate is open, 0 to 1.5; the first block by default."""
    return _of_block("gate", query, "gate_block")


@_picture("/visualization/neuromod-heatmap", PictureQuery)
def visualization_neuromod_heatmap(query: PictureQuery) -> Response:
    """Levels of the four neuromodulators and the gains they set, step by step."""
    return _drawn("neuromod", live.client_of(query), query, View())


@_picture("/visualization/weight-distribution", BlockPictureQuery)
def visualization_weight_distribution(query: BlockPictureQuery) -> Response:
    """Histograms of a block's recurrent weights every 250 ms; the first block by default."""
    return _of_block("weights", query, "weights_block")


def _of_block(slug: str, query: BlockPictureQuery, chosen: str) -> Response:
    """A panel of one block; ``chosen`` is the part of the view that says which."""
    client = live.client_of(query)
    part: dict[str, Any] = {chosen: live.layer_of(client, query.layer)}
    return _drawn(slug, client, query, View(**part))


def _drawn(
    slug: str,
    client: SessionClient,
    query: PictureQuery,
    view: View,
    options: dict[str, str] | None = None,
) -> Response:
    panel = panel_by_slug(slug)
    assert panel is not None
    if query.format == "json":
        if panel.axis == "time":
            only = {"spikes" if name.startswith("spk_") else name for name in panel.arrays}
            window = live.window_of(client, query, panel.span_ms, panel.needs[0], view, only)
        else:
            window = live.samples_of(client, query, panel.needs[0], view)
        return _table(client, window, panel, query)
    steps = live.steps_of(client, query, panel.span_ms)
    text = panels.figure_text(client, panel, view, steps, query.theme, options or {})
    if query.format == "figure":
        return panels.as_json(text)
    size = panels.Size(query.width, query.height or panel.height, query.scale)
    return panels.picture(panel, text, query.format, query.theme, size)


def _table(client: SessionClient, window: Window, panel: Panel, query: PictureQuery) -> Response:
    columns = panel.table(window)
    rows = max((len(column) for column in columns.values()), default=0)
    end = query.offset + query.limit
    head = figure_head.head_of(client, panel, window)
    on_page = max(0, min(end, rows) - query.offset)
    body = {
        **head,
        "shown": head["shown"] | {"rows": live.part(on_page, rows)},
        "rows": rows,
        "offset": query.offset,
        "next_offset": end if end < rows else None,
        "columns": _plain({name: column[query.offset : end] for name, column in columns.items()}),
    }
    return live.answer(body)


def _plain(columns: dict[str, np.ndarray]) -> dict[str, Any]:
    """Columns of one length as JSON data; real numbers but times are rounded, all at once."""
    real = [n for n, column in columns.items() if column.dtype.kind == "f" and n != "time_ms"]
    rounded = live.numbers(np.array([columns[name] for name in real]))
    return {name: column.tolist() for name, column in columns.items()} | dict(
        zip(real, rounded, strict=True)
    )
