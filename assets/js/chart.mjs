/**
 * A line chart on a canvas of its own: several series, bands, spans, marks, a log axis, the newest value
 * at the right edge; hover shows the values under the pointer, a drag zooms, a double click takes it back.
 * Charts of one `ChartGroup` share zoom and pointer. 20,000 points a series cost a pass over them.
 *
 * Series: `{name, x, y, color, kind?: "line" | "step" | "points", marker?, width?, alpha?, dash?, edge?,
 * format?, quiet?}`; x ascending, y NaN where there is nothing; `edge: false` leaves out the label at the
 * edge, `quiet` the readout. Colours are words or `[light, dark]`.
 */

import { edgeLabels, events, ground, guides, readout, trace } from "./chart-draw.mjs";
import { follow } from "./chart-input.mjs";
import { extent, lowerBound, niceEnd, niceRange, scale } from "./chart-scale.mjs";
import { theme as themeNow } from "./colors.mjs";
import { num } from "./format.mjs";
import { emptyNote, grouped } from "./marks/paint.mjs";

const NARROW = 340;
const NOTHING = { series: [], bands: [], spans: [], guides: [], marks: [], note: "" };

/** Charts that show the same stretch of the axis and the same point of it. */
export class ChartGroup {
  /** @param {() => void} changed draws what is due, at the next animation frame */
  constructor(changed = () => {}) {
    Object.assign(this, { charts: [], zoom: null, hover: null, changed });
  }

  /** Show [x0, x1] of the axis, or all of it with null. */
  setZoom(zoom) {
    this.zoom = zoom;
    this.onZoom?.(zoom);
    this.changed();
  }

  /** Show the values at `x`, or none with null. */
  setHover(x) {
    this.hover = x;
    for (const chart of this.charts) chart.drawOver();
  }
}

export class Chart {
  /**
   * @param {HTMLElement} host takes the canvases; its size is the chart's
   * @param {{xLabel?: string, xText?: (x: number) => string, yLabel: string, log?: boolean, format?: (v: number) => string,
   *   zero?: boolean, group?: ChartGroup, words?: boolean, right?: number, name?: string}} options
   *   `zero`: the axis begins at 0; `right`: room beside the plot; `words`: marks have their words; `name`: for screen readers
   */
  constructor(host, options) {
    this.options = { xLabel: "step", log: false, zero: false, words: true, format: (v) => num(v, 4), ...options };
    this.options.xText ??= (x) => `${this.options.xLabel} ${grouped(x)}`;
    this.group = options.group ?? new ChartGroup(() => this.draw());
    this.group.charts.push(this);
    this.data = NOTHING;
    this.host = host;
    this.film = canvasOf(host);
    this.over = canvasOf(host);
    this.back = document.createElement("canvas");
    host.tabIndex = 0;
    host.setAttribute("role", "img");
    host.setAttribute("aria-label", options.name ?? options.yLabel);
    host.classList.add("chart-host");
    this.dirty = true;
    new ResizeObserver(() => this.#resized()).observe(host);
    this.#resized();
    follow(this);
  }

  #resized() {
    this.width = this.host.clientWidth;
    this.height = this.host.clientHeight;
    this.dirty = true;
    this.group.changed();
  }

  get visible() { return this.width > 40 && this.height > 30; }

  /** What to draw from now on: any of series, bands, spans, guides, marks, note, xEnd. */
  set(data) {
    this.data = { ...NOTHING, ...data };
    this.dirty = true;
  }

  /** Draw what was set, where it can be seen; nothing when nothing changed. */
  draw() {
    const dpr = window.devicePixelRatio || 1, look = themeNow();
    const key = `${this.group.zoom}|${look.dark}|${dpr}`;
    if (!this.visible || (!this.dirty && key === this.key)) return;
    this.dirty = false;
    this.key = key;
    fit(this.film, this.width, this.height, dpr);
    const ctx = this.film.getContext("2d");
    this.view = this.#paint(ctx, this.width, this.height, dpr, look, this.back);
    this.drawOver();
  }

  /** A picture of the chart at `scale`, for a snapshot. */
  compose({ scale: dpr = 2, background = null } = {}) {
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(this.width * dpr);
    canvas.height = Math.round(this.height * dpr);
    const ctx = canvas.getContext("2d");
    if (background) { ctx.fillStyle = background; ctx.fillRect(0, 0, canvas.width, canvas.height); }
    const film = document.createElement("canvas");
    fit(film, this.width, this.height, dpr);
    this.#paint(film.getContext("2d"), this.width, this.height, dpr, themeNow(), document.createElement("canvas"));
    ctx.drawImage(film, 0, 0);
    return canvas;
  }

  #paint(ctx, w, h, dpr, look, back) {
    const view = this.#view(w, h, dpr, look);
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.clearRect(0, 0, w, h);
    if (view.box.w < 20 || view.box.h < 10) return view;
    this.#ground(back, view, w, h);
    ctx.drawImage(back, 0, 0, w, h);
    const series = this.data.series.map((one) => ({ ...one, color: colorOf(one.color, look) }));
    for (const one of series) trace(ctx, view, one);
    guides(ctx, view);
    events(ctx, view);
    edgeLabels(ctx, view, lastsOf(series, view, this.options.format));
    if (this.data.note) emptyNote(ctx, view.box, this.data.note, look);
    return view;
  }

  /** Axes and what lies behind the traces, drawn anew only when it changed. */
  #ground(back, view, w, h) {
    const key = JSON.stringify([w, h, view.dpr, view.theme.dark, view.xRange, view.yRange, view.yLog, view.spans, view.bands, view.yLabel]);
    if (back.key === key) return;
    back.key = key;
    fit(back, w, h, view.dpr);
    const ctx = back.getContext("2d");
    ctx.setTransform(view.dpr, 0, 0, view.dpr, 0, 0);
    ctx.clearRect(0, 0, w, h);
    ground(ctx, view);
  }

  #view(w, h, dpr, look) {
    const { data, options, group } = this, log = this.log;
    const narrow = w < NARROW, left = narrow ? 50 : 58, right = options.right ?? (narrow ? 58 : 78);
    const box = { x: left, y: 6, w: w - left - right, h: h - 6 - 20 };
    const all = [0, data.xEnd ?? niceEnd(Math.max(0, ...data.series.map(({ x }) => x[x.length - 1] ?? 0)))];
    const xRange = group.zoom ?? all;
    const found = extent(data.series, xRange, log) ?? (log ? [0.1, 10] : [0, 1]);
    if (options.zero && !log) found[0] = Math.min(0, found[0]);
    for (const band of data.bands) if (band.shown) { found[0] = Math.min(found[0], band.y0); found[1] = Math.max(found[1], band.y1); }
    const yRange = options.range?.(found, log) ?? niceRange(found, log);
    return {
      ...data, box, dpr, theme: look, xRange, yRange, yLog: log, words: options.words && !narrow,
      xLabel: options.xLabel, yLabel: log ? `${options.yLabel}, log` : options.yLabel,
      X: scale(xRange, box.x, box.x + box.w), Y: scale(yRange, box.y + box.h, box.y, log),
      bands: data.bands.map((one) => ({ ...one, color: colorOf(one.color, look) })),
      spans: data.spans.map((one) => ({ ...one, color: colorOf(one.color, look) })),
    };
  }

  /** Whether the axis is logarithmic now; a function of the options decides from the data. */
  get log() {
    const { log } = this.options;
    return typeof log === "function" ? log(this.data) : log;
  }

  /** What follows the pointer: values at a step, or the stretch that a drag marks. */
  drawOver() {
    const { view, group } = this;
    if (!view || !this.visible) return;
    fit(this.over, this.width, this.height, view.dpr);
    const ctx = this.over.getContext("2d");
    ctx.setTransform(view.dpr, 0, 0, view.dpr, 0, 0);
    ctx.clearRect(0, 0, this.width, this.height);
    if (this.drag) this.#marked(ctx, view);
    else if (group.hover !== null && group.hover >= view.xRange[0] && group.hover <= view.xRange[1]) {
      const rows = this.valuesAt(group.hover);
      if (rows.length) readout(ctx, view, { x: group.hover, text: this.options.xText(group.hover) }, rows);
    }
  }

  #marked(ctx, { box, theme }) {
    const [a, b] = this.drag;
    ctx.fillStyle = theme.fg;
    ctx.globalAlpha = 0.15;
    ctx.fillRect(Math.min(a, b), box.y, Math.abs(b - a), box.h);
    ctx.globalAlpha = 1;
  }

  /** `{name, text, color, py}` of every series that has a value at step `x`. */
  valuesAt(x) {
    const { view, options } = this, reach = (view.xRange[1] - view.xRange[0]) / Math.max(1, view.box.w) * 6;
    return this.data.series.filter(({ quiet }) => !quiet).flatMap((one) => {
      const i = nearest(one, x);
      if (i < 0 || !Number.isFinite(one.y[i]) || Math.abs(one.x[i] - x) > Math.max(reach, 0.5)) return [];
      return [{ name: one.name, color: colorOf(one.color, view.theme), text: (one.format ?? options.format)(one.y[i]), py: view.Y(one.y[i]) }];
    });
  }

  /** What stands on the canvas: ranges, and of each series how many points and the newest. */
  drawn() {
    if (!this.view) return null;
    const { xRange, yRange, yLog, marks, spans, note } = this.view;
    const series = this.data.series.map(({ name, x, y }) => ({ name, n: y.length, last: lastOf({ x, y }) }));
    return { xRange, yRange, log: yLog, series, marks: marks.length, spans: spans.length, note };
  }
}

/** Index of the point nearest to `x` that has a value, near by; -1 where there is none. */
function nearest({ x, y }, at) {
  const i = lowerBound(x, y.length, at);
  const near = [i, i - 1, i + 1, i - 2].filter((k) => k >= 0 && k < y.length && Number.isFinite(y[k]));
  return near.length ? near.reduce((a, b) => (Math.abs(x[b] - at) < Math.abs(x[a] - at) ? b : a)) : -1;
}

/** `[x, y]` of the last finite point, or null. */
function lastOf({ x, y }) {
  for (let i = y.length - 1; i >= 0; i--) if (Number.isFinite(y[i])) return [x[i], y[i]];
  return null;
}

function lastsOf(series, view, format) {
  return series.filter(({ edge }) => edge !== false).flatMap((one) => {
    const last = lastOf(one);
    return last ? [{ value: last[1], text: (one.format ?? format)(last[1]), color: one.color, point: one.kind === "points" }] : [];
  });
}

function colorOf(color, look) { return Array.isArray(color) ? color[look.dark ? 1 : 0] : color; }

function canvasOf(host) {
  const canvas = document.createElement("canvas");
  canvas.className = "chart";
  canvas.setAttribute("aria-hidden", "true");
  host.append(canvas);
  return canvas;
}

/** Fit a canvas to `w` x `h` CSS pixels; one that fits is not touched. */
export function fit(canvas, w, h, dpr) {
  const pw = Math.round(w * dpr), ph = Math.round(h * dpr);
  if (canvas.width === pw && canvas.height === ph) return;
  canvas.width = pw;
  canvas.height = ph;
  canvas.style.width = `${w}px`;
  canvas.style.height = `${h}px`;
}
