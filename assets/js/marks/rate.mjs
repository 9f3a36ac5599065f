/** Population rate in Hz per neuron, one stepped line a stage, in stated bins on the absolute grid. */

import { groupColor } from "../colors.mjs";
import { eventLines } from "./events.mjs";
import { label, groupDash, timeAxis, timeGrid } from "./paint.mjs";

const BINS = [5, 10, 20, 50, 100];
const TOPS = [10, 20, 50, 100, 200, 500, 1000];
let top = { hz: 200, until: 0 };
let shown = { hz: [] };

export const mark = {
  slug: "rate",
  time: true,
  sameUnits: true,
  margin: { l: 64, r: 60 },

  layout: (scene) => ({
    yaxis: { range: [0, top.hz], fixedrange: true, title: { text: scene.unit.rates }, nticks: 5 },
  }),

  layoutKey: (scene) => `${top.hz}|${scene.unit.rates}`,

  draw(ctx, scene) {
    const { box, store } = scene;
    const bin = BINS.find((b) => scene.span / b <= 100) ?? 100;
    timeGrid(ctx, box, scene);
    const lines = Array.from({ length: store.G }, (_, g) => binned(scene, g, bin));
    scaleTo(Math.max(0, ...lines.flat().map((point) => point[1])), scene.now);
    shown = { bin, hz: [], step0: scene.step0, step1: scene.step1 };
    lines.forEach((line, g) => {
      shown.hz[g] = scene.hz(g);
      step(ctx, scene, line, g, bin);
    });
    ctx.setLineDash([]);
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

  foot: (scene) => `bin ${shown.bin} ${scene.unit.steps}, not smoothed, cut at parameter changes`
    + (scene.groups.some((group) => group.dashed) ? " · solid: LIF in · dashed: LIF out · colour: block" : ""),

  drawn: () => shown,
};

/** `[step, hz]` at each bin's start; bins end early at a parameter change. */
function binned(scene, g, bin) {
  const { store } = scene;
  const n = scene.groups[g]?.n ?? 1;
  const edges = scene.binEdges(bin);
  const out = [];
  for (let e = 0; e + 1 < edges.length; e++) {
    let sum = 0;
    for (let s = edges[e]; s < edges[e + 1]; s++) sum += store.rates[(s % store.capacity) * store.G + g];
    out.push([edges[e], sum / n / ((edges[e + 1] - edges[e]) * scene.dt) * 1000]);
  }
  return out;
}

function step(ctx, scene, line, g) {
  const { box, t0, span } = scene;
  ctx.strokeStyle = groupColor(scene.groups[g], scene.theme.dark);
  ctx.lineWidth = 1.5;
  groupDash(ctx, scene.groups[g]);
  ctx.beginPath();
  let y = null;
  for (const [s, hz] of line) {
    const x = box.x + Math.max(0, (s - t0) / span * box.w);
    const next = box.y + box.h * (1 - Math.min(hz, top.hz) / top.hz);
    if (y === null) ctx.moveTo(x, next);
    else { ctx.lineTo(x, y); ctx.lineTo(x, next); }
    y = next;
  }
  if (y !== null) ctx.lineTo(box.x + (scene.step1 - t0) / span * box.w, y);
  ctx.stroke();
}

function scaleTo(max, now) {
  const want = TOPS.find((t) => t >= max * 1.05) ?? 1000;
  if (want >= top.hz) top = { hz: want, until: now + 3000 };
  else if (now > top.until) top = { hz: want, until: now + 3000 };
}
