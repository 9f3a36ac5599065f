/** The weights of a block one by one: pre -> column, post -> row, at fixed limits about 0. */

import { DIVERGING_STOPS, lookup } from "../colors.mjs";
import { num } from "../format.mjs";
import { Pixels, colorBar, devicePixels, emptyNote, grouped, label, plate } from "./paint.mjs";

const ZERO = 128, W_LOW = -1, HEADING_UP = 9;
const COLORS = lookup(DIVERGING_STOPS);
const pixels = new Pixels();
const EVERY = 1000;

/** Weight of each byte of a matrix: 128 is 0, 255 is `w_hi`, 0 is -1. */
export function weightTable(w_hi) {
  return Float32Array.from({ length: 256 }, (_, byte) =>
    (byte > ZERO ? (byte - ZERO) * w_hi / (255 - ZERO) : (ZERO - byte) * W_LOW / ZERO));
}

/** Axes of the matrix: neurons of the block, the first at the left and on top. */
export function layout(scene) {
  const { n } = groupOf(scene);
  return {
    xaxis: { range: [-0.5, n - 0.5], showgrid: false, fixedrange: false, title: { text: "Pre: column (neuron of the block)" } },
    yaxis: { range: [n - 0.5, -0.5], showgrid: false, fixedrange: true, domain: [0, 0.93], nticks: 6, title: { text: "Post: row (neuron)" } },
  };
}

/** The stage whose recurrent weights are shown: its neurons, and how many of them excite. */
export function groupOf({ store, groups }) {
  const blocks = [...new Set(groups.map(({ block }) => block).filter((block) => block !== null))];
  const block = blocks[store.meta?.weights_block ?? 0];
  return groups.find((group) => group.block === block) ?? { n: 256, n_exc: 256 };
}

/** The newest matrix at the end of the scene with what is needed to read it, or null. */
function reading(scene) {
  const matrix = scene.store.matrixAt(scene.step1);
  if (!matrix) return null;
  const { n, n_exc } = groupOf(scene);
  return { ...matrix, n, n_exc, side: Math.ceil(n / matrix.cells), table: weightTable(matrix.w_hi), top: Math.max(-W_LOW, matrix.w_hi) };
}

/** Draws the matrix; returns what is shown, as `drawn` tells it. */
export function draw(ctx, scene) {
  const { box, theme } = scene, read = reading(scene);
  const block = scene.store.meta?.weights_block ?? 0;
  if (!read) {
    emptyNote(ctx, box, `the matrix is sampled ${scene.unit.every(EVERY)} · waiting for the next sample`, theme);
    return { view: "matrix", block, step: null };
  }
  paint(ctx, scene, read);
  if (read.n_exc < read.n) boundary(ctx, box, theme, read);
  const { step, cells, side, w_hi } = read;
  return { view: "matrix", block, step, cells, side, w_hi, get sum() { return total(read); } };
}

/** Sum of all weights shown. */
function total({ data, table }) {
  let sum = 0;
  for (const byte of data) sum += table[byte];
  return sum;
}

/** Every cell at its place; where a pixel holds several, their mean. */
function paint(ctx, { box, dpr }, { data, cells, n, side, table, top }) {
  const [w, h] = devicePixels(box, dpr), words = pixels.open(w, h);
  const [columns, rows] = [spans(w, n, side, cells), spans(h, n, side, cells)];
  for (let y = 0; y < h; y++) {
    const y0 = rows[2 * y], y1 = rows[2 * y + 1];
    for (let x = 0; x < w; x++) {
      const x0 = columns[2 * x], x1 = columns[2 * x + 1];
      let sum = 0;
      for (let pre = x0; pre < x1; pre++) for (let post = y0; post < y1; post++) sum += table[data[pre * cells + post]];
      const mean = sum / ((x1 - x0) * (y1 - y0));
      words[y * w + x] = COLORS[Math.round((mean / top + 1) * 127.5)];
    }
  }
  pixels.put(ctx, box.x, box.y, dpr);
}

/** First cell and the one after the last under each of `length` pixels, at least one. */
function spans(length, n, side, cells) {
  const out = new Int32Array(2 * length);
  for (let p = 0; p < length; p++) {
    const a = Math.min(cells - 1, Math.floor(p / length * n / side));
    out[2 * p] = a;
    out[2 * p + 1] = Math.min(cells, Math.max(a + 1, Math.floor((p + 1) / length * n / side)));
  }
  return out;
}

/** Where the columns of inhibitory neurons begin. */
function boundary(ctx, box, theme, { n, n_exc }) {
  const x = Math.round(box.x + n_exc / n * box.w) + 0.5;
  ctx.strokeStyle = "#1A1B1E";
  ctx.lineWidth = 1;
  ctx.setLineDash([5, 3]);
  ctx.beginPath();
  ctx.moveTo(x, box.y);
  ctx.lineTo(x, box.y + box.h);
  ctx.stroke();
  ctx.setLineDash([]);
}

/** Colour bar, the names of the two parts, and when it was sampled. */
export function labels(ctx, scene) {
  const { box, theme } = scene, read = reading(scene);
  const top = read?.top ?? 1;
  colorBar(ctx, { x: box.x + box.w + 8, y: box.y, h: box.h }, DIVERGING_STOPS,
    [[0, num(-top, 3)], [0.5, "0"], [1, num(top, 3)]], "weight w (1)", theme);
  if (!read) return;
  const y = box.y - HEADING_UP;
  plate(ctx, `sampled at ${grouped(read.step * scene.dt)} ms`, box.x, y, theme.fg, theme.bg);
  if (read.n_exc < read.n) label(ctx, "inhibitory", box.x + box.w, y, theme.fg, "right");
}

/** The line under the panel. */
export function foot(scene) {
  const read = reading(scene), { store, box, dpr } = scene;
  const which = `block ${store.meta?.weights_block ?? 0} of ${store.L}`;
  if (!read) return `${which} · weight matrix, ${scene.unit.every(EVERY)} · none sampled yet`;
  const [w, h] = devicePixels(box, dpr);
  const cell = read.side > 1 ? ` · cell: mean of ${read.side} x ${read.side}` : "";
  const small = Math.min(w, h) < read.cells ? ` · pixel: mean of its ${read.side > 1 ? "cells" : "weights"}` : "";
  return `${which} · pre → column, post → row${cell}${small} · ${scene.unit.every(EVERY)} · limits ±${num(read.top, 3)}`;
}

/** What lies under a place of the plot (CSS pixels), in words; null outside. */
export function at(scene, x, y) {
  const { box } = scene, read = reading(scene);
  if (!read || x < box.x || y < box.y || x >= box.x + box.w || y >= box.y + box.h) return null;
  const { n, side, cells, data, table } = read;
  const pre = Math.floor((x - box.x) / box.w * n), post = Math.floor((y - box.y) / box.h * n);
  const w = table[data[Math.floor(pre / side) * cells + Math.floor(post / side)]];
  if (side > 1) return `pre ${range(pre, side, n)} → post ${range(post, side, n)}: mean w ${w.toFixed(3)}`;
  return pre === post ? `neuron ${pre}: no connection to itself` : `pre ${pre} → post ${post}: w ${w.toFixed(3)}`;
}

function range(i, side, n) {
  const first = Math.floor(i / side) * side;
  return `${first}–${Math.min(n, first + side) - 1}`;
}
