// Numbers, values and times as the page writes them.

/** A number with at most `digits` significant digits and no trailing zeros. */
export function num(value, digits = 6) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "–";
  return String(Number(value.toPrecision(digits)));
}

/** A number for its box, whole to 12 digits: a large round one, as 1000000, as `1e6`, which a box has room for. */
export function boxText(value) {
  const whole = num(value, 12);
  const brief = Math.abs(value) >= 1 ? Number(whole).toExponential().replace("+", "") : whole;
  return whole.length > 6 && brief.length < whole.length ? brief : whole;
}

/** A parameter value for reading: `free` for null, on/off for switches. */
export function valueText(value) {
  if (value === null || value === undefined) return "free";
  if (value === true) return "on";
  if (value === false) return "off";
  return typeof value === "number" ? num(value) : String(value);
}

/** A value with its unit; the unit "1" is not written. */
export function withUnit(value, unit) {
  const text = valueText(value);
  return unit && unit !== "1" && typeof value === "number" ? `${text} ${unit}` : text;
}

/** Simulated milliseconds as `12.34 s`. */
export function simTime(ms) {
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(ms < 100_000 ? 2 : 1)} s` : "–";
}

/** What one of the axis is called where its own name is no word. */
const AXIS_WORDS = { train_step: "step" };

/** A time or a length of it on the session's axis: `12.3 s` of simulated ms, else `12,300 steps`. */
export function axisText(ms, axis = "sim_ms", digits = 1) {
  if (axis === "sim_ms") return `${(ms / 1000).toFixed(digits)} s`;
  const n = Math.round(ms);
  return `${n.toLocaleString("en")} ${AXIS_WORDS[axis] ?? axis}${n === 1 ? "" : "s"}`;
}

/** A moment on the session's axis: `12.34 s`, else `step 12,300`. */
export function momentText(t, axis = "sim_ms") {
  if (axis === "sim_ms") return simTime(t);
  return Number.isFinite(t) ? `${AXIS_WORDS[axis] ?? axis} ${Math.round(t).toLocaleString("en")}` : "–";
}

/** A stretch of the session's axis: `1.20 s simulated`, else `120 steps`. */
export const stretchText = (t, axis = "sim_ms") => (axis === "sim_ms" ? `${simTime(t)} simulated` : axisText(t, axis));

/** A parameter path for reading: `block 2 lif_in.v_thresh` for an override, else itself. */
export function pathText(path) {
  const parts = path.split(".");
  return parts.length === 4 && parts[0] === "blocks" ? `block ${parts[1]} ${parts[2]}.${parts[3]}` : path;
}

/** The sentence a refused value is answered with, from the parameter's spec. */
export function expected(spec) {
  if (spec.kind === "choice") return `one of ${spec.choices.join(", ")}`;
  if (spec.kind === "bool") return "true or false";
  if (spec.kind === "text") return "text within the length limit";
  const word = spec.kind === "int" ? "a whole number" : "a number";
  const unit = spec.unit && spec.unit !== "1" ? ` ${spec.unit}` : "";
  return `${word} from ${bound(spec.lo)} to ${bound(spec.hi)}${unit}${spec.nullable ? ", or empty (free)" : ""}`;
}

/** A bound in full where it is a whole number, so that a large one is no rounded one. */
const bound = (value) => (Number.isSafeInteger(value) && Math.abs(value) < 1e12 ? String(value) : num(value));
