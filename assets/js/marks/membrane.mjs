/** Membrane traces: u before the reset (of a script's layer: as it gives it), stacked, each with its threshold as a dashed step. */

import { groupColor } from "../colors.mjs";
import { eventLines } from "./events.mjs";
import { Lines } from "./lines.mjs";
import {
  DASH, Pixels, behind, devicePixels, eachColumn, emptyNote, grouped, label, timeAxis, timeGrid,
  word,
} from "./paint.mjs";

const MAX_TRACES = 8;
const BASE = 0.4, THETAS = 2.5;
const MARK_GAP_PX = 7;
const TRACE_PX = 1.4, DOT_PX = 3;
const OURS = "u before reset";
const UNRECORDED = "not recorded in this window";
const pixels = new Pixels(), lines = new Lines();
let shown = { neurons: [], row: THETAS, outside: 0, clamped: 0, unrecorded: [] };

export const mark = {
  slug: "membrane",
  time: true,
  lanes: true,
  margin: { l: 196, r: 60 },

  layout: () => ({
    yaxis: { range: [0, 1], showticklabels: false, ticks: "", showgrid: false, fixedrange: true,
      title: { text: "" } },
  }),

  draw(ctx, scene) {
    const { box, store, dpr } = scene;
    const neurons = store.membrane.slice(0, MAX_TRACES);
    shown = { neurons, unrecorded: [], step0: scene.step0, step1: scene.step1, min: Infinity, max: -Infinity,
      sum: 0, n: 0, theta_last: [], outside: 0, clamped: clampedCount(scene),
      row: rowScale(scene.whole, [...new Set(neurons.map((id) => scene.groupOf(id)))]) };
    const [w, h] = devicePixels(box, dpr), laneH = h / Math.max(1, neurons.length);
    lines.open(pixels.open(w, h), w, h, scene.dpr);
    const beyond = neurons.map((id, k) => trace(scene, id, k, { top: k * laneH, bottom: (k + 1) * laneH }));
    pixels.put(ctx, box.x, box.y, dpr);
    behind(ctx, () => {
      ground(ctx, scene, neurons.length);
      timeGrid(ctx, box, scene);
    });
    triangles(ctx, scene, beyond);
    eventLines(ctx, box, scene, mark);
    timeAxis(ctx, box, scene);
    if (!neurons.length) emptyNote(ctx, box, "no neuron watched · click a raster row", scene.theme);
    else if (!shown.n) emptyNote(ctx, box, "waiting for the first samples of these neurons", scene.theme);
  },

  labels(ctx, scene) {
    const { box, theme, store } = scene;
    const neurons = store.membrane.slice(0, MAX_TRACES);
    const laneH = box.h / Math.max(1, neurons.length);
    neurons.forEach((id, k) => {
      const g = scene.groupOf(id);
      const y = box.y + (k + 0.5) * laneH;
      const name = box.x > 120 ? scene.neuronName(id) : scene.groups[g]?.short ?? "";
      ctx.fillStyle = groupColor(scene.groups[g], theme.dark);
      ctx.fillRect(box.x - 10, y - laneH / 2 + 2, 4, laneH - 4);
      label(ctx, name, box.x - 14, y - (laneH > 30 ? 8 : 0), theme.fg, "right");
      if (laneH > 30) label(ctx, id === scene.view.watched ? "selected" : `id ${id}`, box.x - 14, y + 8, theme.muted, "right");
      if (shown.unrecorded.includes(k)) label(ctx, UNRECORDED, box.x + 8, y, theme.muted);
      const theta = shown.theta_last[k];
      if (Number.isFinite(theta)) {
        label(ctx, `θ ${theta.toFixed(2)}`, box.x + box.w + 5, laneY(theta, box.y + k * laneH, laneH), theme.alert);
        const zero = laneY(0, box.y + k * laneH, laneH);
        if (laneH > 34) label(ctx, "0", box.x + box.w + 5, zero, theme.muted);
      }
    });
  },

  foot: ({ membranes = OURS }) => [
    `${membranes}, each lane ${lane(shown.row)}`, "dashed: θ", membranes === OURS ? "dot: spike" : "dot: at θ or above",
    ...(shown.outside ? [`▴▾ ${grouped(shown.outside)} samples beyond`] : []),
    ...(shown.clamped ? [`${grouped(shown.clamped)} clamped at ±u_max`] : []),
  ].join(" · "),

  drawn: () => shown,
};

/** The values at a lane's lower and upper edge, as text. */
function lane(row) {
  return `${num(-BASE * row)} to ${num((1 - BASE) * row)}`;
}

function num(v) { return String(Number(v.toFixed(4))).replace("-", "−"); }

/** Height of `value` in its own lane; beyond the lane's edges it stays at the edge. */
function laneY(value, top, laneH) {
  return top + laneH * Math.min(1, Math.max(0, 1 - BASE - value / shown.row));
}

/** One scale for all lanes: 2.5 thresholds, the highest in view, rounded up to a quarter. */
function rowScale(scene, stages) {
  const { store } = scene;
  let highest = 0;
  for (let step = scene.step0; step < scene.step1; step += 1) {
    const at = (step % store.capacity) * store.G;
    for (const g of stages) if (store.theta[at + g] > highest) highest = store.theta[at + g];
  }
  return highest > 0 ? Math.ceil(THETAS * highest * 4) / 4 : THETAS;
}

/** Membranes of all stages that were held at ±u_max in the window, counted once a step. */
function clampedCount({ store, step0, step1 }) {
  let n = 0;
  for (let step = step0; step < step1; step++) {
    const at = (step % store.capacity) * store.G;
    for (let g = 0; g < store.G; g++) n += store.clamped?.[at + g] ?? 0;
  }
  return n;
}

/** Lines between the lanes and at 0. */
function ground(ctx, { box, theme }, n) {
  ctx.fillStyle = theme.grid;
  for (let k = 0; k < n; k++) {
    const top = box.y + k * box.h / n;
    ctx.fillRect(box.x, Math.round(laneY(0, top, box.h / n)), box.w, 1);
    if (k) ctx.fillRect(box.x, Math.round(top), box.w, 1);
  }
}

/** Lane `k` into the pixels; returns where samples lie beyond it, `[above, below]` in CSS pixels. */
function trace(scene, id, k, lane) {
  const { store, box, theme, t0, span, dpr } = scene;
  const g = scene.groupOf(id), color = word(groupColor(scene.groups[g], theme.dark));
  const { top, bottom } = lane, laneH = bottom - top, wide = lines.w / span;
  const spikes = [], above = [], below = [], before = shown.n;
  const lowest = -BASE * shown.row, highest = (1 - BASE) * shown.row;
  lines.begin();
  eachColumn(scene, Math.max(1, Math.floor(Math.min(box.w, span))), (c, s0, s1) => {
    let lo = Infinity, hi = -Infinity, last = NaN, spiked = false;
    for (let step = s0; step < s1; step++) {
      const slot = step % store.capacity;
      const v = store.u[slot * store.K + k];
      if (Number.isNaN(v)) continue;
      if (v < lo) lo = v;
      if (v > hi) hi = v;
      last = v;
      spiked ||= v >= store.theta[slot * store.G + g];
      shown.sum += v;
      shown.n++;
      if (v < lowest || v > highest) shown.outside++;
    }
    if (lo === Infinity) { lines.up(); return; }
    if (lo < shown.min) shown.min = lo;
    if (hi > shown.max) shown.max = hi;
    const x = (s0 - t0) * wide, peak = laneY(hi, top, laneH);
    if (hi > highest) keepApart(above, box.x + x / dpr);
    if (lo < lowest) keepApart(below, box.x + x / dpr);
    if (spiked) spikes.push(x, peak);
    lines.to(x, peak);
    if (s1 - s0 > 1) lines.to(x, laneY(lo, top, laneH));
    lines.to(x, laneY(last, top, laneH));
  });
  if (shown.n === before && scene.step1 > scene.step0) shown.unrecorded.push(k);
  lines.paint(color, TRACE_PX * dpr, lane);
  const dot = Math.round(DOT_PX * dpr);
  for (let i = 0; i < spikes.length; i += 2) {
    const y = Math.max(Math.ceil(top), Math.min(Math.floor(bottom) - dot, Math.round(spikes[i + 1] - dot / 2)));
    lines.rect(Math.round(spikes[i] - dot / 2), y, dot, dot, color);
  }
  threshold(scene, g, k, lane);
  return [above, below];
}

/** Keep `x` unless a mark stands close to its left already. */
function keepApart(marks, x) {
  if (!marks.length || x - marks.at(-1) >= MARK_GAP_PX) marks.push(x);
}

/** Marks at the edges of the lanes where samples lie beyond them. */
function triangles(ctx, { box, theme }, beyond) {
  const laneH = box.h / Math.max(1, beyond.length);
  ctx.fillStyle = theme.fg;
  beyond.forEach(([above, below], k) => {
    for (const x of above) triangle(ctx, x, box.y + k * laneH + 1, 5);
    for (const x of below) triangle(ctx, x, box.y + (k + 1) * laneH - 1, -5);
  });
}

/** A small triangle with its tip at (x, y), `h` px high; negative points down. */
function triangle(ctx, x, y, h) {
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x - 3.5, y + h);
  ctx.lineTo(x + 3.5, y + h);
  ctx.closePath();
  ctx.fill();
}

/** The threshold in force, dashed; it steps where it was changed. */
function threshold(scene, g, k, lane) {
  const { store, theme, dpr, t0, span } = scene;
  const { top, bottom } = lane, wide = lines.w / span, thick = Math.round(dpr) || 1;
  const Y = (v) => Math.min(bottom - thick, Math.max(top, Math.floor(laneY(v, top, bottom - top)))) + thick / 2;
  let previous = NaN;
  lines.begin();
  for (let step = scene.step0; step < scene.step1; step++) {
    const v = store.theta[(step % store.capacity) * store.G + g];
    if (Number.isNaN(v) || Math.abs(v - previous) < 1e-3) continue;
    const x = (step - t0) * wide;
    if (!Number.isNaN(previous)) lines.to(x, Y(previous));
    lines.to(x, Y(v));
    previous = v;
  }
  if (!Number.isNaN(previous)) lines.to((scene.step1 - t0) * wide, Y(previous));
  lines.paint(word(theme.alert), thick, { ...lane, dash: DASH.map((px) => Math.round(px * dpr)) });
  shown.theta_last[k] = previous;
}
