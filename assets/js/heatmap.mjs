/**
 * A matrix as colours on a canvas of its own, with named rows and columns, a colour bar with both ends,
 * and the value under the pointer. Limits are given, never taken from what happens to be in view.
 */

import { CIVIDIS, CIVIDIS_STOPS, theme as themeNow } from "./colors.mjs";
import { fit } from "./chart.mjs";
import { num } from "./format.mjs";
import { colorBar, emptyNote, label, plate, upright, widthOf } from "./marks/paint.mjs";

const NOTHING = { rows: 0, cols: 0, values: [], note: "" };
const GAP = 4, LEAST_TEXT = 25;

export class Heatmap {
  /**
   * @param {HTMLElement} host takes the canvases; its size is the picture's
   * @param {{xLabel: string, yLabel: string, range: number[], unit?: string, lut?: Uint32Array, stops?: Array,
   *   format?: (v: number) => string, left?: number, numbers?: boolean, name?: string}} options
   *   `range`: value of the first and of the last colour; `numbers`: written into cells that have room
   */
  constructor(host, options) {
    this.options = { lut: CIVIDIS, stops: CIVIDIS_STOPS, unit: "", format: (v) => num(v, 3), left: 58, numbers: false, ...options };
    this.host = host;
    this.data = NOTHING;
    this.dirty = true;
    [this.film, this.over] = [0, 1].map(() => {
      const canvas = document.createElement("canvas");
      canvas.className = "chart";
      canvas.setAttribute("aria-hidden", "true");
      host.append(canvas);
      return canvas;
    });
    host.setAttribute("role", "img");
    host.setAttribute("aria-label", options.name ?? options.yLabel);
    host.classList.add("chart-host");
    this.cells = document.createElement("canvas");
    new ResizeObserver(() => { this.dirty = true; this.onResize?.(); }).observe(host);
    host.addEventListener("pointermove", (event) => this.#hover(event));
    host.addEventListener("pointerleave", () => this.#hover(null));
  }

  /**
   * What to draw from now on: `{rows, cols, values, rowNames?, colNames?, range?, blocks?, note?}`, values row
   * after row, row 0 at the top; `blocks`: `[{rows, text}]` parted by a line, each with its word.
   */
  set(data) {
    this.data = { ...NOTHING, ...data };
    this.dirty = true;
  }

  /** Draw what was set, where it can be seen; nothing when nothing changed. */
  draw() {
    const dpr = window.devicePixelRatio || 1, look = themeNow();
    const w = this.host.clientWidth, h = this.host.clientHeight;
    if (w < 40 || h < 30 || (!this.dirty && look.dark === this.dark)) return;
    this.dirty = false;
    this.dark = look.dark;
    fit(this.film, w, h, dpr);
    this.view = this.#paint(this.film.getContext("2d"), w, h, dpr, look);
    this.#drawOver();
  }

  /** A picture at `scale`, for a snapshot. */
  compose({ scale: dpr = 2, background = null } = {}) {
    const w = this.host.clientWidth, h = this.host.clientHeight, film = document.createElement("canvas");
    fit(film, w, h, dpr);
    this.#paint(film.getContext("2d"), w, h, dpr, themeNow());
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [film.width, film.height];
    const ctx = canvas.getContext("2d");
    if (background) { ctx.fillStyle = background; ctx.fillRect(0, 0, canvas.width, canvas.height); }
    ctx.drawImage(film, 0, 0);
    return canvas;
  }

  #paint(ctx, w, h, dpr, look) {
    const { options, data } = this, range = data.range ?? options.range;
    const box = { x: options.left, y: 6, w: w - options.left - 62, h: h - 6 - 20 };
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.clearRect(0, 0, w, h);
    if (data.note || !data.rows || !data.cols) {
      emptyNote(ctx, { x: 0, y: 0, w, h }, data.note || "nothing yet", look);
      return null;
    }
    this.#cells(range);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(this.cells, 0, 0, data.cols, data.rows, box.x, box.y, box.w, box.h);
    ctx.strokeStyle = look.line;
    ctx.strokeRect(box.x - 0.5, box.y - 0.5, box.w + 1, box.h + 1);
    if (options.numbers) this.#numbers(ctx, box, range);
    this.#rowNames(ctx, box, look);
    this.#colNames(ctx, box, look);
    this.#blocks(ctx, box, look);
    colorBar(ctx, { x: box.x + box.w + 8, y: box.y, h: box.h }, options.stops, [[0, options.format(range[0])], [1, options.format(range[1])]], options.unit, look);
    upright(ctx, options.yLabel, 8, box.y, box.h, look.muted);
    label(ctx, options.xLabel, box.x + box.w + 6, box.y + box.h + 12, look.muted);
    return { box };
  }

  #cells([lo, hi]) {
    const { rows, cols, values } = this.data, { lut } = this.options;
    this.cells.width = cols;
    this.cells.height = rows;
    const image = new ImageData(cols, rows), words = new Uint32Array(image.data.buffer);
    for (let i = 0; i < rows * cols; i++) {
      const share = (values[i] - lo) / (hi - lo);
      words[i] = Number.isNaN(share) ? 0 : lut[Math.min(255, Math.max(0, Math.round(share * 255)))];
    }
    this.cells.getContext("2d").putImageData(image, 0, 0);
  }

  #numbers(ctx, box, [lo, hi]) {
    const { rows, cols, values } = this.data, cw = box.w / cols, ch = box.h / rows;
    if (cw < LEAST_TEXT || ch < 13) return;
    for (let i = 0; i < rows * cols; i++) {
      const x = box.x + (i % cols + 0.5) * cw, y = box.y + (Math.floor(i / cols) + 0.5) * ch;
      if (Number.isFinite(values[i])) label(ctx, this.options.format(values[i]), x, y, this.#inkOn((values[i] - lo) / (hi - lo)), "center");
    }
  }

  /** Black or white, whichever is told better from the colour at `share` of the limits. */
  #inkOn(share) {
    const word = this.options.lut[Math.min(255, Math.max(0, Math.round(share * 255)))];
    const light = 0.299 * (word & 255) + 0.587 * (word >> 8 & 255) + 0.114 * (word >> 16 & 255);
    return light > 140 ? "#000000" : "#FFFFFF";
  }

  #rowNames(ctx, box, look) {
    const { rows, rowNames } = this.data, h = box.h / rows;
    let free = -Infinity;
    for (let r = 0; r < rows; r++) {
      const text = rowNames?.[r] ?? String(r), y = box.y + (r + 0.5) * h;
      const wanted = rowNames || r % Math.max(1, Math.ceil(rows / 6)) === 0;
      if (!wanted || y - 7 < free) continue;
      free = y + 7;
      label(ctx, text, box.x - 5, y, look.fg, "right");
    }
  }

  #colNames(ctx, box, look) {
    const { cols, colNames } = this.data, w = box.w / cols, y = box.y + box.h + 12;
    let free = box.x - 20;
    for (let c = 0; c < cols; c++) {
      const text = colNames?.[c] ?? String(c);
      const half = widthOf(ctx, text) / 2, x = box.x + (c + 0.5) * w;
      if (x - half < free || x + half > box.x + box.w + 4) continue;
      free = x + half + (colNames ? GAP : 24);
      label(ctx, text, x, y, look.fg, "center");
    }
  }

  #blocks(ctx, box, look) {
    let row = 0;
    const { blocks = [], rows } = this.data;
    for (const block of blocks) {
      const y = box.y + row / rows * box.h;
      if (row) { ctx.fillStyle = look.bg; ctx.fillRect(box.x, y - 1, box.w, 2); }
      plate(ctx, block.text, box.x + 2, y + 9, look.fg, look.bg);
      row += block.rows;
    }
  }

  #hover(event) {
    this.at = null;
    const { view, data } = this;
    if (event && view && data.rows) {
      const rect = this.host.getBoundingClientRect(), { box } = view;
      const c = Math.floor((event.clientX - rect.left - box.x) / box.w * data.cols);
      const r = Math.floor((event.clientY - rect.top - box.y) / box.h * data.rows);
      if (c >= 0 && r >= 0 && c < data.cols && r < data.rows) this.at = { r, c };
    }
    this.#drawOver();
  }

  #drawOver() {
    const dpr = window.devicePixelRatio || 1, w = this.host.clientWidth, h = this.host.clientHeight;
    fit(this.over, w, h, dpr);
    const ctx = this.over.getContext("2d"), look = themeNow();
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.clearRect(0, 0, w, h);
    const { at, data, view } = this;
    if (!at || !view || at.r >= data.rows || at.c >= data.cols) return;
    const value = data.values[at.r * data.cols + at.c];
    const text = `${data.rowText?.(at.r) ?? data.rowNames?.[at.r] ?? at.r} · ${data.colText?.(at.c) ?? data.colNames?.[at.c] ?? at.c}: ${this.options.format(value)}`;
    const { box } = view, cw = box.w / data.cols, ch = box.h / data.rows;
    ctx.strokeStyle = look.fg;
    ctx.strokeRect(box.x + at.c * cw, box.y + at.r * ch, cw, ch);
    const right = at.c > data.cols / 2;
    plate(ctx, text, right ? box.x + at.c * cw - 4 : box.x + (at.c + 1) * cw + 4, Math.max(box.y + 9, box.y + at.r * ch), look.fg, look.bg, right ? "right" : "left");
  }

  /** What stands on the canvas: its size in cells, limits and sum. */
  drawn() {
    const { rows, cols, values, note, range = this.options.range } = this.data;
    let sum = 0;
    for (const v of values) if (Number.isFinite(v)) sum += v;
    return { rows, cols, range, sum, note };
  }
}
