/** Inter-spike intervals of the rows in view: counts by length, dashed what chance alone would give. */

import { OKABE_ITO } from "../colors.mjs";
import { DASH, compact, emptyNote, grouped } from "./paint.mjs";

const LONGEST_MS = 100, FEWEST = 10, EVERY = 250;
const BLUE = OKABE_ITO[1];
let shown = { most: 0 };

export const mark = {
  slug: "isi",
  time: false,
  sameUnits: true,
  margin: { l: 64, r: 24 },

  layout: (scene) => ({
    xaxis: { range: [0, LONGEST_MS + scene.dt], fixedrange: false, title: { text: `Interval (${scene.unit.steps})` } },
    yaxis: { range: [0, topOf(shown.most)], fixedrange: true, nticks: 5, title: { text: "Intervals (count)" } },
  }),

  layoutKey: (scene) => `${topOf(shown.most)}|${scene.unit.steps}|${scene.dt}`,

  /** While the run goes on, four times a second. */
  stillKey: (scene) => `${scene.store.epoch}|${Math.floor(scene.step1 / EVERY)}|${scene.span}|${scene.rows.length}`,

  draw(ctx, scene) {
    const { box, theme } = scene, found = measured(scene);
    shown = { n: found.n, mean: found.mean, cv: found.cv, longer: found.longer, most: found.most };
    if (found.n < FEWEST) {
      emptyNote(ctx, box, `${found.n} intervals in ${length(scene)} · ${FEWEST} are needed`, theme);
      return;
    }
    const top = topOf(found.most), longest = found.counts.length - 1, wide = box.w / (longest + 1);
    const Y = (count) => box.y + box.h * (1 - count / top);
    ctx.fillStyle = BLUE;
    for (let k = 1; k <= longest; k++) {
      if (found.counts[k]) ctx.fillRect(box.x + (k - 0.5) * wide, Y(found.counts[k]), Math.max(1, wide * 0.92), box.y + box.h - Y(found.counts[k]));
    }
    ctx.strokeStyle = theme.fg;
    ctx.lineWidth = 1.5;
    ctx.setLineDash(DASH);
    ctx.beginPath();
    for (let k = 1; k <= longest; k++) ctx.lineTo(box.x + k * wide, Y(Math.min(top, chance(found, k))));
    ctx.stroke();
    ctx.setLineDash([]);
  },

  labels() {},

  foot(scene) {
    const { n, mean, cv, longer } = shown;
    const of = `${grouped(scene.rows.length)} neurons in ${length(scene)}`;
    if (n < FEWEST) return `${n} intervals of ${of}`;
    return `n ${grouped(n)}, mean ${(mean * scene.dt).toFixed(1)} ${scene.unit.steps}, CV ${cv.toFixed(2)}`
      + `${longer ? ` · ${compact(longer)} longer` : ""} · ${of} · dashed: by chance, the same mean`;
  },

  drawn: () => shown,
};

const length = (scene) => `${grouped((scene.step1 - scene.step0) * scene.dt)} ${scene.unit.steps}`;

/** Expected number of intervals of `k` steps where each step fires with probability 1 / mean. */
function chance({ n, mean }, k) { return n / mean * (1 - 1 / mean) ** (k - 1); }

/** End of the count axis: 1, 2 or 5 times a power of ten, 10 at least. */
function topOf(most) {
  for (let power = 10; ; power *= 10) for (const lead of [1, 2, 5]) if (lead * power >= most) return lead * power;
}

/** Intervals between successive spikes of a row, both in the window. */
function measured({ store, step0, step1, rows, dt }) {
  const last = new Float64Array(rows.length).fill(-1), longest = Math.round(LONGEST_MS / dt);
  const counts = new Uint32Array(longest + 1);
  let n = 0, sum = 0, squares = 0, longer = 0;
  store.eachSpike(step0, step1, (row, step) => {
    const gap = step - last[row];
    if (last[row] >= 0) {
      n++;
      sum += gap;
      squares += gap * gap;
      if (gap <= longest) counts[gap]++; else longer++;
    }
    last[row] = step;
  });
  const mean = n ? sum / n : 0;
  const cv = n ? Math.sqrt(Math.max(0, squares / n - mean * mean)) / mean : 0;
  return { n, counts, longer, mean, cv, most: counts.reduce((a, b) => Math.max(a, b), 0) };
}
