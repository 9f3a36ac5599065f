/** Membrane traces: u before the reset, stacked, each with the threshold in force as a dashed step. */

import { stageColor } from "../colors.mjs";
import { eachColumn, emptyNote, eventLines, label, timeAxis, timeGrid } from "./paint.mjs";

const MAX_TRACES = 8;
const BASE = 0.25;
const scale = { row: 2 };
let shown = { neurons: [] };

export const mark = {
  slug: "membrane",
  time: true,
  margin: { l: 168, r: 60 },

  layout: () => ({
    yaxis: { range: [0, 1], showticklabels: false, ticks: "", showgrid: false, fixedrange: true,
      title: { text: "" } },
  }),

  draw(ctx, scene) {
    const { box, store } = scene;
    timeGrid(ctx, box, scene);
    const neurons = store.membrane.slice(0, MAX_TRACES);
    shown = { neurons, step0: scene.step0, step1: scene.step1, min: Infinity, max: -Infinity,
      sum: 0, n: 0, theta_last: [] };
    range(scene, [...new Set(neurons.map((id) => scene.groupOf(id)))]);
    const laneH = box.h / Math.max(1, neurons.length);
    neurons.forEach((id, k) => trace(ctx, scene, id, k, box.y + k * laneH, laneH));
    eventLines(ctx, box, scene);
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
      ctx.fillStyle = stageColor(g, theme.dark);
      ctx.fillRect(box.x - 10, y - laneH / 2 + 2, 4, laneH - 4);
      label(ctx, name, box.x - 14, y - (laneH > 30 ? 8 : 0), theme.fg, "right");
      if (laneH > 30) label(ctx, id === scene.view.watched ? "selected" : `id ${id}`, box.x - 14, y + 8, theme.muted, "right");
      const theta = shown.theta_last[k];
      if (Number.isFinite(theta)) {
        label(ctx, `θ ${theta.toFixed(2)}`, box.x + box.w + 5, laneY(theta, box.y + k * laneH, laneH), theme.alert);
        const zero = laneY(0, box.y + k * laneH, laneH);
        if (laneH > 34) label(ctx, "0", box.x + box.w + 5, zero, theme.muted);
      }
    });
  },

  foot: () => `u before reset (unit 1), one row is ${scale.row.toFixed(2)} high · dashed: `
    + `threshold in force · dot: spike · ${shown.neurons.length} neurons, min and max per pixel kept`,

  drawn: () => shown,
};

/** Height of `value` in a lane; excursions may run into the neighbours, as in a stacked recording. */
function laneY(value, top, laneH) {
  return top + laneH * (1 - BASE - value / scale.row);
}

/** One scale for all lanes: a row is two thresholds high, the largest of those in view. */
function range(scene, neurons) {
  const { store } = scene;
  let highest = 0;
  for (let step = scene.step0; step < scene.step1; step += 1) {
    const at = (step % store.capacity) * store.G;
    for (const g of neurons) highest = Math.max(highest, store.theta[at + g]);
  }
  const want = highest > 0 ? 2 * highest : 2;
  if (want > scale.row || want < scale.row * 0.7) scale.row = Math.ceil(want * 4) / 4;
}

function trace(ctx, scene, id, k, top, laneH) {
  const { store, box, theme, t0, span } = scene;
  const g = scene.groupOf(id);
  const X = (step) => box.x + (step - t0) / span * box.w;
  ctx.fillStyle = theme.grid;
  ctx.fillRect(box.x, Math.round(laneY(0, top, laneH)), box.w, 1);
  if (k) ctx.fillRect(box.x, Math.round(top), box.w, 1);
  const color = stageColor(g, theme.dark);
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.x, box.y, box.w, box.h);
  ctx.clip();
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.4;
  ctx.beginPath();
  let open = false;
  const columns = Math.max(1, Math.floor(Math.min(box.w, span)));
  const spikes = [];
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
    }
    if (lo === Infinity) { open = false; return; }
    if (lo < shown.min) shown.min = lo;
    if (hi > shown.max) shown.max = hi;
    const x = X(s0);
    if (spiked) spikes.push(x, laneY(hi, top, laneH));
    if (!open) ctx.moveTo(x, laneY(hi, top, laneH));
    if (s1 - s0 > 1) {
      ctx.lineTo(x, laneY(lo, top, laneH));
      ctx.lineTo(x, laneY(hi, top, laneH));
    }
    ctx.lineTo(x, laneY(last, top, laneH));
    open = true;
  });
  ctx.stroke();
  ctx.fillStyle = color;
  for (let i = 0; i < spikes.length; i += 2) ctx.fillRect(spikes[i] - 1.5, spikes[i + 1] - 1.5, 3, 3);
  threshold(ctx, scene, g, k, top, laneH, X);
  ctx.restore();
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
    if (Math.abs(v - previous) < 1e-3) continue;
    if (Number.isNaN(previous)) ctx.moveTo(X(step), laneY(v, top, laneH));
    else { ctx.lineTo(X(step), laneY(previous, top, laneH)); ctx.lineTo(X(step), laneY(v, top, laneH)); }
    previous = v;
  }
  ctx.lineTo(X(scene.step1), laneY(previous, top, laneH));
  ctx.stroke();
  ctx.setLineDash([]);
  shown.theta_last[k] = previous;
}
