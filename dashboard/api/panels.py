"""A panel over a time window: its figure, its picture, its numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from flask import Response

from dashboard import pictures
from dashboard.api import export, figure_head, frames
from dashboard.api.errors import ApiError
from dashboard.cache import answers
from dashboard.figures import style
from dashboard.panels.base import Panel
from dashboard.panels.registry import all_panels, panel_by_slug
from t4dm.live.client import SessionClient
from t4dm.live.frame import dumps
from t4dm.live.published import missing
from t4dm.live.view import View
from t4dm.live.window import Window
from t4dm.params import ParamError

if TYPE_CHECKING:
    from dashboard.api.rest.window_queries import PictureOfPanel

MAX_PIXELS = 16_000_000  # real ones of an image: as many as 4000 x 4000
KINDS = ("json", "csv", "npz", "png", "svg")
_shared: dict[tuple[str, str, View, frames.Steps], Window] = {}  # the newest one asked for
PAPER = {"light": "#FFFFFF", "dark": "#1A1B1E"}


class Size(NamedTuple):
    """Pixels of an image, and how many real ones each is drawn with."""

    width: int
    height: int
    scale: float

    def check(self) -> None:
        """Raises :class:`ParamError` for more real pixels than a browser draws in good time."""
        side = (MAX_PIXELS / (self.width * self.height)) ** 0.5
        if self.scale > side:
            message = f"scale: {self.width} x {self.height} pixels at {self.scale:g} are too many"
            raise ParamError("scale", f"{message}; at most {side:.2f}", lo=0.5, hi=round(side, 2))


def file_names() -> list[str]:
    """Every panel in every format."""
    return [f"{panel.slug}.{kind}" for panel in all_panels() for kind in KINDS]


def answer(client: SessionClient, file_name: str, query: PictureOfPanel) -> Response:
    """``<slug>.<kind>`` over ``from_ms`` to ``to_ms``, by default the panel's newest span.

    Raises :class:`ApiError` 404 for an unknown panel or kind, and as :func:`frames.held_steps`.
    """
    slug, _, kind = file_name.rpartition(".")
    panel = panel_by_slug(slug)
    if panel is None or kind not in KINDS:
        known = file_names()
        raise ApiError(404, "no_panel", "no such panel or format", field="panel", choices=known)
    steps = frames.held_steps(client, query.from_ms, query.to_ms, panel.span_ms)
    view = query.shown()
    absent = missing(panel.needs, client.manifest()["probes"])
    if absent and kind in ("csv", "npz"):
        raise ApiError(422, "not_published", absent, field="panel")
    if kind == "csv":
        return _csv(client, panel, view, steps)
    if kind == "npz":
        window = _of_files(client, view, steps)
        body = export.to_npz(panel, window, {"session": client.session, "panel": slug})
        return _file(body, "application/octet-stream", f"{slug}.npz")
    options = {name: getattr(query, name) for name, _ in panel.options}
    text = figure_text(client, panel, view, steps, query.theme, options, query.title == "1")
    if kind == "json":
        return as_json(text)
    scale = query.scale or (2.0 if kind == "png" else 1.0)
    size = Size(query.width, query.height or panel.height, scale)
    return picture(panel, text, kind, query.theme, size)


def _csv(client: SessionClient, panel: Panel, view: View, steps: frames.Steps) -> Response:
    window = _of_files(client, view, steps)
    try:
        parts = export.to_csv(panel, window)
    except export.TooLarge as error:
        message = f"{error}; ask for a shorter window or for NPZ"
        raise ApiError(422, "too_large", message, field="to_ms") from None
    return _file(parts, "text/csv; charset=utf-8", f"{panel.slug}.csv")


def _of_files(client: SessionClient, view: View, steps: frames.Steps) -> Window:
    """The window of ``steps``, with the matrices that its picture shows where the view asks for them."""
    window = frames.history(client, view, steps)
    if "matrix" not in (view.weights_view, view.attention_view):
        return window
    led = frames.led(client, window)
    told = {name: value for name, value in led.meta.items() if name not in window.meta}
    return replace(
        window, meta=window.meta | told, matrix=led.matrix, attention_heads=led.attention_heads
    )


def _window(client: SessionClient, view: View, steps: frames.Steps) -> Window:
    """The window of ``steps``; the panels of one board, asked for one after the other, share it."""
    key = (str(client.run_dir), client.session, view, steps)
    window = _shared.get(key)
    if window is None:
        window = frames.picture(client, view, steps)
        _shared.clear()
        _shared[key] = window
    return window


def figure_text(
    client: SessionClient,
    panel: Panel,
    view: View,
    steps: frames.Steps,
    theme: str,
    options: dict[str, str],
    titled: bool = True,
) -> str:
    """The figure's JSON, kept for a minute: the same steps of the same epoch never change.

    ``layout.meta`` says where in the run it is from (``dashboard.api.figure_head``).
    """
    manifest: dict[str, Any] = {}
    if panel.wants_values:
        manifest["values"] = client.params()["values"]
    if panel.wants_groups:
        manifest["groups"] = client.manifest()["groups"]
    question = [client.session, steps, view, panel.slug, theme, options, titled, manifest]
    key = hashlib.sha256(repr(question).encode()).hexdigest()
    text = answers.get(key)
    if text is None:
        window = _window(client, view, steps)
        absent = missing(panel.needs, client.manifest()["probes"])
        figure = (
            style.absent(panel.slug, absent, cast(style.Theme, theme))
            if absent
            else panel.figure(window, manifest, theme, **options)
        )
        figure = figure if titled else style.untitled(figure)
        head = figure_head.head_of(client, panel, window)
        text = dumps(figure | {"layout": figure["layout"] | {"meta": head}})
        answers.set(key, text)
    return text


def picture(panel: Panel, text: str, kind: str, theme: str, size: Size) -> Response:
    """The figure of ``text`` as an image; raises as :func:`dashboard.pictures.picture`."""
    size.check()
    figure = json.loads(text)
    figure["layout"] |= {"paper_bgcolor": PAPER[theme], "plot_bgcolor": PAPER[theme]}
    told = figure_head.headers_of(figure)
    del figure["layout"]["meta"]  # of another moment the same picture is not drawn again
    body = pictures.picture(figure, kind, size.width, size.height, size.scale)
    answer = _file(body, pictures.FORMATS[kind], f"{panel.slug}.{kind}", inline=True)
    answer.headers.update(told)
    return answer


def as_json(text: str) -> Response:
    """A figure's JSON as an answer."""
    return _file(text, "application/json", None)


def _file(
    body: str | bytes | Iterator[str], mime: str, name: str | None, inline: bool = False
) -> Response:
    response = Response(body, content_type=mime)
    response.headers["Cache-Control"] = "no-store"
    if name is not None:
        how = "inline" if inline else "attachment"
        response.headers["Content-Disposition"] = f'{how}; filename="{name}"'
    return response
