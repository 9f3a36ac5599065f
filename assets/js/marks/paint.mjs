/** Drawing helpers that every mark uses: pixels, text, time ticks, event lines. */

/** Pixels on and off of a dashed line. */
export const DASH = [5, 3];
export const FONT = "12px Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** A reusable pixel buffer of `w` x `h` device pixels, cleared. */
export class Pixels {
  /** @returns {Uint32Array} RGBA little-endian, row after row */
  open(w, h) {
    if (!this.image || this.image.width !== w || this.image.height !== h) {
      this.image = new ImageData(w, h);
      this.data = new Uint32Array(this.image.data.buffer);
    } else {
      this.data.fill(0);
    }
    return this.data;
  }

  /** Put the buffer at CSS position (x, y) of `ctx`, whose scale is `dpr`. */
  put(ctx, x, y, dpr) {
    ctx.putImageData(this.image, Math.round(x * dpr), Math.round(y * dpr));
  }
}

/** What `draw` draws lies behind what is on the canvas already. */
export function behind(ctx, draw) {
  ctx.globalCompositeOperation = "destination-over";
  draw();
  ctx.globalCompositeOperation = "source-over";
}

/** Size of a box in device pixels. */
export function devicePixels(box, dpr) {
  return [Math.max(1, Math.round(box.w * dpr)), Math.max(1, Math.round(box.h * dpr))];
}

/** `#RRGGBB` as a little-endian RGBA word. */
export function word(hex) {
  const n = parseInt(hex.slice(1), 16);
  return (255 << 24 | (n & 255) << 16 | (n >> 8 & 255) << 8 | n >> 16) >>> 0;
}

const WIDTHS_KEPT = 2000;
const widths = new Map();

/** Width of `text` in FONT, in CSS pixels; asked for once, since the same words come frame after frame. */
export function widthOf(ctx, text) {
  let width = widths.get(text);
  if (width === undefined) {
    ctx.font = FONT;
    width = ctx.measureText(text).width;
    if (widths.size >= WIDTHS_KEPT) widths.clear();
    widths.set(text, width);
  }
  return width;
}

/** One line of text; `align` left, center or right. */
export function label(ctx, text, x, y, color, align = "left", baseline = "middle") {
  ctx.font = FONT;
  ctx.fillStyle = color;
  ctx.textAlign = align;
  ctx.textBaseline = baseline;
  ctx.fillText(text, x, y);
}

/** Text on a plate of the background's colour, so that it stays legible over marks. */
export function plate(ctx, text, x, y, color, ground, align = "left") {
  const w = widthOf(ctx, text) + 6;
  const left = align === "right" ? x - w : align === "center" ? x - w / 2 : x;
  ctx.globalAlpha = 0.86;
  ctx.fillStyle = ground;
  ctx.fillRect(left, y - 7.5, w, 15);
  ctx.globalAlpha = 1;
  label(ctx, text, left + 3, y + 0.5, color);
  return w;
}

/** A message in the middle of `box`, wrapped at `·` and where it is too long. */
export function emptyNote(ctx, box, text, theme) {
  const lines = text.split(" · ").flatMap((part) => wrapped(ctx, part, box.w - 12));
  lines.forEach((line, i) => plate(ctx, line, box.x + box.w / 2,
    box.y + box.h / 2 + (i - (lines.length - 1) / 2) * 17, theme.fg, theme.bg, "center"));
}

/** `text` broken at spaces into lines no wider than `width`, where words allow it. */
export function wrapped(ctx, text, width) {
  const lines = [];
  for (const next of text.split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${next}` : next;
    if (lines.length && widthOf(ctx, longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(next);
  }
  return lines;
}

/** Round tick positions between `lo` and `hi`, about `n` of them on an axis of length `span`. */
export function ticks(lo, hi, n = 5, span = hi - lo) {
  const raw = span / Math.max(1, n);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) ?? raw;
  const out = [];
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + 1e-9; k++) out.push(k * step);
  return out;
}

/** `12345` as `12,345`. */
export function grouped(value) {
  let rest = String(Math.round(Math.abs(value))), text = "";
  for (; rest.length > 3; rest = rest.slice(0, -3)) text = `,${rest.slice(-3)}${text}`;
  return `${Math.round(value) < 0 ? "-" : ""}${rest}${text}`;
}

/** `279582` as `280k`, `43198265` as `43.2M`. */
export function compact(value) {
  const units = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];
  const unit = units.find(([size]) => Math.abs(value) >= size);
  return unit ? `${Number((value / unit[0]).toPrecision(3))}${unit[1]}` : String(Math.round(value));
}

/** How many numbers a time axis as wide as `box` has room for, by the length of its last one. */
export function ticksAcross(box, t1_ms) {
  return Math.max(2, Math.floor(box.w / (6.3 * grouped(t1_ms).length + 11)));
}

/** Labels and tick marks of the shared time axis, in simulated ms; no label leaves the axis. */
export function timeAxis(ctx, box, scene) {
  const { t0_ms, t1_ms, theme } = scene;
  const bottom = box.y + box.h, edge = box.x + box.w;
  for (const t of ticks(Math.max(0, t0_ms), t1_ms, ticksAcross(box, t1_ms), t1_ms - t0_ms)) {
    const x = box.x + (t - t0_ms) / (t1_ms - t0_ms) * box.w;
    ctx.fillStyle = theme.line;
    ctx.fillRect(Math.round(x), bottom, 1, 5);
    const text = grouped(t), half = widthOf(ctx, text) / 2;
    if (x - half < box.x || x + half > edge) continue;
    label(ctx, text, x, bottom + 13, theme.fg, "center");
  }
  label(ctx, scene.unit.axis, box.x + box.w + 2, bottom + 13, theme.muted);
}

/** Faint vertical grid lines at the time ticks. */
export function timeGrid(ctx, box, scene) {
  const { t0_ms, t1_ms, theme } = scene;
  ctx.fillStyle = theme.grid;
  for (const t of ticks(Math.max(0, t0_ms), t1_ms, ticksAcross(box, t1_ms), t1_ms - t0_ms)) {
    ctx.fillRect(Math.round(box.x + (t - t0_ms) / (t1_ms - t0_ms) * box.w), box.y, 1, box.h);
  }
}

/** A vertical colour bar with its ends written out. */
export function colorBar(ctx, { x, y, h }, stops, marks, title, theme) {
  const w = 10;
  const gradient = ctx.createLinearGradient(0, y + h, 0, y);
  for (const [at, color] of stops) gradient.addColorStop(at, color);
  ctx.fillStyle = gradient;
  ctx.fillRect(x, y, w, h);
  for (const [at, text] of marks) {
    const ty = y + h - at * h;
    label(ctx, text, x + w + 4, Math.min(y + h - 6, Math.max(y + 6, ty)), theme.fg);
  }
  upright(ctx, title, x + w + 34, y, h, theme.muted);
}

/** Text turned to run upwards, centred on [y, y + h]; left out where it does not fit. */
export function upright(ctx, text, x, y, h, color) {
  if (widthOf(ctx, text) > h) return;
  ctx.save();
  ctx.translate(x, y + h / 2);
  ctx.rotate(-Math.PI / 2);
  label(ctx, text, 0, 0, color, "center");
  ctx.restore();
}

/** `fn(px, s0, s1)` for each pixel column of a window of steps; [s0, s1) holds at least one step. */
export function eachColumn(scene, columns, fn) {
  const { store, t0, t1 } = scene;
  const per = (t1 - t0) / columns;
  for (let c = 0; c < columns; c++) {
    const a = Math.floor(t0 + c * per);
    const b = Math.max(a + 1, Math.floor(t0 + (c + 1) * per));
    if (b <= store.step0 || a >= store.step1 || a < 0) continue;
    fn(c, Math.max(a, store.step0), Math.min(b, store.step1));
  }
}
