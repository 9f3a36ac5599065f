/** What drives block 0: the image shown now with its label, and the input of every step as a trace. */

import { eventLines } from "./events.mjs";
import { Lines } from "./lines.mjs";
import {
  Pixels, behind, devicePixels, eachColumn, emptyNote, label, plate, timeAxis, timeGrid, upright, word,
} from "./paint.mjs";

const SIDE = 8;
const RECENT_STEPS = 50, LEAD_MS = 10000;
/** Pixels that a label needs before the end of the plot. */
export const ONSET_ROOM = 30;
const pixels = new Pixels(), tracePixels = new Pixels(), lines = new Lines();
const TOP = 1.02;
let shown = {}, means = { of: null };

export const mark = {
  slug: "stimulus",
  time: true,
  /** The first lane is the onsets'. */
  eventLane: 1,
  margin: { l: 196, r: 60 },

  layout: () => ({
    yaxis: { range: [0, TOP], fixedrange: true, tickvals: [0, 0.5, 1], showgrid: false,
      title: { text: "" }, side: "right" },
  }),

  draw(ctx, scene) {
    const { box, store, theme } = scene;
    if (store.empty) { emptyNote(ctx, box, "waiting for the first frame", theme); return; }
    const event = latest(scene);
    shown = { type: event?.type ?? null, onset: event?.step ?? null, label: event?.label ?? null, index: event?.index ?? null,
      kind: kindOf(scene, event), sum: 0, mean_sum: 0 };
    if (!scene.paused) image(ctx, scene, event);
    trace(ctx, scene);
    behind(ctx, () => timeGrid(ctx, box, scene));
    changes(ctx, scene);
    eventLines(ctx, box, scene, mark);
    timeAxis(ctx, box, scene);
  },

  labels(ctx, scene) {
    const { box, theme } = scene;
    upright(ctx, "Mean (1)", box.x + box.w + 48, box.y, box.h, theme.muted);
    if (scene.paused && !scene.store.empty) image(ctx, scene, latest(scene));
  },

  foot: (scene) => `${shown.kind ?? "input"}${describe(shown)} · trace: mean of the 64 inputs, 0 to 1 · `
    + `shaded: rest${scene.store.meta?.stim_hi > 1 ? " · beyond 0 to 1: clipped" : ""}`,

  drawn: () => shown,
};

/** The newest onset or rest, also one before the window; what is longer ago says nothing of it. */
function latest(scene) {
  const list = scene.store.events;
  for (let i = list.length - 1; i >= 0 && list[i].step >= scene.step0 - LEAD_MS / scene.dt; i--) {
    if ((list[i].type === "stimulus" || list[i].type === "rest") && list[i].step < scene.step1) return list[i];
  }
  return null;
}

function kindOf(scene, event) {
  return event?.kind ?? scene.params?.values?.["stimulus.kind"] ?? null;
}

function describe({ type, kind, label: name, index }) {
  if (type === "rest") return ": rest, no input";
  if (name === null || name === undefined || name === kind) return "";
  return `: label “${name}”${index === null || index === undefined ? "" : `, #${index}`}`;
}

/** The event's image; without one, the mean input over the last 50 steps in view. */
function image(ctx, scene, event) {
  const { box, theme, dpr } = scene;
  const side = Math.max(16, Math.min(box.x - 24, box.h - 18, 120));
  const frame = { x: Math.max(4, (box.x - side) / 2 - 8), y: box.y, w: side, h: side };
  let values = Array.isArray(event?.image) && event.image.length === SIDE * SIDE ? event.image : null;
  if (event?.type === "rest") values = new Array(SIDE * SIDE).fill(0);
  const measured = values === null;
  if (measured) values = recent(scene);
  const [w, h] = devicePixels(frame, dpr);
  const words = pixels.open(w, h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const v = values[Math.floor(y / h * SIDE) * SIDE + Math.floor(x / w * SIDE)];
      const grey = Math.round(theme.dark ? 20 + v * 222 : 255 - v * 229);
      words[y * w + x] = (255 << 24 | grey << 16 | grey << 8 | grey) >>> 0;
    }
  }
  for (const v of values) shown.sum += v;
  pixels.put(ctx, frame.x, frame.y, dpr);
  ctx.strokeStyle = theme.line;
  ctx.lineWidth = 1;
  ctx.strokeRect(Math.round(frame.x) - 0.5, Math.round(frame.y) - 0.5, side + 1, side + 1);
  const name = event?.type === "rest" ? "rest" : measured ? `mean of ${Math.min(RECENT_STEPS, scene.step1 - scene.step0) * scene.dt} ms` : titled(shown.kind, event.label);
  shown.caption = name;
  label(ctx, name, frame.x + side / 2, frame.y + side + 11, theme.fg, "center");
}

/** `digits “7”`; an input that has but one thing to show is named once. */
function titled(kind, name) { return name === kind ? kind : `${kind} “${name}”`; }

function recent(scene) {
  const { store } = scene;
  const values = new Array(SIDE * SIDE).fill(0);
  const from = Math.max(scene.step0, scene.step1 - RECENT_STEPS), n = Math.max(1, scene.step1 - from);
  for (let step = from; step < scene.step1; step++) {
    const at = (step % store.capacity) * 64;
    for (let i = 0; i < 64; i++) values[i] += store.stim[at + i] / 255 / n;
  }
  return values;
}

function trace(ctx, scene) {
  const { box, store, theme, dpr } = scene;
  const [w, h] = devicePixels(box, dpr), wide = w / scene.span;
  lines.open(tracePixels.open(w, h), w, h);
  eachColumn(scene, Math.max(1, Math.floor(Math.min(box.w, scene.span))), (c, s0, s1) => {
    let lo = 1, hi = 0;
    for (let step = s0; step < s1; step++) {
      const v = meanInput(store, step);
      shown.mean_sum += v;
      if (v < lo) lo = v;
      if (v > hi) hi = v;
    }
    const x = (s0 - scene.t0) * wide;
    lines.to(x, h * (1 - lo / TOP));
    lines.to(x, h * (1 - hi / TOP));
  });
  lines.paint(word(theme.fg), dpr);
  tracePixels.put(ctx, box.x, box.y, dpr);
}

/** Mean of the 64 inputs at `step`; a step in the record never changes, so it is summed once. */
function meanInput(store, step) {
  if (means.of !== store || means.version !== store.version) {
    means = { of: store, version: store.version, at: new Float64Array(store.capacity).fill(-1), value: new Float32Array(store.capacity) };
  }
  const slot = step % store.capacity;
  if (means.at[slot] !== step) {
    let sum = 0;
    for (let i = slot * 64; i < slot * 64 + 64; i++) sum += store.stim[i];
    means.at[slot] = step;
    means.value[slot] = sum / (64 * 255);
  }
  return means.value[slot];
}

/** A labelled line where each stimulus begins; rests are shaded. */
function changes(ctx, scene) {
  const { box, store, theme, t0_ms, t1_ms } = scene;
  const X = (ms) => box.x + Math.min(1, Math.max(0, (ms - t0_ms) / (t1_ms - t0_ms))) * box.w;
  const list = store.events.filter((e) => (e.type === "stimulus" || e.type === "rest") && e.t_ms <= t1_ms);
  let free = box.x;
  list.forEach((event, i) => {
    const end = list[i + 1]?.t_ms ?? t1_ms;
    if (end < t0_ms) return;
    const x = X(event.t_ms);
    if (event.type === "rest") {
      ctx.globalAlpha = 0.13;
      ctx.fillStyle = theme.fg;
      ctx.fillRect(x, box.y, X(end) - x, box.h);
      ctx.globalAlpha = 1;
      return;
    }
    ctx.fillStyle = theme.line;
    if (event.t_ms >= t0_ms) ctx.fillRect(Math.round(x), box.y, 1, box.h);
    const text = `“${String(event.label).slice(0, 12)}”`;
    if (x >= free && x + ONSET_ROOM < box.x + box.w) {
      free = x + 3 + plate(ctx, text, x + 2, box.y + 9, theme.fg, theme.bg);
    }
  });
}
