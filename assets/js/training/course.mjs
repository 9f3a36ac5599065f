/**
 * The course of a training run as the charts draw it: of each run beside another its loss, the mean of
 * its last wake steps, perplexity, norm, rate and speed; where it slept; what happened. Added to, never
 * reckoned anew but after a reset.
 */

import { pathText, valueText } from "../format.mjs";

/** Most and fewest wake steps in a smoothed loss: a twentieth of the plan, within these. */
const SPAN_MOST = 50, SPAN_LEAST = 10, SPAN_SHARE = 20;
/** Steps in a smoothed speed. */
export const SPEED_SPAN = 20;
const MOST_MARKS = 40;
const TOLD = ["param", "checkpoint", "branch", "error", "finding", "reset"];

export class Course {
  /** @param {object} store a RecordStore */
  constructor(store) {
    this.store = store;
    this.generation = -1;
  }

  /** Names of the columns of `scalars`. */
  get names() { return this.store.series.scalars?.names ?? []; }

  /** Column `name` of run `r` as it was published. */
  of(name, r) {
    const k = this.names.indexOf(name);
    return (k >= 0 && this.store.column("scalars", r * this.names.length + k)) || new Float32Array(0);
  }

  /** Bring everything up to what the store holds; `plan`: steps of the whole run. */
  update(runs, plan) {
    const wanted = Math.round(Math.min(SPAN_MOST, Math.max(SPAN_LEAST, (plan || Infinity) / SPAN_SHARE)));
    if (wanted !== this.span) { this.span = wanted; this.generation = -1; }
    const { store } = this;
    if (store.generation !== this.generation || this.runs?.length !== runs.length) this.#begin(runs);
    const from = this.done, to = store.n;
    if (to > from) {
      for (let r = 0; r < this.runs.length; r++) this.#extend(r, from, to);
      this.#sleep(from, to);
      this.done = to;
    }
    this.marks = marksOf(store.events);
  }

  #begin(runs) {
    this.generation = this.store.generation;
    this.done = 0;
    this.spans = [];
    this.runs = runs.map((name) => ({
      name, mean: new Trail(), perplexity: new Trail(), held: new Trail(), speed: new Trail(), failed: new Trail(),
      wake: [], sum: 0, pace: [],
    }));
  }

  #extend(r, from, to) {
    const run = this.runs[r], x = this.store.x;
    const [loss, held, phase, tokens, seconds, applied] =
      ["loss", "held_out", "phase", "tokens", "seconds", "applied"].map((name) => this.of(name, r));
    const span = Math.max(1, Math.round(this.span / (this.store.told.every ?? 1)));
    for (let i = from; i < to; i++) {
      if (phase[i] === 0 && Number.isFinite(loss[i])) {
        run.wake.push(loss[i]);
        run.sum += loss[i];
        if (run.wake.length > span) run.sum -= run.wake.shift();
      }
      run.mean.put(i, run.wake.length ? run.sum / run.wake.length : NaN);
      run.perplexity.put(i, Math.exp(run.wake.length ? run.sum / run.wake.length : NaN));
      run.held.put(i, Math.exp(held[i]));
      const steps = i ? x[i] - x[i - 1] : 1;
      run.pace.push([(tokens[i] - (i ? tokens[i - 1] : 0)) / steps, seconds[i]]);
      if (run.pace.length > SPEED_SPAN) run.pace.shift();
      const [done, took] = run.pace.reduce(([a, b], [n, s]) => [a + n, b + s], [0, 0]);
      run.speed.put(i, took > 0 ? done / took : NaN);
      run.failed.put(i, applied[i] === 0 ? 1 : NaN);
    }
  }

  /** What the newest step was, "awake" or "asleep", and the step from which on; null before any sleep. */
  get phase() {
    const last = this.spans?.at(-1), asleep = Boolean(last) && last.i === this.done - 1;
    return { word: this.done ? (asleep ? "asleep" : "awake") : "", from: last ? (asleep ? last.x0 : last.x1) : null };
  }

  /** Stretches of steps that replayed what was seen, of the first run. */
  #sleep(from, to) {
    const phase = this.of("phase", 0), x = this.store.x;
    for (let i = from; i < to; i++) {
      if (phase[i] !== 1) continue;
      const last = this.spans.at(-1);
      if (last && last.i === i - 1) { last.x1 = x[i] + 1; last.i = i; }
      else this.spans.push({ x0: x[i], x1: x[i] + 1, i });
    }
  }
}

/** A column of numbers that grows. */
class Trail {
  constructor() { this.room = new Float32Array(1024); this.n = 0; }

  put(i, value) {
    if (i >= this.room.length) {
      const more = new Float32Array(this.room.length * 2);
      more.set(this.room);
      this.room = more;
    }
    this.room[i] = value;
    this.n = i + 1;
  }

  get values() { return this.room.subarray(0, this.n); }
}

/** What happened, as lines on the charts; the newest of what happened at one step and is of one kind. */
function marksOf(events) {
  const found = new Map();
  for (const event of events) {
    if (!TOLD.includes(event.type) || (event.type === "finding" && event.state !== "found")) continue;
    if (event.type === "param" && event.path.startsWith("sample.")) continue;
    found.set(`${event.type} ${event.path ?? event.id ?? ""} ${event.step}`, { x: event.step, text: wordOf(event), kind: event.type });
  }
  return [...found.values()].slice(-MOST_MARKS);
}

function wordOf(event) {
  switch (event.type) {
    case "param": return `${pathText(event.path).replace(/^train\./, "")} ${valueText(event.old)} → ${valueText(event.new)}`;
    case "checkpoint": return `kept ${event.checkpoint ?? ""}`.trim();
    case "branch": return `branch ${event.session ?? ""}`.trim();
    case "error": return `${event.run ?? "run"} stopped`;
    case "finding": return event.title ?? event.id;
    default: return event.type;
  }
}
