// Ranges, ticks and places on the axes of a line chart. Pure functions.

import { num } from "./format.mjs";
import { ticks } from "./marks/paint.mjs";

const LEADS = [1, 2, 5, 10];

/** The smallest of 1, 2, 5 times a power of ten that is not below `value`, at least `least`. */
export function niceEnd(value, least = 10) {
  const wanted = Math.max(value, least), power = 10 ** Math.floor(Math.log10(wanted));
  return LEADS.map((lead) => lead * power).find((end) => end >= wanted * (1 - 1e-9)) ?? wanted;
}

/** First index whose x is not below `value`, in ascending `x` of `n` points. */
export function lowerBound(x, n, value) {
  let lo = 0, hi = n;
  while (lo < hi) {
    const middle = (lo + hi) >> 1;
    if (x[middle] < value) lo = middle + 1; else hi = middle;
  }
  return lo;
}

/** Least and greatest finite value of the series within [x0, x1]; of a log axis the positive ones; or null. */
export function extent(series, [x0, x1], log) {
  let lo = Infinity, hi = -Infinity;
  for (const { x, y } of series) {
    const from = Math.max(0, lowerBound(x, y.length, x0) - 1);
    const to = Math.min(y.length, lowerBound(x, y.length, x1) + 1);
    for (let i = from; i < to; i++) {
      const v = y[i];
      if (!(v < Infinity) || (log ? v <= 0 : v === -Infinity)) continue;
      if (v < lo) lo = v;
      if (v > hi) hi = v;
    }
  }
  return lo <= hi ? [lo, hi] : null;
}

/** The axis for values from `lo` to `hi`: its ends on ticks, so that it stands still while they move a little. */
export function niceRange([lo, hi], log) {
  if (log) return [floorLead(lo), ceilLead(hi > lo ? hi : lo * 1.01)];
  if (lo === hi) return lo === 0 ? [0, 1] : niceRange([lo - Math.abs(lo) / 20, hi + Math.abs(hi) / 20], false);
  const marks = ticks(lo, hi, 4), step = (marks[1] ?? hi) - (marks[0] ?? lo) || hi - lo;
  return [Math.floor(lo / step + 1e-9) * step, Math.ceil(hi / step - 1e-9) * step];
}

function floorLead(v) {
  const power = 10 ** Math.floor(Math.log10(v));
  return power * (v >= 5 * power ? 5 : v >= 2 * power ? 2 : 1);
}

function ceilLead(v) {
  const power = 10 ** Math.floor(Math.log10(v));
  return power * (LEADS.find((lead) => v <= lead * power * (1 + 1e-9)) ?? 10);
}

/** `[value, text]` of the ticks of an axis; `room` is how many labels fit. */
export function axisTicks([lo, hi], log, room) {
  if (!log) {
    const places = ticks(lo, hi, room), step = places.length > 1 ? places[1] - places[0] : 1;
    const digits = Math.max(0, Math.min(8, -Math.floor(Math.log10(step) + 1e-9)));
    return places.map((v) => [v, step < 1e-6 ? num(v, 3) : trimmed(v, digits)]);
  }
  const decades = Math.log10(hi / lo), leads = decades * 3 <= room ? [1, 2, 5] : decades * 2 <= room ? [1, 3] : [1];
  const every = leads.length > 1 ? 1 : Math.max(1, Math.ceil(decades / Math.max(1, room)));
  const marks = [];
  for (let e = Math.floor(Math.log10(lo) - 1e-9); e <= Math.ceil(Math.log10(hi)); e++) {
    for (const lead of leads) {
      const v = lead * 10 ** e;
      if (v < lo * (1 - 1e-9) || v > hi * (1 + 1e-9) || e % every) continue;
      marks.push([v, tickText(v)]);
    }
  }
  return marks;
}

function trimmed(v, digits) {
  const text = v.toFixed(digits);
  return Number(text) === 0 ? "0" : Math.abs(v) >= 10_000 ? Math.round(v).toLocaleString("en") : text;
}

const tickText = (v) => (v >= 1e5 || v < 1e-4 ? v.toExponential(0).replace("e+", "e") : num(v, 3));

/** A function from values to pixels: `range` onto [from, to]. */
export function scale([lo, hi], from, to, log = false) {
  if (!log) return (v) => from + (v - lo) / (hi - lo) * (to - from);
  const a = Math.log(lo), b = Math.log(hi);
  return (v) => from + (Math.log(v) - a) / (b - a) * (to - from);
}
