// Between a parameter's value, its slider's position and the text in its box. Pure functions.

import { expected, num } from "./format.mjs";

const POSITIONS = 1000;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** `{value}` or `{error}` for the text of a number box; the error names the range. */
export function parseNumber(spec, text) {
  const trimmed = text.trim();
  if (trimmed === "" && spec.nullable) return { value: null };
  const value = NUMBER.test(trimmed) ? Number(trimmed) : NaN;
  return fits(spec, value) ? { value } : { error: sentence(spec, trimmed) };
}

/** Why `spec` refuses `value`, with the range and unit, or "" where only the server can tell. */
export function refusalOf(spec, value) {
  if (value === null && spec.nullable) return "";
  const fine = spec.kind === "bool" ? typeof value === "boolean"
    : spec.kind === "choice" ? spec.choices.includes(value)
      : spec.kind === "text" ? typeof value === "string" : fits(spec, value);
  return fine ? "" : sentence(spec, String(value));
}

function fits(spec, value) {
  const whole = spec.kind !== "int" || Number.isInteger(value);
  return Number.isFinite(value) && whole && value >= spec.lo && value <= spec.hi;
}

function sentence(spec, text) {
  const got = text === "" ? "nothing" : text.length > 24 ? `${text.slice(0, 24)}…` : text;
  return `expected ${expected(spec)}, got ${got}`;
}

/** The slider's own min, max and step: the value's where linear, positions where logarithmic. */
export function sliderSpec(spec) {
  if (spec.log) return { min: 0, max: POSITIONS, step: 1 };
  return { min: spec.lo, max: spec.hi, step: linearStep(spec) };
}

/** The slider position of a value; a free (null) value stands in the middle. */
export function toSlider(spec, value) {
  if (value === null || value === undefined) return spec.log ? POSITIONS / 2 : (spec.lo + spec.hi) / 2;
  if (!spec.log) return value;
  const low = logFloor(spec);
  if (value <= low) return 0;
  return Math.round((POSITIONS * Math.log(value / low)) / Math.log(spec.hi / low));
}

/** The value at a slider position, rounded to what the position can tell apart. */
export function fromSlider(spec, position) {
  if (!spec.log) return spec.kind === "int" ? Math.round(position) : Number(num(position, 12));
  if (position <= 0) return spec.lo;
  if (position >= POSITIONS) return spec.hi;
  const low = logFloor(spec);
  const value = Number(num(low * (spec.hi / low) ** (position / POSITIONS), 3));
  return clamp(spec, spec.kind === "int" ? Math.round(value) : value);
}

/** One arrow key: a step up or down, `times` steps with Shift; stays in the range. */
export function nudge(spec, value, sign, times) {
  const decade = 10 ** Math.floor(Math.log10(Math.max(Math.abs(value), logFloor(spec))));
  const step = spec.log ? decade / 10 : linearStep(spec);
  const size = spec.kind === "int" ? Math.max(1, Math.round(step)) : step;
  return clamp(spec, Number(num(value + sign * times * size, 12)));
}

function linearStep(spec) {
  if (spec.step) return spec.step;
  if (spec.kind === "int") return 1;
  return 10 ** Math.floor(Math.log10((spec.hi - spec.lo) / 100));
}

/** Where a logarithmic slider starts: the bound itself, or a millionth of the range above 0. */
function logFloor(spec) {
  return spec.lo > 0 ? spec.lo : spec.hi * 1e-6;
}

function clamp(spec, value) {
  return Math.min(spec.hi, Math.max(spec.lo, value));
}
