/** Spike attention: weight of each key by its age, on a fixed logarithmic scale, and its entropy; or head by head. */

import { CIVIDIS, CIVIDIS_STOPS, blockColor } from "../colors.mjs";
import * as heads from "./attention-heads.mjs";
import { eventLines } from "./events.mjs";
import { colorBar, label, timeAxis, timeGrid } from "./paint.mjs";

const EVERY = 4, KEYS = 64, FULL = 255, FEWEST_KEYS = 8;
/** Colour of each byte, RGBA little-endian. */
export const shades = Uint32Array.from({ length: 256 }, (_, v) => CIVIDIS[Math.round(place(v) * 255)]);
const vLogV = Float64Array.from({ length: 256 }, (_, v) => (v ? v * Math.log(v) : 0));
const film = { canvas: null, image: null, words: null };
let shown = {};

export const mark = {
  slug: "attention",
  time: true,
  timeless: isMatrix,
  sameUnits: true,
  margin: { l: 80, r: 66 },

  layout: (scene, size, traces) => (isMatrix(scene.view) ? heads.layout(scene, size, traces) : {
    yaxis: { domain: [0.32, 1], range: [-0.5, KEYS - 0.5], showgrid: false, fixedrange: true,
      tickvals: [0, 16, 32, 48], title: { text: `Key (${scene.unit.ago} ago)` } },
    yaxis2: { domain: [0, 0.26], range: [0, 1], fixedrange: true, tickvals: [0, 0.5, 1],
      title: { text: "Entropy (1)" }, anchor: "x" },
  }),

  layoutKey: (scene) => (isMatrix(scene.view) ? heads.axesKey(scene) : scene.unit.ago),

  /** Samples of the heads come every 1000 steps; by age there is something new in every frame. */
  stillKey: (scene) => (isMatrix(scene.view) ? heads.key(scene) : null),

  draw(ctx, scene) {
    if (isMatrix(scene.view)) {
      shown = heads.draw(ctx, scene, shades);
      return;
    }
    const box = scene.box, low = scene.boxOf("yaxis2");
    shown = { block: scene.store.meta?.attention_block ?? 0, columns: 0, sum: 0, judged: 0, entropy_last: null };
    if (scene.store.A) heat(ctx, box, scene);
    if (low) {
      timeGrid(ctx, low, scene);
      if (scene.store.A) entropyLine(ctx, low, scene);
    }
    eventLines(ctx, box, scene, mark);
    if (low) eventLines(ctx, low, scene, null);
    timeAxis(ctx, low ?? box, scene);
  },

  labels(ctx, scene) {
    const { box, theme } = scene;
    const marks = [[1, "1/255"], [FULL / KEYS, "1/64"], [FULL / 4, "1/4"], [FULL, "1"]]
      .map(([v, text]) => [place(v), text]);
    if (isMatrix(scene.view)) {
      heads.labels(ctx, scene, marks);
      return;
    }
    colorBar(ctx, { x: box.x + box.w + 8, y: box.y, h: box.h }, CIVIDIS_STOPS, marks, "weight", theme);
    const low = scene.boxOf("yaxis2");
    if (low && shown.entropy_last !== null) {
      label(ctx, shown.entropy_last.toFixed(2), low.x + low.w + 6, low.y + low.h / 2, theme.fg);
    }
  },

  foot: (scene) => (isMatrix(scene.view) ? heads.foot(scene) : `block ${shown.block} · mean of the heads, ${scene.unit.every(EVERY)} · colours 1/255 to 1,`
    + ` logarithmic · line: entropy / log(keys), 1 all alike; blank under ${FEWEST_KEYS} keys or without a query spike`),

  at: (scene, x, y) => (isMatrix(scene.view) ? heads.at(scene, x, y) : null),

  drawn: () => shown,
};

/** Whether every head is shown. */
function isMatrix({ attention_view: what }) { return what === "matrix"; }

/** Where the byte `v` stands between 1/255 and 1, 0 to 1 on a logarithmic scale. */
function place(v) { return Math.log(Math.max(1, v)) / Math.log(FULL); }

/** Samples of the window: index of the first, and one past the last. */
function samples(scene) {
  return [Math.ceil(scene.step0 / EVERY), Math.ceil(scene.step1 / EVERY)];
}

/** One pixel a weight, stretched over the box. */
function heat(ctx, box, scene) {
  const { store, t0, span } = scene;
  const [first, end] = samples(scene);
  if (end <= first) return;
  const n = end - first, capacity = store.capacity / EVERY;
  const words = open(n);
  for (let i = first; i < end; i++) {
    const slot = i % capacity, at = slot * KEYS;
    const held = store.keys[slot];
    for (let age = 0; age < held; age++) {
      const v = store.attention[at + KEYS - 1 - age];
      words[(KEYS - 1 - age) * n + i - first] = shades[v];
      shown.sum += v;
    }
    shown.columns++;
  }
  film.canvas.getContext("2d").putImageData(film.image, 0, 0);
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.x, box.y, box.w, box.h);
  ctx.clip();
  ctx.imageSmoothingEnabled = false;
  const x = box.x + (first * EVERY - t0) / span * box.w;
  ctx.drawImage(film.canvas, 0, 0, n, KEYS, x, box.y, n * EVERY / span * box.w, box.h);
  ctx.restore();
}

function open(n) {
  if (film.canvas?.width !== n) {
    film.canvas ??= document.createElement("canvas");
    film.canvas.width = n;
    film.canvas.height = KEYS;
    film.image = new ImageData(n, KEYS);
    film.words = new Uint32Array(film.image.data.buffer);
  } else {
    film.words.fill(0);
  }
  return film.words;
}

function entropyLine(ctx, box, scene) {
  const { store, t0, span, theme } = scene;
  const [first, end] = samples(scene);
  const capacity = store.capacity / EVERY, query = queryGroup(scene);
  const xOf = (step) => box.x + Math.max(0, (step - t0) / span * box.w);
  ctx.strokeStyle = blockColor(shown.block, theme.dark);
  ctx.lineWidth = 2;
  ctx.beginPath();
  let open = false;
  for (let i = first; i < end; i++) {
    const fired = query === null ? 0 : store.rates[(i * EVERY % store.capacity) * store.G + query];
    const h = fired ? entropy(store, i % capacity) : null;
    if (h === null) { open = false; continue; }
    const y = box.y + box.h * (1 - h);
    if (open) ctx.lineTo(xOf(i * EVERY), y);
    else ctx.moveTo(xOf(i * EVERY), y);
    ctx.lineTo(xOf(Math.min(scene.step1, (i + 1) * EVERY)), y);
    open = true;
    shown.judged++;
    shown.entropy_last = h;
  }
  ctx.stroke();
}

/** Entropy of a sample over log(keys), or null where there are too few keys. */
function entropy(store, slot) {
  const keys = store.keys[slot], at = slot * KEYS;
  if (keys < FEWEST_KEYS) return null;
  let sum = 0, logs = 0;
  for (let k = 0; k < KEYS; k++) {
    sum += store.attention[at + k];
    logs += vLogV[store.attention[at + k]];
  }
  return sum ? (Math.log(sum) - logs / sum) / Math.log(keys) : null;
}

/** The group whose spikes ask: LIF in of the block shown. */
function queryGroup(scene) {
  const blocks = [...new Set(scene.groups.map(({ block }) => block).filter(Number.isInteger))].sort((a, b) => a - b);
  const found = scene.groups.find(({ block, stage }) => block === blocks[shown.block] && stage === "in");
  return found ? found.g : null;
}
