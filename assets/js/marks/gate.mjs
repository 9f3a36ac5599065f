/** Thalamic gate: channel x time at fixed limits 0 to 1.5, and the mean openness under it. */

import { CIVIDIS, CIVIDIS_STOPS, blockColor } from "../colors.mjs";
import { eventLines } from "./events.mjs";
import { Lines } from "./lines.mjs";
import {
  Pixels, behind, colorBar, devicePixels, label, timeAxis, timeGrid, word,
} from "./paint.mjs";

const EVERY = 4, FULL = 1.5;
const LINE_PX = 2;
const pixels = new Pixels(), lowPixels = new Pixels(), lines = new Lines();
let shown = {};

export const mark = {
  slug: "gate",
  time: true,
  sameUnits: true,
  margin: { l: 196, r: 60 },

  layout: (scene) => ({
    yaxis: { domain: [0.32, 1], range: [(scene.store.D || 256) - 0.5, -0.5], showgrid: false, fixedrange: true,
      title: { text: "Channel" }, nticks: 5 },
    yaxis2: { domain: [0, 0.26], range: [0, FULL], fixedrange: true, tickvals: [0, 1],
      title: { text: "Mean (1)" }, anchor: "x" },
  }),

  layoutKey: (scene) => scene.store.D,

  draw(ctx, scene) {
    const box = scene.box, low = scene.boxOf("yaxis2");
    shown = { block: scene.store.meta?.gate_block ?? 0, columns: 0, get sum() { return total(scene); }, mean_last: null };
    if (scene.store.D) heat(ctx, box, scene);
    if (low) {
      meanLine(ctx, low, scene);
      behind(ctx, () => timeGrid(ctx, low, scene));
    }
    eventLines(ctx, box, scene, mark);
    if (low) eventLines(ctx, low, scene, null);
    timeAxis(ctx, low ?? box, scene);
  },

  labels(ctx, scene) {
    const { box, theme } = scene;
    colorBar(ctx, { x: box.x + box.w + 8, y: box.y, h: box.h }, CIVIDIS_STOPS,
      [[0, "0"], [1, "1.5"]], "gate g", theme);
    const low = scene.boxOf("yaxis2");
    if (low && shown.mean_last !== null) {
      label(ctx, shown.mean_last.toFixed(2), low.x + low.w + 6, low.y + low.h / 2, theme.fg);
    }
  },

  foot: (scene) => `block ${shown.block} of ${scene.store.L} · ${scene.store.D} channels, ${scene.unit.every(EVERY)} `
    + "· limits fixed 0 to 1.5 · line: mean openness",

  drawn: () => shown,
};

function heat(ctx, box, scene) {
  const { store, t0, t1, dpr } = scene;
  const [w, h] = devicePixels(box, dpr);
  const words = pixels.open(w, h);
  const { D, gate } = store;
  const capacity = store.capacity / EVERY;
  const first = Math.ceil(scene.step0 / EVERY), end = Math.ceil(scene.step1 / EVERY);
  const rowOf = new Int32Array(h + 1), column = new Uint32Array(h);
  for (let y = 0; y <= h; y++) rowOf[y] = Math.floor(y * D / h);
  const wide = w / (t1 - t0);
  for (let i = first; i < end; i++) {
    const x0 = Math.max(0, Math.floor((i * EVERY - t0) * wide));
    const x1 = Math.min(w, Math.max(x0 + 1, Math.floor(((i + 1) * EVERY - t0) * wide)));
    const at = (i % capacity) * D;
    shown.columns++;
    for (let y = 0; y < h; y++) {
      const a = rowOf[y], b = Math.max(a + 1, rowOf[y + 1]);
      let sum = gate[at + a];
      for (let d = a + 1; d < b; d++) sum += gate[at + d];
      column[y] = CIVIDIS[b - a === 1 ? sum : Math.round(sum / (b - a))];
    }
    for (let y = 0, p = x0; y < h; y++, p += w) for (let x = p; x < p + x1 - x0; x++) words[x] = column[y];
  }
  pixels.put(ctx, box.x, box.y, dpr);
}

/** Sum of all bytes in view. */
function total({ store, step0, step1 }) {
  let sum = 0;
  for (let i = Math.ceil(step0 / EVERY); i < Math.ceil(step1 / EVERY); i++) {
    const at = i % (store.capacity / EVERY) * store.D;
    for (let d = 0; d < store.D; d++) sum += store.gate[at + d];
  }
  return sum;
}

function meanLine(ctx, box, scene) {
  const { store, t0, span, theme, dpr } = scene;
  const capacity = store.capacity / EVERY;
  const [w, h] = devicePixels(box, dpr), wide = w / span;
  lines.open(lowPixels.open(w, h), w, h, scene.dpr);
  const end = Math.ceil(scene.step1 / EVERY);
  for (let i = Math.ceil(scene.step0 / EVERY); i < end; i++) {
    const v = store.gateMean[(i % capacity) * store.L + shown.block];
    const y = h * (1 - Math.min(FULL, v) / FULL);
    lines.to(Math.max(0, (i * EVERY - t0) * wide), y);
    lines.to(Math.max(0, (Math.min(scene.step1, (i + 1) * EVERY) - t0) * wide), y);
    shown.mean_last = v;
  }
  lines.paint(word(blockColor(shown.block, theme.dark)), LINE_PX * dpr);
  lowPixels.put(ctx, box.x, box.y, dpr);
}
