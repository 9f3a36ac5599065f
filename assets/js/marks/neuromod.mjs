/** Neuromodulator levels as a heatmap around their baselines, as lines, or the gains they apply. */

import { DIVERGING_STOPS, NEUROMODULATORS, diverging, neuromodColor } from "../colors.mjs";
import { eventLines } from "./events.mjs";
import {
  Pixels, colorBar, devicePixels, eachColumn, label, timeAxis, timeGrid, word,
} from "./paint.mjs";

const GAINS = [
  "ACh → thalamic gate", "NE → LIF in, LIF out", "DA → LTP (LIF in rec.)", "DA → LTD (LIF in rec.)",
  "5-HT → RWKV decay",
];
/** Rows whose gain acts only while dopamine scales A+ and A-. */
const BY_DOPAMINE = [2, 3];
const PATHS = ["DA", "ACh", "NE", "5HT"];
const GAIN_MAX = 2;
/** Above the levels, for the labels of events. */
const STRIP_PX = 18;
const pixels = new Pixels();
let shown = {};

export const mark = {
  slug: "neuromod",
  time: true,
  lanes: true,
  eventLanes: 1, // in the strip above the levels
  margin: { l: 196, r: 60 },

  layout: (scene, { height, margin }) => ({
    yaxis: { domain: [0, 1 - STRIP_PX / Math.max(2 * STRIP_PX, height - margin.t - margin.b)], range: [0, 1], showgrid: false, fixedrange: true,
      showticklabels: scene.view.neuromod_view === "lines", dtick: 0.25,
      ticks: scene.view.neuromod_view === "lines" ? "outside" : "",
      title: { text: scene.view.neuromod_view === "lines" ? "Level (1)" : "" } },
  }),

  layoutKey: (scene) => scene.view.neuromod_view,

  draw(ctx, scene) {
    const { box, view } = scene;
    summarise(scene);
    if (view.neuromod_view === "lines") lines(ctx, scene);
    else heat(ctx, scene, view.neuromod_view === "gains");
    eventLines(ctx, { x: box.x, y: box.y - STRIP_PX, w: box.w, h: box.h + STRIP_PX }, scene, mark);
    if (view.neuromod_view === "levels") triangles(ctx, scene);
    timeAxis(ctx, box, scene);
  },

  labels(ctx, scene) {
    const { box, theme, view, store } = scene;
    if (store.empty) return;
    const last = (scene.step1 - 1) % store.capacity;
    if (view.neuromod_view === "lines") {
      NEUROMODULATORS.forEach((name, i) => {
        const y = box.y + 10 + i * 16;
        ctx.strokeStyle = neuromodColor(i);
        ctx.lineWidth = 2;
        ctx.setLineDash(DASHES[i]);
        line(ctx, box.x + box.w + 4, y, box.x + box.w + 20, y);
        ctx.setLineDash([]);
        label(ctx, name, box.x + box.w + 23, y, theme.fg);
      });
      return;
    }
    const gains = view.neuromod_view === "gains";
    const names = gains ? GAINS : NEUROMODULATORS;
    const rowH = box.h / names.length;
    names.forEach((name, i) => {
      const text = gains ? gainText(scene, i) : `${name} ${store.levels[last * 4 + i].toFixed(2)}`;
      label(ctx, text, box.x - 8, box.y + (i + 0.5) * rowH, theme.fg, "right");
    });
    const top = gains ? GAIN_MAX : 1;
    colorBar(ctx, { x: box.x + box.w + 8, y: box.y, h: box.h }, DIVERGING_STOPS,
      [[0, "0"], [1, String(top)]], gains ? "gain, white = 1" : "white = baseline", theme);
  },

  foot(scene) {
    const base = NEUROMODULATORS.map((name, i) => `${name} ${baseline(scene, i)}`).join(", ");
    const tail = scene.view.neuromod_view === "gains"
      ? "gains really applied; white = 1, grey: not applied · rec.: recurrent weights"
      : `limits fixed 0 to 1; baseline: ${base}; triangle: bolus`;
    return tail;
  },

  drawn: () => shown,
};

const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]];

function baseline(scene, i) {
  return scene.params?.values?.[`neuromod.${PATHS[i]}_baseline`] ?? 0.5;
}

/** Whether dopamine scales A+ and A- at `step`, by the parameters in force now. */
function dopamineScales({ store, params }, step) {
  const values = params?.values;
  if (!values || !("stdp.mode" in values)) return true;
  return values["stdp.enabled"] && values["stdp.learning_rate"] > 0 && values["stdp.mode"] === "modulated"
    && store.levels[(step % store.capacity) * 4] >= values["stdp.da_gate"];
}

/** A gain's row: where it acts and its newest value, or that it has no effect. */
function gainText(scene, i) {
  const { store, step1 } = scene;
  if (step1 < 1 || !store.gains.length) return GAINS[i];
  if (BY_DOPAMINE.includes(i) && !dopamineScales(scene, step1 - 1)) return `${GAINS[i].replace(/ \(.*/, "")}: not applied`;
  return `${GAINS[i]} ${store.gains[((step1 - 1) % store.capacity) * 5 + i].toFixed(2)}`;
}

function summarise(scene) {
  const { store } = scene;
  const sum = [0, 0, 0, 0];
  for (let step = scene.step0; step < scene.step1; step++) {
    const at = (step % store.capacity) * 4;
    for (let i = 0; i < 4; i++) sum[i] += store.levels[at + i];
  }
  const injections = store.events.filter((e) => e.type === "inject"
    && e.t_ms >= scene.t0_ms && e.t_ms <= scene.t1_ms);
  const n = Math.max(1, scene.step1 - scene.step0);
  shown = { view: scene.view.neuromod_view, step0: scene.step0, step1: scene.step1,
    mean: sum.map((s) => s / n), rows: GAINS.map((_, i) => gainText(scene, i)), injections: injections.length };
}

function heat(ctx, scene, gains) {
  const { box, store, dpr } = scene;
  const [w, h] = devicePixels(box, dpr);
  const words = pixels.open(w, h);
  const rows = gains ? 5 : 4;
  const source = gains ? store.gains : store.levels;
  const tables = Array.from({ length: rows }, (_, i) => diverging(gains ? 0.5 : baseline(scene, i)));
  const top = gains ? GAIN_MAX : 1, idle = word(scene.theme.grid);
  for (let r = 0; r < rows; r++) {
    const y0 = Math.round(r * h / rows), y1 = Math.round((r + 1) * h / rows) - 1;
    eachColumn(scene, w, (x, s0, s1) => {
      let sum = 0;
      for (let step = s0; step < s1; step++) sum += source[(step % store.capacity) * rows + r];
      if (gains && BY_DOPAMINE.includes(r) && !dopamineScales(scene, s1 - 1)) {
        words[y0 * w + x] = idle;
        return;
      }
      const v = Math.round(sum / (s1 - s0) / top * 255);
      words[y0 * w + x] = tables[r][Math.min(255, Math.max(0, v))];
    });
    for (let y = y0 + 1; y < y1; y++) words.copyWithin(y * w, y0 * w, y0 * w + w);
  }
  pixels.put(ctx, box.x, box.y, dpr);
}

function lines(ctx, scene) {
  const { box, store } = scene;
  timeGrid(ctx, box, scene);
  for (let i = 0; i < 4; i++) {
    ctx.strokeStyle = neuromodColor(i);
    ctx.lineWidth = 2;
    ctx.setLineDash(DASHES[i]);
    ctx.beginPath();
    let first = true;
    eachColumn(scene, Math.floor(box.w), (x, s0, s1) => {
      const v = store.levels[((s1 - 1) % store.capacity) * 4 + i];
      const y = box.y + box.h * (1 - v);
      if (first) ctx.moveTo(box.x + x, y); else ctx.lineTo(box.x + x, y);
      first = false;
    });
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

function line(ctx, x0, y0, x1, y1) {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

function triangles(ctx, scene) {
  const { box, store, t0_ms, t1_ms } = scene;
  const rowH = box.h / 4;
  for (const event of store.events) {
    if (event.type !== "inject" || event.t_ms < t0_ms || event.t_ms > t1_ms) continue;
    const i = PATHS.indexOf(event.nt);
    const x = box.x + (event.t_ms - t0_ms) / (t1_ms - t0_ms) * box.w;
    const y = box.y + (i + 0.5) * rowH, up = event.level >= 0 ? 1 : -1;
    ctx.beginPath();
    ctx.moveTo(x, y - 7 * up);
    ctx.lineTo(x - 6, y + 5 * up);
    ctx.lineTo(x + 6, y + 5 * up);
    ctx.closePath();
    ctx.fillStyle = "#000000";
    ctx.fill();
    ctx.strokeStyle = "#FFFFFF";
    ctx.lineWidth = 1.5;
    ctx.stroke();
  }
}
