/** How regular single neurons fire and how much a group fires together, beside the values of chance. */

import { groupColor } from "../colors.mjs";
import { DASH, emptyNote, grouped } from "./paint.mjs";

const LOW = -1, HIGH = 2; // powers of ten
const APART = 0.16, RADIUS = 4.5, FEWEST = 3, EVERY = 250;
let shown = {};

export const mark = {
  slug: "regularity",
  time: false,
  sameUnits: true,
  margin: { l: 64, r: 24 },

  layout: ({ groups }) => ({
    xaxis: { range: [-0.5, Math.max(1, groups.length) - 0.5], fixedrange: false, showgrid: false,
      tickvals: groups.map(({ g }) => g), ticktext: groups.map(inTwoLines), tickangle: 0, title: { text: "" } },
    yaxis: { type: "log", range: [LOW, HIGH], fixedrange: true, tickvals: [0.1, 1, 10, 100], title: { text: "CV, Fano (1)" } },
  }),

  layoutKey: ({ groups }) => groups.map(({ short }) => short).join("|"),

  /** While the run goes on, four times a second. */
  stillKey: (scene) => `${scene.store.epoch}|${Math.floor(scene.step1 / EVERY)}|${scene.span}|${scene.rows.length}`,

  draw(ctx, scene) {
    const { box, theme, groups } = scene;
    const { cv, neurons } = variation(scene), fano = together(scene);
    shown = { cv, fano, neurons };
    const X = (at) => box.x + (at + 0.5) / Math.max(1, groups.length) * box.w;
    const Y = (v) => box.y + box.h * (1 - (Math.log10(v) - LOW) / (HIGH - LOW));
    chance(ctx, box, theme, Y(1));
    ctx.lineWidth = 2;
    groups.forEach((group, g) => {
      ctx.fillStyle = ctx.strokeStyle = groupColor(group, theme.dark);
      if (inside(cv[g])) dot(ctx, X(g - APART), Y(cv[g]));
      if (inside(fano[g])) diamond(ctx, X(g + APART), Y(fano[g]));
    });
    if (![...cv, ...fano].some(Number.isFinite)) emptyNote(ctx, box, "no group fires in this window", theme);
  },

  labels() {},

  foot: (scene) => `● CV of intervals, mean over ${grouped(shown.neurons ?? 0)} neurons · ◇ Fano of a group's spikes in a step`
    + ` · dashed: by chance 1 · ${grouped((scene.step1 - scene.step0) * scene.dt)} ${scene.unit.steps}`,

  drawn: () => shown,
};

/** `b0 out` as two lines; a name of one word is cut short. */
const inTwoLines = ({ short }) => (short.includes(" ") ? short.replace(" ", "<br>") : short.slice(0, 4));

const inside = (v) => Number.isFinite(v) && v >= 10 ** LOW && v <= 10 ** HIGH;

/** Mean CV of each group's rows in view that fire three times or more, and how many those are in all. */
function variation({ store, step0, step1, rows, rowGroups, groups }) {
  const n = new Uint32Array(rows.length), first = new Float64Array(rows.length);
  const last = new Float64Array(rows.length), squares = new Float64Array(rows.length);
  store.eachSpike(step0, step1, (row, step) => {
    if (n[row]++) squares[row] += (step - last[row]) ** 2; else first[row] = step;
    last[row] = step;
  });
  const cv = new Array(groups.length).fill(NaN);
  let neurons = 0;
  for (const { g, from, to } of rowGroups) {
    let sum = 0, count = 0;
    for (let row = from; row < to; row++) {
      if (n[row] < FEWEST) continue;
      const mean = (last[row] - first[row]) / (n[row] - 1);
      sum += Math.sqrt(Math.max(0, squares[row] / (n[row] - 1) - mean * mean)) / mean;
      count++;
    }
    if (count) cv[g] = sum / count;
    neurons += count;
  }
  return { cv, neurons };
}

/** Variance over mean of each group's spikes in a step, over all its neurons. */
function together({ store, step0, step1, groups }) {
  const n = Math.max(1, step1 - step0);
  return groups.map((_, g) => {
    let sum = 0, squares = 0;
    for (let step = step0; step < step1; step++) {
      const v = store.rates[(step % store.capacity) * store.G + g];
      sum += v;
      squares += v * v;
    }
    const mean = sum / n;
    return mean > 0 ? (squares / n - mean * mean) / mean : NaN;
  });
}

function chance(ctx, box, theme, y) {
  ctx.strokeStyle = theme.fg;
  ctx.lineWidth = 1;
  ctx.setLineDash(DASH);
  ctx.beginPath();
  ctx.moveTo(box.x, y);
  ctx.lineTo(box.x + box.w, y);
  ctx.stroke();
  ctx.setLineDash([]);
}

function dot(ctx, x, y) {
  ctx.beginPath();
  ctx.arc(x, y, RADIUS, 0, 2 * Math.PI);
  ctx.fill();
}

function diamond(ctx, x, y) {
  ctx.beginPath();
  ctx.moveTo(x, y - RADIUS - 1);
  ctx.lineTo(x + RADIUS + 1, y);
  ctx.lineTo(x, y + RADIUS + 1);
  ctx.lineTo(x - RADIUS - 1, y);
  ctx.closePath();
  ctx.stroke();
}
