"""What the read endpoints share: the window they are made from, its head, and the text of an answer.

The window is the one the page draws (``dashboard.api.frames``, ``t4dm.live.merge.merge``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
from flask import Response

from dashboard.api import frames
from dashboard.api.errors import ApiError
from dashboard.api.rest.queries import LayerQuery, SessionQuery, WindowQuery
from dashboard.api.segments import decoded
from dashboard.api.sessions import session_asked
from t4dm.live.client import SessionClient
from t4dm.live.frame import dumps
from t4dm.live.groups import Layout
from t4dm.live.lead import LEAD_MS
from t4dm.live.merge import EVERY
from t4dm.live.published import missing
from t4dm.live.segment import HIST_EVERY
from t4dm.live.view import View, ids_of
from t4dm.live.view import rows_of as shown_rows
from t4dm.live.window import Window
from t4dm.params import ParamError
from t4dm.step_length import steps_of as steps_in

MAX_POINTS = 1000
ONE_ROW = View(rows=(0,))  # where no spikes are asked for
NEWEST = WindowQuery.model_validate({"last_ms": 1.0})
SAMPLED = ("hist_exc", "hist_inh", "bounds", "pairs", "moved")
AT_SAMPLES = (*SAMPLED, "levels", "gains")


def client_of(query: SessionQuery) -> SessionClient:
    """The session asked for; raises :class:`ApiError` 404 with the names there are."""
    return session_asked(query.session_id)


def steps_of(client: SessionClient, query: WindowQuery, span_ms: float) -> frames.Steps:
    """The held steps that ``query`` asks for, by default the newest ``span_ms``."""
    return frames.held_steps(client, query.from_ms, query.to_ms, query.last_ms or span_ms)


def window_of(
    client: SessionClient,
    query: WindowQuery,
    span_ms: float,
    needs: str,
    view: View = ONE_ROW,
    only: Collection[str] = EVERY,
) -> Window:
    """The window that ``query`` asks for, of its arrays ``only`` those (``t4dm.live.merge.merge``).

    Raises :class:`ApiError` 422 where the session does not publish ``needs``.
    """
    check_published(client, needs)
    return frames.history(client, view, steps_of(client, query, span_ms), only)


def events_of(client: SessionClient, steps: frames.Steps) -> list[dict[str, Any]]:
    """Every event of ``steps``, without the rest of the window."""
    held = decoded.range(client, steps.epoch, steps.step0, steps.step1)
    inside = (e for s in held for e in s.meta.get("events", []))
    return [event for event in inside if steps.step0 <= event["step"] < steps.step1]


def cut(
    client: SessionClient, steps: frames.Steps, view: View, only: Collection[str] = EVERY
) -> Window:
    """The window of ``steps`` as ``view`` shows it; raises :class:`ApiError` 416."""
    return frames.history(client, view, steps, only)


def samples_of(
    client: SessionClient, query: WindowQuery, needs: str, view: View = ONE_ROW
) -> Window:
    """The weight samples of the window that ``query`` asks for, by default of the newest 10 s.

    Of a window of at most 10 s only the segments with a sample are read, and its newest steps.
    """
    check_published(client, needs)
    steps = steps_of(client, query, LEAD_MS)
    if (steps.step1 - steps.step0) * client.dt > LEAD_MS:
        return frames.history(client, view, steps, AT_SAMPLES)
    end = frames.Steps(steps.epoch, max(steps.step0, steps.step1 - HIST_EVERY), steps.step1)
    window = frames.picture(client, view, end, AT_SAMPLES)
    early = int((window.hist_steps < steps.step0).sum())
    first = steps.step0 if window.hist_step0 is None else max(steps.step0, window.hist_step0)
    cut = {name: getattr(window, name)[early:] for name in SAMPLED}
    meta = window.meta | {"hist_w_hi": window.meta.get("hist_w_hi", [])[early:]}
    return replace(window, hist_step0=first, meta=meta, **cut)


def check_published(client: SessionClient, needs: str) -> None:
    """Raises :class:`ApiError` 422 where the session does not publish ``needs``."""
    if absent := missing((needs,), client.manifest()["probes"]):
        raise ApiError(422, "not_published", absent, field="session_id")


def newest(client: SessionClient, needs: str) -> Window:
    """The newest step alone, as a window of the array ``needs``."""
    return window_of(client, NEWEST, 1, needs, only=(needs,))


def head(client: SessionClient, window: Window, **units: str) -> dict[str, Any]:
    """Session, epoch, step, time, revision and units of an answer made from ``window``."""
    return {
        "session_id": client.session,
        "epoch": window.epoch,
        "step": window.step1,
        "t_ms": window.step1 * window.dt,
        "params_rev": window.meta.get("params_rev"),
        "units": {"time": window.axis.replace("sim_ms", "ms"), **units},
        "window": span(window.step0, window.step1, window.dt),
    }


def sampled_head(client: SessionClient, window: Window, **units: str) -> dict[str, Any]:
    """As :func:`head`, of :func:`samples_of`: its window is the one whose samples are told."""
    first = window.step0 if window.hist_step0 is None else window.hist_step0
    covers = span(min(first, window.step0), window.step1, window.dt)
    return head(client, window, **units) | {"window": covers}


def span(step0: int, step1: int, dt: float) -> dict[str, Any]:
    """The steps that an answer covers."""
    return {"from_ms": step0 * dt, "to_ms": step1 * dt, "n_steps": step1 - step0}


def answer(body: dict[str, Any], status: int = 200) -> Response:
    """JSON with one line a field, so that ``grep`` finds it; never stored by a cache."""
    lines = ",\n".join(f'  "{name}": {dumps(value)}' for name, value in body.items())
    response = Response(f"{{\n{lines}\n}}\n", status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def part(n: int, total: int) -> dict[str, int]:
    """``n`` are listed of ``total`` that there are (``dashboard.api.models.Shown``)."""
    return {"n": n, "total": total}


def all_of(n: int) -> dict[str, int]:
    """Every one of ``n`` is listed."""
    return part(n, n)


def rows_of(neurons: str, layer: int | None, client: SessionClient) -> tuple[int, ...] | str:
    """The rows that ``neurons`` and ``layer`` ask for, as a :class:`View` takes them.

    A number alone is how many, spread evenly over all neurons, or over those of the block.  Raises
    :class:`ParamError` for neurons that the session does not have.
    """
    if neurons.isdecimal():
        if layer is None:
            return f"spread:{neurons}"
        ids = ids_of_layer(client, layer)
        n = min(int(neurons), len(ids))
        return tuple(int(ids[k]) for k in ((np.arange(n) + 0.5) * len(ids) / n).astype(int))
    rows: tuple[int, ...] | str = neurons
    if neurons[0].isdecimal():
        rows = ids_of("neurons", neurons)
    if layer is not None:
        raise ParamError("layer", "layer: goes with a number of neurons, not with a list of them")
    try:
        shown_rows(rows, layout_of(client))
    except ParamError as refused:
        refused.field, words = "neurons", refused.message.removeprefix("rows: ")
        refused.message = f"neurons: {words}"
        raise
    return rows


def ids_of_layer(client: SessionClient, layer: int) -> np.ndarray:
    """Neuron ids of block ``layer``; raises :class:`ParamError` with the blocks there are."""
    layout = layout_of(client)
    return layout.ids_of_block(layout.blocks[place_of(layout.blocks, layer)])


def layout_of(client: SessionClient) -> Layout:
    """The session's groups."""
    return Layout.from_json(client.manifest()["groups"])


def layer_of(client: SessionClient, layer: int | None) -> int:
    """Place of block ``layer`` among the session's blocks, the first by default."""
    return 0 if layer is None else place_of(layout_of(client).blocks, layer)


def place_of(blocks: list[int], layer: int) -> int:
    """Place of ``layer`` in ``blocks``; raises :class:`ParamError` with the ones there are."""
    if layer in blocks:
        return blocks.index(layer)
    if not blocks:
        raise ParamError("layer", "layer: this session has no blocks")
    lo, hi = blocks[0], blocks[-1]
    raise ParamError("layer", f"layer: expected {lo} to {hi}, got {layer}", lo=lo, hi=hi)


def picked(step0: int, step1: int, every_ms: int | None, dt: float) -> tuple[np.ndarray, int]:
    """Steps of [step0, step1) on the absolute grid of ``every_ms`` (by default at most 1000), and the
    steps from one to the next.

    Where the grid has none there, the newest step alone.
    """
    every = steps_in(every_ms or 0, dt) or max(1, -(-(step1 - step0) // MAX_POINTS))
    steps = np.arange(-(-step0 // every) * every, step1, every)
    return (steps if len(steps) else np.array([step1 - 1])), every


def numbers(values: np.ndarray, digits: int = 6) -> list[Any]:
    """Plain numbers with ``digits`` significant digits, in lists as ``values`` has dimensions.

    What is not finite becomes null in JSON.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        flat = values.astype(np.float64)
        scale = 10.0 ** (digits - 1 - np.floor(np.log10(np.abs(flat))))
        rounded = np.where((flat == 0) | ~np.isfinite(flat), flat, np.round(flat * scale) / scale)
    return rounded.tolist()


def layers_of(count: int, query: LayerQuery) -> list[int]:
    """Which of ``count`` blocks are asked for: one, or all."""
    every = list(range(count))
    return every if query.layer is None else [place_of(every, query.layer)]
