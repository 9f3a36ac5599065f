/** Receptive fields of the sensory layer: a row a digit, each neuron's 64 weights as an 8 x 8 image. */

import { CIVIDIS, CIVIDIS_STOPS } from "../colors.mjs";
import { Pixels, colorBar, devicePixels, emptyNote, label } from "./paint.mjs";

const EVERY = 250, SIDE = 8, STEP = 9, CLASSES = 10, NO_LABEL = 255;
const WIDE = 32, NARROW = 14, NARROW_PX = 420;
const pixels = new Pixels();
let shown = {}, sorted = { of: null, rows: [] };

export const mark = {
  slug: "receptive",
  time: false,
  lanes: true,
  sameUnits: true,
  margin: { l: 74, r: 66 },

  layout(scene) {
    const n = rows(scene).length;
    return {
      xaxis: { range: [0, STEP * columns(scene)], showticklabels: false, ticks: "",
        showgrid: false, title: { text: "A row: the neurons of one digit (how many)" } },
      yaxis: { range: [STEP * n, 0], showticklabels: false, ticks: "", showgrid: false, fixedrange: true },
    };
  },

  layoutKey: columns,

  /** Nothing to draw anew while this stays the same: samples come every 250 steps. */
  stillKey: (scene) => `${scene.store.epoch}|${layerOf(scene)?.step}`,

  draw(ctx, scene) {
    const { box, theme, dpr } = scene;
    const layer = layerOf(scene);
    shown = { n: layer?.n ?? 0, drawn: 0, sum: 0, step: layer?.step ?? null };
    if (!layer) {
      emptyNote(ctx, box, `the layer is sampled ${scene.unit.every(EVERY)} · waiting for the next sample`, theme);
      return;
    }
    const [w, h] = devicePixels(box, dpr);
    const words = pixels.open(w, h);
    const list = rows(scene), across = columns(scene);
    const cells = cellOf(w, across), lines = cellOf(h, list.length);
    for (const ids of list) shown.drawn += Math.min(across, ids.length);
    for (const share of layer.fields) shown.sum += share;
    for (let y = 0; y < h; y++) {
      const ids = list[lines[y] >> 4], j = lines[y] & 15;
      if (j === SIDE) continue;
      for (let x = 0; x < w; x++) {
        const neuron = ids[cells[x] >> 4], i = cells[x] & 15;
        if (neuron === undefined || i === SIDE) continue;
        words[y * w + x] = CIVIDIS[layer.fields[(j * SIDE + i) * layer.n + neuron]];
      }
    }
    pixels.put(ctx, box.x, box.y, dpr);
  },

  labels(ctx, scene) {
    const { box, theme } = scene;
    rows(scene).forEach((ids, row, { length }) => {
      const y = box.y + (row + 0.5) * box.h / length;
      label(ctx, `${row < CLASSES ? row : "none"} (${ids.length})`, box.x - 4, y, theme.fg, "right");
    });
    const top = layerOf(scene)?.w_shown ?? 1;
    const marks = [0, 0.5, 1].map((at) => [at, String(Number((at * top).toPrecision(2)))]);
    colorBar(ctx, { x: box.x + box.w + 8, y: box.y, h: box.h }, CIVIDIS_STOPS, marks, "weight (1)", theme);
  },

  foot: (scene) => `showing ${shown.drawn ?? 0} of ${shown.n ?? 0} neurons, by the digit they answer most`
    + ` · colours 0 to ${layerOf(scene)?.w_shown ?? 1}, clipped · ${scene.unit.every(EVERY)}`,

  drawn: () => shown,
};

/** The sample that the window ends with. */
function layerOf(scene) { return scene.store.layerAt(scene.step1); }

/** Fields in a row; a narrow panel shows fewer, and says so. */
function columns(scene) { return (scene.box?.w ?? WIDE * 25) < NARROW_PX ? NARROW : WIDE; }

/** Neurons of each digit, then those without a label; sorted once a sample. */
function rows(scene) {
  const layer = layerOf(scene);
  if (sorted.of === layer && sorted.rows.length) return sorted.rows;
  const made = Array.from({ length: CLASSES + 1 }, () => []);
  layer?.labels.forEach((label, id) => made[label === NO_LABEL ? CLASSES : label].push(id));
  sorted = { of: layer, rows: made };
  return made;
}

/** For each of `length` pixels: 16 times the field it lies in, plus the cell inside (8: the gap). */
function cellOf(length, count) {
  return Int32Array.from({ length }, (_, p) => {
    const at = p * count / length;
    return Math.floor(at) << 4 | Math.min(SIDE, Math.floor((at % 1) * STEP));
  });
}
