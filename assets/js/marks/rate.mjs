/** Population rate in Hz per neuron, one stepped line a stage, in stated bins on the absolute grid. */

import { blockColor, stageColor } from "../colors.mjs";
import { eventLines, label, stageDash, timeAxis, timeGrid } from "./paint.mjs";

const BINS = [5, 10, 20, 50, 100];
const TOPS = [10, 20, 50, 100, 200, 500, 1000];
let top = { hz: 200, until: 0 };
let shown = { hz: [] };

export const mark = {
  slug: "rate",
  time: true,
  margin: { l: 64, r: 60 },

  layout: () => ({
    yaxis: { range: [0, top.hz], fixedrange: true, title: { text: "Hz per neuron" }, nticks: 5 },
  }),

  layoutKey: () => top.hz,

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
    eventLines(ctx, box, scene);
    timeAxis(ctx, box, scene);
  },

  labels(ctx, scene) {
    const { box, theme, store } = scene;
    const pitch = Math.min(15, box.h / Math.max(1, store.G / 2));
    if (pitch < 11) return;
    for (let block = 0; block < store.G / 2; block++) {
      const y = box.y + (block + 0.5) * pitch;
      ctx.fillStyle = blockColor(block, theme.dark);
      ctx.fillRect(box.x + box.w + 8, y - 2, 14, 4);
      label(ctx, `b${block}`, box.x + box.w + 27, y, theme.fg);
    }
  },

  foot: () => `bin ${shown.bin} ms, not smoothed, cut at parameter changes · solid: LIF in · dashed: LIF out · colour: block`,

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
  ctx.strokeStyle = stageColor(g, scene.theme.dark);
  ctx.lineWidth = 1.5;
  stageDash(ctx, g);
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
