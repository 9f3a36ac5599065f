/** Spike attention head by head: key time x query time, each row the weights of one query. */

import { CIVIDIS_STOPS } from "../colors.mjs";
import { colorBar, emptyNote, grouped, label, ticks, ticksAcross, upright, widthOf, word } from "./paint.mjs";

const KEYS = 64, REACH = 2 * KEYS - 1, FULL = 255, EVERY = 1000;
/** Between two columns, a share of the plot as in the figure; px over each picture, and above and below all. */
const GAP = 0.02, HEADING = 18, AROUND = 44;
const NARROW = 520, NARROW_COLUMNS = 2, BESIDE = 146;
const film = { canvas: null, image: null, words: null };

/** Pictures a row: as in the figure, two where the panel is narrow. */
function columnsOf(heads, width = Infinity) {
  const wide = heads <= 2 ? heads : heads <= 8 ? 4 : Math.ceil(Math.sqrt(2 * heads));
  return width < NARROW ? Math.min(NARROW_COLUMNS, heads) : wide;
}

function axisName(name, h) { return h ? `${name}${h + 1}` : name; }

/** Domains [x, y] of the picture of each head, the first at the upper left; `heading` is a share too. */
function tiles(heads, columns, heading) {
  const width = (1 + GAP) / columns, height = 1 / Math.ceil(heads / columns);
  return Array.from({ length: heads }, (_, h) => {
    const left = h % columns * width, top = 1 - Math.floor(h / columns) * height;
    return [[left, left + width - GAP], [Math.max(0, top - height), top - heading]];
  });
}

/**
 * A pair of axes for each head: keys to the right, queries downwards; `size` is the panel's. On the film
 * they count ms from the last query, so that they stay as samples come, and have their numbers drawn;
 * `traces` have them of their own.
 */
export function layout(scene, size, traces = false) {
  const sample = scene.store.headsAt(scene.step1);
  if (!sample) return hidden();
  const { heads, step } = sample, columns = columnsOf(heads, size.width), wide = (size.width - BESIDE) / columns;
  const last = ((traces ? step : 0) + 0.5) * scene.dt;
  const common = {
    fixedrange: true, showgrid: false, title: { text: "" }, tickformat: ",~r", ticklabeloverflow: "hide past domain",
    ...(traces ? {} : { showticklabels: false, ticks: "" }),
  };
  const axes = {};
  tiles(heads, columns, HEADING / (size.height - AROUND)).forEach(([across, up], h) => {
    axes[axisName("xaxis", h)] = {
      ...common, domain: across, anchor: axisName("y", h), range: [last - REACH * scene.dt, last],
      nticks: ticksAcross({ w: wide }, step * scene.dt) + 1,
      ...(traces ? { showticklabels: hasFoot(h, heads, columns) } : {}),
    };
    axes[axisName("yaxis", h)] = {
      ...common, domain: up, anchor: axisName("x", h), range: [last, last - KEYS * scene.dt], nticks: 4,
      ...(traces ? { showticklabels: h % columns === 0 } : {}),
    };
  });
  return axes;
}

/** Whether no picture stands below that of head `h`. */
function hasFoot(h, heads, columns) { return h + columns >= heads; }

/** Until there is a sample. */
function hidden() {
  const axis = { range: [0, 1], fixedrange: true, showgrid: false, showticklabels: false, ticks: "", title: { text: "" } };
  return { xaxis: axis, yaxis: { ...axis } };
}

/** What the axes of the film change with. */
export function axesKey(scene) { return `heads|${scene.store.headsAt(scene.step1)?.heads}`; }

/** What the picture changes with. */
export function key(scene) {
  const sample = scene.store.headsAt(scene.step1);
  return `heads|${scene.store.epoch}|${sample?.step}|${sample?.block}`;
}

/** Where the picture of each head stands; none until Plotly has made the axes. */
function places(scene, { heads }) {
  const boxes = Array.from({ length: heads }, (_, h) => scene.boxOf(axisName("yaxis", h), axisName("xaxis", h)));
  return boxes.every(Boolean) ? boxes : [];
}

/** Draws every head; returns what is shown, as `drawn` tells it. */
export function draw(ctx, scene, shades) {
  const sample = scene.store.headsAt(scene.step1), block = scene.store.meta?.attention_block ?? 0;
  if (!sample) {
    emptyNote(ctx, scene.box, `every head is sampled ${scene.unit.every(EVERY)} · waiting for the next sample`, scene.theme);
    return { view: "matrix", block, step: null };
  }
  const kept = recorded(sample), boxes = places(scene, sample);
  boxes.forEach((box, h) => {
    picture(ctx, box, sample, h, kept, shades, word(scene.theme.line));
    numbers(ctx, box, boxes, scene, sample);
  });
  const { step, heads, data } = sample;
  return {
    view: "matrix", block, step, heads, queries: kept.filter(Boolean).length,
    get sum() { return data.reduce((sum, v) => sum + v, 0); },
  };
}

/** Numbers of the axes: below where no picture stands under it, and left of the first column. */
function numbers(ctx, box, boxes, { dt, theme }, { step }) {
  const last = (step + 0.5) * dt, from_x = last - REACH * dt, from_y = last - KEYS * dt, bottom = box.y + box.h;
  if (!boxes.some(({ x, y }) => x === box.x && y > box.y)) {
    let free = box.x;
    for (const t of ticks(Math.max(0, from_x), last, Math.max(3, ticksAcross(box, last)), last - from_x)) {
      const x = box.x + (t - from_x) / (last - from_x) * box.w, text = grouped(t), half = widthOf(ctx, text) / 2;
      if (x - half < free || x + half > box.x + box.w) continue;
      free = x + half + 6;
      ctx.fillStyle = theme.line;
      ctx.fillRect(Math.round(x), bottom, 1, 5);
      label(ctx, text, x, bottom + 13, theme.fg, "center");
    }
  }
  if (boxes.some(({ x }) => x < box.x)) return;
  for (const t of ticks(Math.max(0, from_y), last, Math.max(2, Math.floor(box.h / 20)), last - from_y)) {
    const y = box.y + (t - from_y) / (last - from_y) * box.h;
    if (y - 6 < box.y || y + 6 > bottom) continue;
    ctx.fillStyle = theme.line;
    ctx.fillRect(box.x - 5, Math.round(y), 5, 1);
    label(ctx, grouped(t), box.x - 8, y, theme.fg, "right");
  }
}

/** Which queries of a sample were recorded: a row of weights sums to 255. */
function recorded({ data }) {
  return Array.from({ length: KEYS }, (_, q) => {
    for (let k = 0; k < KEYS; k++) if (data[q * KEYS + k]) return true;
    return false;
  });
}

/** One pixel a weight, stretched over the box; keys yet to come in a shade of their own. */
function picture(ctx, box, { data, step }, h, kept, shades, future) {
  const words = open();
  for (let q = 0; q < KEYS; q++) {
    const oldest = step - (KEYS - 1 - q) - (KEYS - 1), at = (h * KEYS + q) * KEYS, row = q * REACH;
    for (let k = Math.max(0, -oldest); kept[q] && k < KEYS; k++) words[row + q + k] = shades[data[at + k]];
    words.fill(future, row + q + KEYS, row + REACH);
  }
  film.canvas.getContext("2d").putImageData(film.image, 0, 0);
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(film.canvas, box.x, box.y, box.w, box.h);
}

function open() {
  if (!film.canvas) {
    film.canvas = document.createElement("canvas");
    film.canvas.width = REACH;
    film.canvas.height = KEYS;
    film.image = new ImageData(REACH, KEYS);
    film.words = new Uint32Array(film.image.data.buffer);
  }
  return film.words.fill(0);
}

/** Names of heads and axes, and the colour bar. */
export function labels(ctx, scene, marks) {
  const sample = scene.store.headsAt(scene.step1), { theme } = scene;
  if (!sample) return;
  const boxes = places(scene, sample);
  if (!boxes.length) return;
  boxes.forEach((box, h) => label(ctx, `head ${h + 1} of ${sample.heads}`, box.x, box.y - 9, theme.fg));
  const left = boxes[0].x, right = Math.max(...boxes.map((box) => box.x + box.w));
  const top = boxes[0].y, bottom = Math.max(...boxes.map((box) => box.y + box.h));
  label(ctx, "Key time (ms)", (left + right) / 2, bottom + 29, theme.muted, "center");
  upright(ctx, "Query time (ms)", 8, top, bottom - top, theme.muted);
  colorBar(ctx, { x: right + 8, y: top, h: bottom - top }, CIVIDIS_STOPS, marks, "weight", theme);
}

/** The line under the panel. */
export function foot(scene) {
  const sample = scene.store.headsAt(scene.step1), which = `block ${scene.store.meta?.attention_block ?? 0}`;
  if (!sample) return `${which} · head by head, ${scene.unit.every(EVERY)} · none sampled yet`;
  const kept = recorded(sample).filter(Boolean).length, heads = `${sample.heads} head${sample.heads > 1 ? "s" : ""}`;
  return `${which} · ${heads} · ${kept === KEYS ? "" : `${kept} of `}${KEYS} queries up to ${grouped(sample.step * scene.dt)} ms`
    + ` over their last ${KEYS} keys · a row sums to 1 · grey: keys yet to come · colours 1/255 to 1, logarithmic · ${scene.unit.every(EVERY)}`;
}

/** What lies under a place of the plot (CSS pixels), in words; null outside. */
export function at(scene, x, y) {
  const sample = scene.store.headsAt(scene.step1);
  const boxes = sample ? places(scene, sample) : [];
  const h = boxes.findIndex((box) => x >= box.x && y >= box.y && x < box.x + box.w && y < box.y + box.h);
  if (h >= 0) {
    const box = boxes[h], q = Math.floor((y - box.y) / box.h * KEYS), s = Math.floor((x - box.x) / box.w * REACH);
    return told(sample, h, q, s, scene.dt);
  }
  return null;
}

/** The weight of one query and key in words. */
function told({ data, step, heads }, h, q, s, dt) {
  const query = step - (KEYS - 1 - q), key = step - (REACH - 1 - s), k = s - q;
  const where = `head ${h + 1} of ${heads}: query ${grouped(query * dt)} ms`;
  if (k >= KEYS) return `${where}: key ${grouped(key * dt)} ms is yet to come`;
  if (k < 0 || key < 0) return `${where}: key ${grouped(key * dt)} ms is out of its sight`;
  const weight = data[(h * KEYS + q) * KEYS + k] / FULL;
  return `${where} → key ${grouped(key * dt)} ms (${(query - key) * dt} ms ago): ${weight.toFixed(3)}`;
}
