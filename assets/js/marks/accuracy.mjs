/** Held-out accuracy over the whole run with the level of chance; below, what the answers earn. */

import { emptyNote, label, plate } from "./paint.mjs";

const CHANCE = 0.1, LINE = "#0072B2", LINE_DARK = "#56B4E9", REWARD = "#E69F00";
let shown = {};

export const mark = {
  slug: "accuracy",
  time: false,
  sameUnits: true,
  margin: { l: 64, r: 24 },

  layout: (scene) => ({
    xaxis: { range: [0, end(scene)], anchor: "y2", title: { text: "Simulated time (s)" }, fixedrange: false },
    yaxis: { range: [0, 100], domain: [0.44, 1], tickvals: [0, 25, 50, 75, 100], fixedrange: true,
      title: { text: "Right (%)" } },
    yaxis2: { range: [-2, 2], domain: [0, 0.34], tickvals: [-2, 0, 2], fixedrange: true, anchor: "x",
      title: { text: "Reward (1)" } },
  }),

  layoutKey: (scene) => String(end(scene)),

  draw(ctx, scene) {
    const { box, theme } = scene;
    const low = scene.boxOf("yaxis2"), course = layerOf(scene)?.course ?? [];
    const last = newest(scene);
    shown = { points: course.length, learned: layerOf(scene)?.learned ?? null, answer: last };
    const color = theme.dark ? LINE_DARK : LINE;
    chance(ctx, scene);
    if (!course.length) emptyNote(ctx, box, "no held-out digit was scored yet · every fifth one is held out", theme);
    line(ctx, box, scene, course.map(([t, right]) => [t, right]), color);
    if (!low) return;
    line(ctx, low, scene, course.map(([t, , expected]) => [t, (expected + 2) / 4]), color);
    deltas(ctx, low, scene);
  },

  labels(ctx, scene) {
    const low = scene.boxOf("yaxis2"), { theme, box } = scene;
    if (!low) return;
    plate(ctx, "line: reward expected   ◆ delta = r − expected", low.x + low.w, low.y - 9, theme.fg, theme.bg, "right");
    label(ctx, "held out", box.x + 6, box.y + 9, theme.muted);
  },

  foot(scene) {
    const { learned, answer } = shown, parts = [];
    if (learned?.accuracy !== null && learned !== null) {
      const n = Math.min(learned.window, learned.scored), [lo, hi] = interval(learned.accuracy, n);
      parts.push(`${percent(learned.accuracy)} of the last ${n} held-out digits (95 %: ${percent(lo)} to ${percent(hi)}), ${learned.scored} scored`);
    } else {
      parts.push("no held-out digit scored yet");
    }
    if (answer) {
      parts.push(`last training answer ${answer.answer ?? "none"} for ${answer.label}`);
      if (answer.delta !== undefined) {
        parts.push(`r ${fixed(answer.r)} − ${fixed(answer.r_hat)} expected = delta ${fixed(answer.delta)} to DA`);
      } else if (scene.params?.values?.["sensory.reward"] === false) parts.push("reward off");
    }
    return parts.join(" · ");
  },

  drawn: () => shown,
};

/** The sample that the window ends with. */
function layerOf(scene) { return scene.store.layerAt(scene.step1); }

/** End of the time axis in s: 1, 2 or 5 times a power of ten. */
function end(scene) {
  const course = layerOf(scene)?.course ?? [];
  const t = course.length ? course.at(-1)[0] : 0;
  for (let power = 10; power < 1e9; power *= 10) {
    for (const lead of [1, 2, 5]) if (lead * power >= t) return lead * power;
  }
  return t;
}

function newest(scene) {
  const { events } = scene.store;
  for (let i = events.length - 1; i >= 0; i--) {
    if (events[i].type === "answer" && events[i].split === "train" && events[i].step < scene.step1) return events[i];
  }
  return null;
}

function chance(ctx, { box, theme }) {
  const y = box.y + box.h * (1 - CHANCE);
  ctx.strokeStyle = theme.alert;
  ctx.lineWidth = 1.5;
  ctx.setLineDash([5, 3]);
  ctx.beginPath();
  ctx.moveTo(box.x, y);
  ctx.lineTo(box.x + box.w, y);
  ctx.stroke();
  ctx.setLineDash([]);
  plate(ctx, "chance 10 %", box.x + box.w - 2, y - 9, theme.alert, theme.bg, "right");
}

/** `points` of [time in s, share of the height]. */
function line(ctx, box, scene, points, color) {
  const right = end(scene);
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  points.forEach(([t, share], k) => {
    const x = box.x + t / right * box.w, y = box.y + box.h * (1 - Math.min(1, Math.max(0, share)));
    if (k === 0) ctx.moveTo(x, y); else ctx.lineTo(x, y);
    if (points.length < 40) ctx.fillRect(x - 1.5, y - 1.5, 3, 3);
  });
  ctx.stroke();
}

/** A diamond for the delta of each rewarded answer of the window, as in the figure. */
function deltas(ctx, box, scene) {
  const right = end(scene);
  ctx.fillStyle = REWARD;
  shown.deltas = 0;
  for (const event of scene.store.events) {
    if (event.type !== "answer" || event.delta === undefined || event.step < scene.step0 || event.step >= scene.step1) continue;
    const x = box.x + event.t_ms / 1000 / right * box.w;
    const y = box.y + box.h * (1 - (Math.min(2, Math.max(-2, event.delta)) + 2) / 4);
    if (x < box.x || x > box.x + box.w) continue;
    ctx.beginPath();
    ctx.moveTo(x, y - 3.5);
    ctx.lineTo(x + 3.5, y);
    ctx.lineTo(x, y + 3.5);
    ctx.lineTo(x - 3.5, y);
    ctx.fill();
    shown.deltas++;
  }
}

/** 95 % interval of a share of `n` answers (Wilson 1927). */
function interval(p, n) {
  const z = 1.96, base = 1 + z * z / n, middle = (p + z * z / (2 * n)) / base;
  const half = z * Math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / base;
  return [middle - half, middle + half];
}

function percent(v) { return `${Math.round(100 * v)} %`; }

function fixed(v) { return (v >= 0 ? "+" : "−") + Math.abs(v).toFixed(2); }
