/** Membrane traces: u before the reset, stacked, each with the threshold in force as a dashed step. */

import { groupColor } from "../colors.mjs";
import { eventLines } from "./events.mjs";
import { eachColumn, emptyNote, grouped, label, timeAxis, timeGrid } from "./paint.mjs";

const MAX_TRACES = 8;
const BASE = 0.4, THETAS = 2.5;
const MARK_GAP_PX = 7;
const UNRECORDED = "not recorded in this window";
let shown = { neurons: [], row: THETAS, outside: 0, clamped: 0, unrecorded: [] };

export const mark = {
  slug: "membrane",
  time: true,
  lanes: true,
  margin: { l: 168, r: 60 },

  layout: () => ({
    yaxis: { range: [0, 1], showticklabels: false, ticks: "", showgrid: false, fixedrange: true,
      title: { text: "" } },
  }),

  draw(ctx, scene) {
    const { box, store } = scene;
    timeGrid(ctx, box, scene);
    const neurons = store.membrane.slice(0, MAX_TRACES);
    shown = { neurons, unrecorded: [], step0: scene.step0, step1: scene.step1, min: Infinity, max: -Infinity,
      sum: 0, n: 0, theta_last: [], outside: 0, clamped: clampedCount(scene),
      row: rowScale(scene, [...new Set(neurons.map((id) => scene.groupOf(id)))]) };
    const laneH = box.h / Math.max(1, neurons.length);
    neurons.forEach((id, k) => trace(ctx, scene, id, k, box.y + k * laneH, laneH));
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

  foot: () => [
    `u before reset, each lane ${lane(shown.row)}`, "dashed: θ", "dot: spike",
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

function trace(ctx, scene, id, k, top, laneH) {
  const { store, box, theme, t0, span } = scene;
  const g = scene.groupOf(id);
  const X = (step) => box.x + (step - t0) / span * box.w;
  ctx.fillStyle = theme.grid;
  ctx.fillRect(box.x, Math.round(laneY(0, top, laneH)), box.w, 1);
  if (k) ctx.fillRect(box.x, Math.round(top), box.w, 1);
  const color = groupColor(scene.groups[g], theme.dark);
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.x, top, box.w, laneH);
  ctx.clip();
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.4;
  ctx.beginPath();
  const before = shown.n;
  let open = false;
  const columns = Math.max(1, Math.floor(Math.min(box.w, span)));
  const spikes = [], above = [], below = [];
  const lowest = -BASE * shown.row, highest = (1 - BASE) * shown.row;
  eachColumn(scene, columns, (c, s0, s1) => {
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
    if (lo === Infinity) { open = false; return; }
    if (lo < shown.min) shown.min = lo;
    if (hi > shown.max) shown.max = hi;
    const x = X(s0);
    if (hi > highest) keepApart(above, x);
    if (lo < lowest) keepApart(below, x);
    if (spiked) spikes.push(x, laneY(hi, top, laneH));
    if (!open) ctx.moveTo(x, laneY(hi, top, laneH));
    if (s1 - s0 > 1) {
      ctx.lineTo(x, laneY(lo, top, laneH));
      ctx.lineTo(x, laneY(hi, top, laneH));
    }
    ctx.lineTo(x, laneY(last, top, laneH));
    open = true;
  });
  if (shown.n === before && scene.step1 > scene.step0) shown.unrecorded.push(k);
  ctx.stroke();
  ctx.fillStyle = color;
  for (let i = 0; i < spikes.length; i += 2) ctx.fillRect(spikes[i] - 1.5, spikes[i + 1] - 1.5, 3, 3);
  threshold(ctx, scene, g, k, top, laneH, X);
  ctx.fillStyle = theme.fg;
  for (const x of above) triangle(ctx, x, top + 1, 5);
  for (const x of below) triangle(ctx, x, top + laneH - 1, -5);
  ctx.restore();
}

/** Keep `x` unless a mark stands close to its left already. */
function keepApart(marks, x) {
  if (!marks.length || x - marks.at(-1) >= MARK_GAP_PX) marks.push(x);
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

function threshold(ctx, scene, g, k, top, laneH, X) {
  const { store, theme } = scene;
  ctx.strokeStyle = theme.alert;
  ctx.lineWidth = 1;
  ctx.setLineDash([5, 3]);
  ctx.beginPath();
  let previous = NaN;
  for (let step = scene.step0; step < scene.step1; step++) {
    const v = store.theta[(step % store.capacity) * store.G + g];
    if (Number.isNaN(v) || Math.abs(v - previous) < 1e-3) continue;
    if (Number.isNaN(previous)) ctx.moveTo(X(step), laneY(v, top, laneH));
    else { ctx.lineTo(X(step), laneY(previous, top, laneH)); ctx.lineTo(X(step), laneY(v, top, laneH)); }
    previous = v;
  }
  if (!Number.isNaN(previous)) ctx.lineTo(X(scene.step1), laneY(previous, top, laneH));
  ctx.stroke();
  ctx.setLineDash([]);
  shown.theta_last[k] = previous;
}
