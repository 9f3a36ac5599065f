/** Spike raster: exact vertical ticks, or a stated density when there are too many of them. */

import { CIVIDIS, CIVIDIS_STOPS, groupColor, mix } from "../colors.mjs";
import { SIGN_ROOM, markLanes, signBefore } from "./ailing.mjs";
import { eventLines } from "./events.mjs";
import {
  Pixels, behind, colorBar, devicePixels, emptyNote, grouped, label, timeAxis, timeGrid,
  widthOf, word,
} from "./paint.mjs";

/** As in the figure: rows and rows x steps decide, and so does the number of spikes where there is no end of them. */
const MAX_TICK_ROWS = 256, MAX_TICK_CELLS = 300000, MAX_TICKS = 50000;
/** Bins across and down at most, as in the figure of the same window. */
const DENSITY_COLUMNS = 600, DENSITY_ROWS = 150;
const DENSITY_FULL = 0.25;
/** Between a label and the plot, and between two lines of it. */
const LABEL_GAP = 14, LINE = 13;
const pixels = new Pixels();
let counts = new Uint32Array(0);
let shown = { mode: "empty", ticks: 0, per_group: {}, ailing: new Map(), labels: [] };

export const mark = {
  slug: "raster",
  time: true,
  margin: { l: 196, r: 60 },

  /** @returns {object} Plotly layout of the live axes */
  layout: (scene) => ({
    yaxis: { range: [Math.max(1, scene.rows.length) - 0.5, -0.5], showticklabels: false, ticks: "",
      showgrid: false, fixedrange: true, title: { text: "" } },
  }),

  draw(ctx, scene) {
    const box = scene.box;
    const total = scene.store.countSpikes(scene.step0, scene.step1);
    const { whole } = scene, spikes = whole === scene ? total : scene.store.countSpikes(whole.step0, whole.step1);
    const dense = isDense(scene.rows.length, whole.step1 - whole.step0, spikes);
    shown = { mode: dense ? "density" : "ticks", ticks: 0, per_group: {}, rows: scene.rows.length,
      step0: scene.step0, step1: scene.step1, first_step: null, last_step: null, ailing: shown.ailing, labels: shown.labels };
    const [w, h] = devicePixels(box, scene.dpr);
    const words = pixels.open(w, h);
    if (dense) density(words, w, h, scene); else exact(words, w, h, scene);
    if (total > 0) pixels.put(ctx, box.x, box.y, scene.dpr);
    if (!dense) behind(ctx, () => timeGrid(ctx, box, scene));
    separators(ctx, box, scene);
    eventLines(ctx, box, scene, mark);
    timeAxis(ctx, box, scene);
    if (total === 0) {
      shown.why = whyEmpty(scene);
      emptyNote(ctx, box, shown.why, scene.theme);
    }
  },

  labels(ctx, scene) {
    const { box, theme } = scene;
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, box.y, box.x, box.h);
    ctx.clip();
    const ill = scene.ailing(), right = box.x - LABEL_GAP;
    let lowest = -1e9;
    shown.labels = [];
    for (const group of scene.rowGroups) {
      const from = scene.rowEdge(group.from), to = scene.rowEdge(group.to);
      const y = (Math.max(box.y, from) + Math.min(box.y + box.h, to)) / 2;
      if (to <= box.y || from >= box.y + box.h || y - lowest < 13) continue;
      lowest = y;
      const severity = ill.get(group.g), room = right - (severity ? SIGN_ROOM : 0);
      const lines = groupLabel(ctx, group, scene, room, to - from);
      lines.forEach((text, i) => label(ctx, text, right, y + (i - (lines.length - 1) / 2) * LINE, theme.fg, "right"));
      if (severity) signBefore(ctx, severity, right - Math.max(...lines.map((text) => widthOf(ctx, text))), y, theme);
      shown.labels.push(lines.join(" "));
      ctx.fillStyle = groupColor(group, theme.dark);
      ctx.fillRect(box.x - 10, from + 1, 4, to - from - 2);
    }
    inhibitoryBars(ctx, scene);
    ctx.restore();
    shown.ailing = ill;
    markLanes(ctx, scene, ill);
    if (shown.mode === "density") {
      colorBar(ctx, { x: box.x + box.w + 8, y: box.y, h: box.h }, CIVIDIS_STOPS,
        [[0, "0"], [1, String(shown.bin_max)]], "spikes / bin", theme);
    }
  },

  /** One line under the plot. */
  foot(scene) {
    const of = scene.total_n ? ` of ${grouped(scene.total_n)}` : "";
    const rows = `showing ${grouped(scene.rows.length)}${of} neurons`;
    const how = shown.mode === "density"
      ? `density, bin ${shown.bin_rows} rows × ${shown.bin_ms} ${scene.unit.steps}` : "one tick = one spike";
    return `${rows} · ${grouped(shown.ticks)} spikes in ${grouped(scene.span_ms)} ${scene.unit.steps} · ${how}`
      + ` · by ${ORDER_NAMES[scene.view.order]}${scene.order ? "" : " · grey bar: inhibitory"}`;
  },

  drawn: () => shown,

  /** Neuron id at CSS position `y` of the panel, or null. */
  neuronAt(scene, y) {
    const p = Math.floor((y - scene.box.y) / scene.box.h * scene.rows.length);
    const row = scene.order ? scene.order.inverse[p] : p;
    return scene.rows[row] ?? null;
  },
};

/** Lines that name a group, its neurons and its rate: of those that fit its lane the one that says most. */
function groupLabel(ctx, { g, n, name, short }, { unit, hz }, width, height) {
  const rate = hz(g), share = unit.share(rate), told = `${unit.rate(rate)}${share && ` (${share})`}`;
  const one = [`${name} n=${n} ${told}`, `${short} n=${n} ${told}`, `${short} ${told}`];
  const brief = `${unit.rate(rate)} ${unit.share(rate, rate < 99.5 ? 1 : 0)}`.trim();
  const two = [[`${name} n=${n}`, told], ...[told, brief, unit.rate(rate)].map((text) => [`${short} n=${n}`, text])];
  const fits = (lines) => lines.every((text) => widthOf(ctx, text) <= width);
  const most = [[one[0]], ...height >= 2 * LINE ? two : [], [one[1]], [one[2]], [`${short} ${unit.rate(rate)}`]];
  return most.find(fits) ?? [short];
}

export const ORDER_NAMES = { id: "id", rate: "rate", latency: "first-spike latency" };

/** Whether a window of so many rows, steps and spikes is shown as a density. */
export function isDense(rows, steps, spikes) {
  return rows > MAX_TICK_ROWS || rows * steps > MAX_TICK_CELLS || spikes > MAX_TICKS;
}

/** Width of a tick where `span` steps stand on `w` pixels. */
export function tickWidth(w, span) {
  return Math.max(1, Math.min(4, Math.floor(w / span * 0.9)));
}

/** Height of a tick where `rows` rows stand on `h` pixels. */
export function tickHeight(h, rows) {
  return Math.max(2, Math.floor(h / rows * 0.8));
}

function exact(words, w, h, scene) {
  const { rows, span, t0, theme, store } = scene;
  const rowH = h / Math.max(1, rows.length);
  const tickH = tickHeight(h, Math.max(1, rows.length));
  const tickW = tickWidth(w, span);
  const colors = rowColors(scene, theme);
  const perRow = new Uint32Array(rows.length), tops = new Int32Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    const p = scene.order ? scene.order.position[row] : row;
    tops[row] = Math.max(0, Math.min(h - tickH, Math.floor((p + 0.5) * rowH - tickH / 2))) * w;
  }
  const wide = w / span, right = w - tickW, below = tickH * w;
  store.eachSpike(scene.step0, scene.step1, (row, step) => {
    perRow[row]++;
    shown.first_step ??= step;
    shown.last_step = step;
    const x = Math.max(0, Math.min(right, Math.round((step - t0) * wide - tickW / 2)));
    const color = colors[row];
    for (let line = tops[row] + x, end = line + below; line < end; line += w) {
      for (let at = line; at < line + tickW; at++) words[at] = color;
    }
  });
  tally(perRow, scene);
}

function density(words, w, h, scene) {
  const { rows, span, t0 } = scene;
  const binRows = Math.max(1, Math.ceil(rows.length / DENSITY_ROWS));
  const bin = Math.max(1, Math.ceil((scene.whole.step1 - scene.whole.step0) / DENSITY_COLUMNS));
  const nr = Math.ceil(rows.length / binRows), nt = Math.ceil(span / bin) + 1;
  if (counts.length < nr * nt) counts = new Uint32Array(nr * nt);
  counts.fill(0, 0, nr * nt);
  const first = Math.floor(t0 / bin) * bin;
  const perRow = new Uint32Array(rows.length);
  scene.store.eachSpike(scene.step0, scene.step1, (row, step) => {
    perRow[row]++;
    shown.first_step ??= step;
    shown.last_step = step;
    const p = scene.order ? scene.order.position[row] : row;
    counts[Math.floor(p / binRows) * nt + Math.floor((step - first) / bin)]++;
  });
  const full = Math.max(1, Math.round(binRows * bin * scene.dt * DENSITY_FULL));
  Object.assign(shown, { bin_rows: binRows, bin_ms: bin * scene.dt, bin_max: full });
  const column = new Uint32Array(w);
  for (let x = 0; x < w; x++) column[x] = Math.floor((t0 + x / w * span - first) / bin);
  for (let y = 0; y < h; y++) {
    const at = Math.min(nr - 1, Math.floor(y / h * rows.length / binRows)) * nt;
    for (let x = 0; x < w; x++) {
      words[y * w + x] = CIVIDIS[Math.min(255, Math.round(counts[at + column[x]] / full * 255))];
    }
  }
  tally(perRow, scene);
}

function tally(perRow, scene) {
  for (const group of scene.rowGroups) {
    let n = 0;
    for (let row = group.from; row < group.to; row++) n += perRow[row];
    shown.per_group[group.g] = n;
    shown.ticks += n;
  }
}

let cachedColors = { groups: null, dark: null, words: null };

function rowColors(scene, theme) {
  if (cachedColors.groups !== scene.rowGroups || cachedColors.dark !== theme.dark) {
    const words = new Uint32Array(scene.rows.length);
    for (const group of scene.rowGroups) {
      const base = groupColor(group, theme.dark);
      for (let row = group.from; row < group.to; row++) {
        words[row] = word(scene.inhibitory(scene.rows[row]) ? mix(base, theme.line, 0.5) : base);
      }
    }
    cachedColors = { groups: scene.rowGroups, dark: theme.dark, words };
  }
  return cachedColors.words;
}

function separators(ctx, box, scene) {
  ctx.fillStyle = shown.mode === "density" ? "#FFFFFF" : scene.theme.line;
  const rowH = box.h / Math.max(1, scene.rows.length);
  for (const group of scene.rowGroups) {
    if (group.from > 0) ctx.fillRect(box.x, Math.round(box.y + group.from * rowH), box.w, 1);
  }
}

function inhibitoryBars(ctx, scene) {
  if (scene.order) return;
  const { box, theme } = scene;
  for (const group of scene.rowGroups) {
    const from = scene.rows.findIndex((id, row) =>
      row >= group.from && row < group.to && scene.inhibitory(id));
    if (from < 0) continue;
    ctx.fillStyle = theme.muted;
    ctx.fillRect(box.x - 5, scene.rowEdge(from), 4, scene.rowEdge(group.to) - scene.rowEdge(from) - 1);
  }
}

/** The watched neuron and step whose u came closest to the threshold of its own group; as in the figure. */
function whyEmpty(scene) {
  const { store } = scene, own = store.membrane.map((id) => scene.groupOf(id));
  let top = -Infinity, best = { gap: -Infinity };
  for (let step = scene.step0; step < scene.step1; step++) {
    const slot = step % store.capacity;
    for (let k = 0; k < store.K; k++) {
      const u = store.u[slot * store.K + k], theta = store.theta[slot * store.G + own[k]];
      if (Number.isFinite(u) && u > top) top = u;
      if (Number.isFinite(u - theta) && u - theta > best.gap) best = { gap: u - theta, u, theta, g: own[k] };
    }
  }
  if (!Number.isFinite(top)) return "0 spikes in window";
  if (!Number.isFinite(best.gap)) return `0 spikes in window · max u ${top.toFixed(2)} (watched neurons)`;
  const { gap, u, theta, g } = best;
  return `0 spikes in window · closest watched: u ${u.toFixed(2)} ${gap < 0 ? "<" : "≥"} θ ${theta.toFixed(2)} (${scene.groups[g].name})`;
}
