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
/** Largest, smallest and mean input of a step. */
const REACH = 3;
/** Of the axis beyond its ends, so that their numbers have room: of one that begins at 0, of one around it. */
const HEADROOM = 1.02, AROUND = 1.04, UNIT = { range: [0, HEADROOM], ticks: [0, 0.5, 1] };
/** Of the inputs; of float32 values that stand for round ones. */
const VANISHING = 1e-3, ROUNDING = 1e-6;
let shown = {}, means = { of: null }, reach = { of: null };

export const mark = {
  slug: "stimulus",
  time: true,
  /** The first lane is the onsets'. */
  eventLane: 1,
  margin: { l: 196, r: 60 },

  layout(scene) {
    const { range, ticks } = meanAxis(reachOf(scene));
    return { yaxis: { range, fixedrange: true, tickvals: ticks, showgrid: false, title: { text: "" }, side: "right" } };
  },

  layoutKey: (scene) => meanAxis(reachOf(scene)).range.join("|"),

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

  foot(scene) {
    const { smallest, largest } = reachOf(scene);
    const clipped = smallest < 0 || largest > 1;
    const between = !clipped ? "0 to 1" : smallest === largest ? `all ${short(smallest)}` : `from ${short(smallest)} to ${short(largest)}`;
    return `${shown.kind ?? "input"}${describe(shown)} · trace: mean of the 64 inputs, ${between} · shaded: rest`
      + (clipped ? " · picture clipped to 0 to 1" : "");
  },

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
  const [low, high] = meanAxis(reachOf(scene)).range;
  lines.open(tracePixels.open(w, h), w, h, scene.dpr);
  eachColumn(scene, Math.max(1, Math.floor(Math.min(box.w, scene.span))), (c, s0, s1) => {
    let lo = Infinity, hi = -Infinity;
    for (let step = s0; step < s1; step++) {
      const v = meanInput(store, step);
      shown.mean_sum += v;
      if (v < lo) lo = v;
      if (v > hi) hi = v;
    }
    const x = (s0 - scene.t0) * wide;
    lines.to(x, h * (high - lo) / (high - low));
    lines.to(x, h * (high - hi) / (high - low));
  });
  lines.paint(word(theme.fg), dpr);
  tracePixels.put(ctx, box.x, box.y, dpr);
}

/** Smallest and largest input in view and the largest size of a mean; without them what fits 0 to 1. */
function reachOf({ store, step0, step1 }) {
  if (!store.nReach) return { smallest: 0, largest: 1, mean: 0 };
  const key = `${store.version} ${step0} ${step1}`;
  if (reach.of === store && reach.key === key) return reach;
  let smallest = Infinity, largest = -Infinity, mean = 0;
  for (let step = step0; step < step1; step++) {
    const at = (step % store.capacity) * REACH;
    if (store.stimRange[at] > largest) largest = store.stimRange[at];
    if (store.stimRange[at + 1] < smallest) smallest = store.stimRange[at + 1];
    mean = Math.max(mean, Math.abs(store.stimRange[at + 2]));
  }
  reach = { of: store, key, smallest, largest, mean };
  return reach;
}

/**
 * Ends and ticks of the axis of the means: 0 to 1, or to 1, 2 or 5 times a power of ten.  From below
 * 0 as far as above it where an input is negative; of means that vanish as far as the inputs.
 */
export function meanAxis({ smallest, largest, mean }) {
  if (!(smallest < 0 || largest > 1)) return UNIT;
  if (smallest >= 0) {
    const top = mean > 1 ? nice(mean) : 1;
    return { range: [0, HEADROOM * top], ticks: [0, top / 2, top] };
  }
  const widest = Math.max(-smallest, largest);
  const top = nice(mean > VANISHING * widest ? mean : widest);
  return { range: [-AROUND * top, AROUND * top], ticks: [-top, 0, top] };
}

/** 1, 2 or 5 times a power of ten, the next from `value` on. */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((m) => m * power >= value * (1 - ROUNDING)) ?? 10) * power;
}

const short = (value) => String(Number(value.toPrecision(3))).replace("-", "−");

/** Mean of the 64 inputs at `step`, as published; of the clipped ones it is summed once a step. */
function meanInput(store, step) {
  if (store.nReach) return store.stimRange[(step % store.capacity) * REACH + 2];
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
