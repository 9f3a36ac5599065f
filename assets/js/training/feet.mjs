// The lines under the panels: what is drawn, with its numbers, also the text twin of the picture.

import { num } from "../format.mjs";
import { grouped } from "../marks/paint.mjs";
import { SPEED_SPAN } from "./course.mjs";
import { NORM_HIGH, NORM_LOW } from "./charts.mjs";

const LATE = 20; // steps that a new model needs until its norms are told of

/** `{slug: text}` of the course at its newest step. */
export function feet(course) {
  const { store, runs } = course;
  if (!store.n) return {};
  const i = store.n - 1, step = store.x[i];
  const of = (text) => runs.map((run, r) => (runs.length > 1 ? `${run.name} ${text(run, r)}` : text(run, r))).join(" · ");
  const thin = (store.told.every ?? 1) > 1 ? ` · every ${store.told.every}th step of the course` : "";
  return {
    loss: `step ${grouped(step)} · ${of((run, r) => `${three(run.mean.values[i])} (step ${three(course.of("loss", r)[i])}${heldText(course, r)})`)}${thin}`,
    norm: of((run, r) => normText(course, r)),
    perplexity: `${of((run) => num(run.perplexity.values[i], 4))} · exp of the mean loss · ◆ held out`,
    rate: `${num(course.of("learning_rate", 0)[i], 3)} at step ${grouped(step)}`,
    speed: `${of((run) => (run.speed.values[i] > 0 ? grouped(run.speed.values[i]) : "–"))} tokens/s · mean of ${SPEED_SPAN} steps`,
  };
}

const three = (v) => (Number.isFinite(v) ? v.toFixed(3) : "–");

function heldText(course, r) {
  const held = course.of("held_out", r), x = course.store.x;
  for (let i = held.length - 1; i >= 0; i--) if (Number.isFinite(held[i])) return `, held out ${held[i].toFixed(3)} at ${grouped(x[i])}`;
  return "";
}

/** Least, median and greatest norm after the first steps, and how many leave the band. */
function normText(course, r) {
  const norm = course.of("grad_norm", r), x = course.store.x, late = [];
  let outside = 0;
  for (let i = 0; i < norm.length; i++) {
    if (x[i] < LATE || Number.isNaN(norm[i])) continue;
    late.push(norm[i]);
    if (!(norm[i] >= NORM_LOW && norm[i] <= NORM_HIGH)) outside++;
  }
  if (!late.length) return `${num(norm[norm.length - 1], 3)} · band ${NORM_LOW} to ${NORM_HIGH} from step ${LATE} on`;
  const sorted = Float32Array.from(late).sort(), at = (q) => num(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))], 3);
  return `least ${at(0)}, median ${at(0.5)}, greatest ${num(sorted[sorted.length - 1], 3)} from step ${LATE} on · ${outside} outside ${NORM_LOW} to ${NORM_HIGH}`;
}

/** How the two runs are told apart: `{text, rows}`, or null where there is one. */
export function apart(course) {
  if (course.runs.length < 2 || !course.store.n) return null;
  const [sound, faulty] = course.runs, i = lastBoth(sound.mean.values, faulty.mean.values);
  if (i < 0) return null;
  const step = course.store.x[i], [a, b] = [sound.mean.values[i], faulty.mean.values[i]];
  const norms = course.runs.map((_, r) => median(course.of("grad_norm", r)));
  return {
    step, sound: a, faulty: b, difference: b - a,
    text: `step ${grouped(step)}: loss ${a.toFixed(3)} sound, ${b.toFixed(3)} faulty: ${b >= a ? "+" : "−"}${Math.abs(b - a).toFixed(3)} nat · median gradient norm ${num(norms[0], 3)} and ${num(norms[1], 3)}`,
  };
}

function lastBoth(a, b) {
  for (let i = Math.min(a.length, b.length) - 1; i >= 0; i--) if (Number.isFinite(a[i]) && Number.isFinite(b[i])) return i;
  return -1;
}

function median(values) {
  const sorted = Float32Array.from(values).filter(Number.isFinite).sort();
  return sorted.length ? sorted[sorted.length >> 1] : NaN;
}
