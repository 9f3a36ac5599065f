/** Recurrent weights of a block: log counts in fixed bins, inhibitory apart; below, their drift. */

import { CIVIDIS, CIVIDIS_STOPS } from "../colors.mjs";
import { axisText } from "../format.mjs";
import * as matrix from "./weight-matrix.mjs";
import { Pixels, colorBar, devicePixels, emptyNote, grouped, label, plate, wrapped } from "./paint.mjs";

const EVERY = 250, DRIFT_SAMPLES = 40, HEADING_UP = 9;
const LOG_TOP = 5, LOG_LOW = -0.3;
const INHIBITORY = "#0072B2", EXCITATORY = "#D55E00";
const pixels = new Pixels();
let shown = {};

export const mark = {
  slug: "weights",
  time: false,
  sameUnits: true,
  margin: { l: 64, r: 60 },

  layout: (scene) => {
    if (isMatrix(scene)) return matrix.layout(scene);
    const range = [lo(scene) * 1.03, hi(scene) * 1.03];
    return {
      xaxis: { range, anchor: "y2", title: { text: "Weight w (1)" }, fixedrange: false, showgrid: false },
      yaxis: { type: "log", range: [LOG_LOW, LOG_TOP], domain: [0.46, 0.9], dtick: 2, fixedrange: true,
        exponentformat: "power", title: { text: "Count (log)" } },
      yaxis2: { range: [0, 1], domain: [0, 0.38], showticklabels: false, ticks: "", showgrid: false,
        fixedrange: true, title: { text: "" }, anchor: "x" },
    };
  },

  layoutKey: (scene) => `${lo(scene)}|${hi(scene)}|${isMatrix(scene) ? matrix.groupOf(scene).n : ""}`,

  /** Nothing to draw anew while this stays the same: samples come every 250 steps. */
  stillKey: (scene) => {
    const { store, step1 } = scene, sample = isMatrix(scene) ? `matrix ${store.matrixAt(step1)?.step}` : store.histAt(step1)?.step;
    return `${store.epoch}|${sample}|${store.meta?.weights_block}`;
  },

  draw(ctx, scene) {
    if (isMatrix(scene)) {
      shown = matrix.draw(ctx, scene);
      return;
    }
    const { box, store, theme } = scene;
    const record = store.histAt(scene.step1);
    shown = { block: store.meta?.weights_block ?? 0, exc_sum: 0, inh_sum: 0, step: record?.step ?? null };
    if (!record) {
      emptyNote(ctx, box, `weights are sampled ${scene.unit.every(EVERY)} · waiting for the next sample`, theme);
      return;
    }
    const { bins } = record, at = shown.block * bins;
    histogram(ctx, scene, record.inh.subarray(at, at + bins), lo(scene), 0, INHIBITORY, true);
    histogram(ctx, scene, record.exc.subarray(at, at + bins), 0, record.w_hi ?? 1, EXCITATORY, false);
    for (let i = 0; i < bins; i++) {
      shown.exc_sum += record.exc[at + i];
      shown.inh_sum += record.inh[at + i];
    }
    [shown.at_zero, shown.at_max] = record.bounds.subarray(shown.block * 2, shown.block * 2 + 2);
    bounds(ctx, scene, record);
    if (!scene.paused) headings(ctx, scene, record);
    const low = scene.boxOf("yaxis2");
    if (low) drift(ctx, low, scene);
  },

  labels(ctx, scene) {
    if (isMatrix(scene)) {
      matrix.labels(ctx, scene);
      return;
    }
    const low = scene.boxOf("yaxis2"), { theme, box } = scene;
    const record = scene.store.histAt(scene.step1);
    if (scene.paused && record) headings(ctx, scene, record);
    if (!low) return;
    colorBar(ctx, { x: low.x + low.w + 8, y: low.y, h: low.h }, CIVIDIS_STOPS,
      [[0, "0"], [1, "10⁵"]], "count", theme);
    label(ctx, "drift", box.x - 8, low.y + 8, theme.muted, "right");
    const span = driftSpan(scene);
    if (!span) return;
    label(ctx, "older", box.x - 8, low.y + low.h - 6, theme.muted, "right");
    const lines = wrapped(ctx, axisText(span[1] - span[0], scene.store.meta?.axis), box.x - 10);
    lines.forEach((text, i) => label(ctx, text, box.x - 8, low.y + low.h / 2 + (i - (lines.length - 1) / 2) * 13, theme.fg, "right"));
  },

  foot(scene) {
    if (isMatrix(scene)) return matrix.foot(scene);
    const [below, above] = sides(scene), name = names(scene)?.[shown.block];
    const which = name ?? `block ${shown.block} of ${scene.store.L}`;
    return `${which} · ${grouped(shown.exc_sum ?? 0)} ${above}, ${grouped(shown.inh_sum ?? 0)} ${below}`
      + ` · fixed bins, ${scene.unit.every(EVERY)}`;
  },

  drawn: () => shown,

  at: (scene, x, y) => (isMatrix(scene) ? matrix.at(scene, x, y) : null),
};

/** Whether the weights are shown one by one. */
function isMatrix({ view }) { return view.weights_view === "matrix"; }

/** The names of a watched module's weights; undefined where a block has one set. */
function names(scene) { return scene.store.meta?.weights; }

/** What lies below and above 0. */
function sides(scene) {
  return names(scene) ? ["below 0", "above 0"] : ["fixed inhibitory", "plastic excitatory"];
}

function lo(scene) { return scene.store.meta?.w_lo ?? -1; }

function hi(scene) { return scene.store.hist.at(-1)?.w_hi ?? 1; }

function toX(box, scene, w) {
  const low = lo(scene) * 1.03, top = hi(scene) * 1.03;
  return box.x + (w - low) / (top - low) * box.w;
}

function histogram(ctx, scene, counts, from, to, color, hatched) {
  const { box } = scene;
  const width = (to - from) / counts.length;
  ctx.fillStyle = color;
  ctx.beginPath();
  for (let i = 0; i < counts.length; i++) {
    if (!counts[i]) continue;
    const x0 = toX(box, scene, from + i * width), x1 = toX(box, scene, from + (i + 1) * width);
    const share = Math.min(1, (Math.log10(counts[i]) - LOG_LOW) / (LOG_TOP - LOG_LOW));
    ctx.rect(x0, box.y + box.h * (1 - share), Math.max(1, x1 - x0), box.h * share);
  }
  ctx.fill();
  if (hatched) hatch(ctx, box, toX(box, scene, from), toX(box, scene, to));
}

/** White diagonals over what was just filled, so that inhibitory is told by more than colour. */
function hatch(ctx, box, x0, x1) {
  ctx.save();
  ctx.clip();
  ctx.strokeStyle = "rgba(255,255,255,0.55)";
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (let x = x0 - box.h; x < x1; x += 6) {
    ctx.moveTo(x, box.y + box.h);
    ctx.lineTo(x + box.h, box.y);
  }
  ctx.stroke();
  ctx.restore();
}

function bounds(ctx, scene, record) {
  const { box, theme } = scene;
  if (!Number.isFinite(record.w_max)) return;
  ctx.strokeStyle = theme.alert;
  ctx.lineWidth = 1.5;
  ctx.setLineDash([5, 3]);
  for (const w of [0, record.w_max]) {
    const x = toX(box, scene, w);
    ctx.beginPath();
    ctx.moveTo(x, box.y);
    ctx.lineTo(x, box.y + box.h);
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

/** What stands over the two halves: their names, and the share of weights at the bounds. */
function headings(ctx, scene, record) {
  const { box, theme } = scene;
  if (!Number.isFinite(record.w_max)) {
    const [below, above] = sides(scene);
    plate(ctx, below, toX(box, scene, lo(scene)), box.y - HEADING_UP, theme.fg, theme.bg);
    plate(ctx, above, box.x + box.w, box.y - HEADING_UP, theme.fg, theme.bg, "right");
    return;
  }
  const percent = (v) => `${(100 * v).toFixed(1)} %`;
  const atBounds = `${percent(shown.at_zero)} at 0, ${percent(shown.at_max)} at w_max ${short(record.w_max)}`;
  const wide = box.w > 380;
  plate(ctx, wide ? "inhibitory (fixed)" : "inh.", toX(box, scene, lo(scene)), box.y - HEADING_UP, theme.fg, theme.bg);
  plate(ctx, wide ? `excitatory: ${atBounds}` : atBounds, box.x + box.w, box.y - HEADING_UP, theme.fg, theme.bg, "right");
}

function short(v) { return String(Number(Number(v).toPrecision(3))); }

function driftSpan(scene) {
  const inView = driftSamples(scene);
  return inView.length > 1 ? [inView[0].step * scene.dt, inView.at(-1).step * scene.dt] : null;
}

/** The samples that the drift shows, oldest first. */
function driftSamples(scene) {
  return scene.store.hist.filter((h) => h.step < scene.step1).slice(-DRIFT_SAMPLES);
}

/** Newest sample on top, one band a sample; x is the weight axis shared with the histogram. */
function drift(ctx, box, scene) {
  const { dpr, theme } = scene;
  const list = driftSamples(scene);
  shown.samples = list.length;
  shown.drift_ms = driftSpan(scene);
  const [w, h] = devicePixels(box, dpr);
  const words = pixels.open(w, h);
  const low = lo(scene) * 1.03, top = hi(scene) * 1.03;
  list.forEach((record, k) => {
    const y0 = Math.round((list.length - 1 - k) * h / list.length);
    const y1 = Math.round((list.length - k) * h / list.length);
    const at = shown.block * record.bins;
    for (let x = 0; x < w; x++) {
      const weight = low + (x + 0.5) / w * (top - low);
      const count = weight < 0
        ? record.inh[at + Math.floor((1 - weight / lo(scene)) * record.bins)]
        : record.exc[at + Math.floor(weight / (record.w_hi ?? 1) * record.bins)];
      if (count === undefined || weight < lo(scene)) continue;
      words[y0 * w + x] = CIVIDIS[Math.min(255, Math.round(Math.log10(count + 1) / LOG_TOP * 255))];
    }
    for (let y = y0 + 1; y < y1; y++) words.copyWithin(y * w, y0 * w, y0 * w + w);
  });
  pixels.put(ctx, box.x, box.y, dpr);
  if (list.length < 2) emptyNote(ctx, box, "drift needs two samples", theme);
}
