/** Population rate in Hz per neuron, one stepped line a stage, in stated bins on the absolute grid. */

import { groupColor } from "../colors.mjs";
import { eventLines } from "./events.mjs";
import { Lines } from "./lines.mjs";
import { DASH, Pixels, behind, devicePixels, label, timeAxis, timeGrid, word } from "./paint.mjs";

const BINS = [5, 10, 20, 50, 100];
const TOPS = [10, 20, 50, 100, 200, 500, 1000];
const LINE_PX = 1.5;
const pixels = new Pixels(), lines = new Lines();
let top = { hz: 200, until: 0 };
let shown = { hz: [] };

export const mark = {
  slug: "rate",
  time: true,
  sameUnits: true,
  margin: { l: 64, r: 60 },
  traceWidth: 1,  // of the upright parts on the film, which are most of a stepped line

  layout: (scene) => ({
    yaxis: { range: [0, top.hz], fixedrange: true, title: { text: scene.unit.rates }, nticks: 5 },
  }),

  layoutKey: (scene) => `${top.hz}|${scene.unit.rates}`,

  draw(ctx, scene) {
    const { box, store } = scene;
    const bin = BINS.find((b) => scene.span / b <= 100) ?? 100;
    const edges = scene.binEdges(bin);
    const stages = Array.from({ length: store.G }, (_, g) => binned(scene, g, edges));
    scaleTo(Math.max(0, ...stages.flat()), scene.now);
    shown = { bin, top: top.hz, hz: stages.map((_, g) => scene.hz(g)), step0: scene.step0, step1: scene.step1 };
    const [w, h] = devicePixels(box, scene.dpr);
    lines.open(pixels.open(w, h), w, h, scene.dpr);
    stages.forEach((hz, g) => steps(scene, edges, hz, scene.groups[g]));
    pixels.put(ctx, box.x, box.y, scene.dpr);
    behind(ctx, () => timeGrid(ctx, box, scene));
    eventLines(ctx, box, scene, mark);
    timeAxis(ctx, box, scene);
  },

  labels(ctx, scene) {
    const { box, theme } = scene;
    const shown = scene.groups.filter((group) => !group.dashed);
    const pitch = Math.min(15, box.h / Math.max(1, shown.length));
    if (pitch < 11) return;
    shown.forEach((group, k) => {
      const y = box.y + (k + 0.5) * pitch;
      ctx.fillStyle = groupColor(group, theme.dark);
      ctx.fillRect(box.x + box.w + 8, y - 2, 14, 4);
      label(ctx, group.block === null ? group.short.slice(0, 4) : `b${group.block}`, box.x + box.w + 27, y, theme.fg);
    });
  },

  foot: (scene) => `bin ${shown.bin * scene.dt} ${scene.unit.steps}, not smoothed, cut at parameter changes`
    + (scene.groups.some((group) => group.dashed) ? " · solid: LIF in · dashed: LIF out · colour: block" : ""),

  drawn: () => shown,
};

/** Hz per neuron of group `g` between each two of `edges`, where a bin ends. */
function binned(scene, g, edges) {
  const { store, dt } = scene, { G, capacity } = store, n = scene.groups[g]?.n ?? 1;
  const hz = new Array(Math.max(0, edges.length - 1));
  for (let e = 0; e < hz.length; e++) {
    let sum = 0;
    for (let s = edges[e]; s < edges[e + 1]; s++) sum += store.rates[(s % capacity) * G + g];
    hz[e] = sum / n / ((edges[e + 1] - edges[e]) * dt) * 1000;
  }
  return hz;
}

/** One group's rate as a stepped line, into the pixels. */
function steps({ t0, span, theme, dpr }, edges, rates, group) {
  const wide = lines.w / span;
  lines.begin();
  rates.forEach((hz, e) => {
    const y = lines.h * (1 - Math.min(hz, top.hz) / top.hz);
    lines.to(Math.max(0, (edges[e] - t0) * wide), y);
    lines.to(Math.max(0, (edges[e + 1] - t0) * wide), y);
  });
  const dash = group?.dashed ? DASH.map((px) => Math.round(px * dpr)) : null;
  lines.paint(word(groupColor(group, theme.dark)), LINE_PX * dpr, { dash });
}

function scaleTo(max, now) {
  const want = TOPS.find((t) => t >= max * 1.05) ?? 1000;
  if (want >= top.hz) top = { hz: want, until: now + 3000 };
  else if (now > top.until) top = { hz: want, until: now + 3000 };
}
