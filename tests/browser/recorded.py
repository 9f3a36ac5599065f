"""What a panel's drawing is given: every line, rectangle, path and picture that its canvas gets."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from playwright.sync_api import Page

from tests.browser.one_tab import in_page

# Each panel clears its film first; what follows, until another one does, is drawn into that film.
RECORD = """
const {Lines} = await import('/assets/js/marks/lines.mjs');
const context = CanvasRenderingContext2D.prototype, line = Lines.prototype;
const found = {}, kept = [];
let mine = null;
const wrap = (owner, name, note) => {
    const was = owner[name];
    kept.push([owner, name, was]);
    owner[name] = function (...given) { note.call(this, ...given); return was.apply(this, given); };
};
const open = canvas => {
    mine = null;
    if (!canvas.classList.contains('film')) return;
    const {slug} = canvas.closest('section').dataset;
    mine = found[slug] = {lines: [], rects: [], paths: [], pictures: []};
};
wrap(context, 'clearRect', function () { open(this.canvas); });
wrap(context, 'fillRect', function (x, y, w, h) { mine?.rects.push([this.fillStyle, x, y, w, h]); });
wrap(context, 'rect', function (x, y, w, h) { mine?.rects.push([this.fillStyle, x, y, w, h]); });
wrap(context, 'beginPath', function () { mine?.paths.push({points: [], width: this.lineWidth}); });
for (const name of ['moveTo', 'lineTo']) {
    wrap(context, name, function (x, y) { mine?.paths.at(-1)?.points.push([x, y]); });
}
wrap(context, 'putImageData', function (image, x, y) {
    const bytes = new Uint8Array(image.data.buffer);
    let text = '';
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    mine?.pictures.push({w: image.width, h: image.height, x, y, data: btoa(text)});
});
wrap(line, 'begin', function () { mine?.lines.push({w: this.w, h: this.h, points: []}); });
wrap(line, 'to', function (x, y) { mine?.lines.at(-1).points.push([x, y]); });
const {app} = window.t4dm, before = app.scene().now;
try {
    for (let i = 0; i < 200 && (app.scene().now === before || a.some(slug => !found[slug])); i++) {
        app.emit('theme');
        await new Promise(requestAnimationFrame);
    }
} finally {
    for (const [owner, name, was] of kept) owner[name] = was;
}
const {t0, t1, span, step0, step1} = app.scene();
const boxes = {};
for (const slug of a) {
    const {_fullLayout: full} = document.querySelector(`#graph-${slug} .js-plotly-plot`);
    boxes[slug] = Object.fromEntries(Object.entries(full).filter(([name]) => /^[xy]axis\\d*$/.test(name))
        .map(([name, axis]) => [name, {at: Math.round(axis._offset), length: Math.round(axis._length), range: [...axis.range]}]));
}
return {found, boxes, t0, t1, span, step0, step1};
"""


def record(page: Page, *slugs: str) -> Any:
    """One drawing of these panels, as their canvases got it: ``found``, ``boxes`` and the window."""
    return in_page(page, RECORD, list(slugs))


def picture(panel: Any, index: int = 0) -> np.ndarray:
    """(h, w, 3) bytes of the ``index``-th picture put on a panel's film."""
    return bitmap(panel["pictures"][index])[..., :3]


def bitmap(one: Any) -> np.ndarray:
    """(h, w, 4) bytes of a picture, the last of them its opacity."""
    data = np.frombuffer(base64.b64decode(one["data"]), np.uint8)
    return data.reshape(one["h"], one["w"], 4)


def points(panel: Any) -> list[np.ndarray]:
    """(n, 2) x and y of every line that has points, in pixels of its box."""
    return [np.array(one["points"]) for one in panel["lines"] if one["points"]]


def colours(place: np.ndarray, scale: list[list[Any]]) -> np.ndarray:
    """RGB (..., 3) at places 0 to 1 of a Plotly colour scale."""
    at = [stop for stop, _ in scale]
    ends = np.array([[int(text[i : i + 2], 16) for i in (1, 3, 5)] for _, text in scale])
    return np.stack([np.interp(place, at, ends[:, k]) for k in range(3)], axis=-1)
