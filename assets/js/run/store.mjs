/**
 * What a run session published, as far as the page holds it: a column for every number a step has,
 * and the newest of everything else. `generation` counts the times it began anew.
 */

const FIRST = 1024;
const EVENTS = 4000;

/** A typed array that grows. */
class Column {
  constructor(Type) {
    this.Type = Type;
    this.room = new Type(FIRST);
  }

  /** Put `value` at place `n`. */
  put(n, value) {
    if (n >= this.room.length) {
      const more = new this.Type(this.room.length * 2);
      more.set(this.room);
      this.room = more;
    }
    this.room[n] = value;
  }
}

export class RecordStore {
  constructor() {
    this.generation = 0;
    this.version = 0;
    this.epoch = null;
    this.#begin({});
  }

  #begin(series) {
    this.series = series;
    this.n = 0;
    this.step0 = this.step1 = 0;
    this.steps = new Column(Float64Array);
    this.columns = new Map();
    this.newest = {};
    this.told = {};
    this.events = [];
    this.generation++;
    this.version++;
  }

  get empty() { return this.epoch === null; }

  /** Whether `frame` follows what is held. */
  continues({ meta }) { return meta.epoch === this.epoch && meta.step0 <= this.step1; }

  /**
   * Take a frame; a keyframe is the whole course.
   * @param {{meta: object, arrays: object}} frame decoded
   * @param {object} series the manifest's `series`
   */
  take({ meta, arrays }, series) {
    if (meta.kind === "keyframe" || meta.epoch !== this.epoch) this.#begin(series);
    this.epoch = meta.epoch;
    const from = this.n, last = from ? this.steps.room[from - 1] : -1;
    const steps = arrays.steps?.data ?? between(meta.step0, meta.step1);
    let skip = 0;
    while (skip < steps.length && steps[skip] <= last) skip++;
    for (let i = skip; i < steps.length; i++) this.steps.put(from + i - skip, steps[i]);
    for (const [name, array] of Object.entries(arrays)) {
      if (name === "steps") continue;
      if (this.series[name]?.per_step) this.#rows(name, array, skip, from);
      else this.newest[name] = { ...array, data: array.data.slice(), step: meta.step1 };
    }
    this.n = from + Math.max(0, steps.length - skip);
    if (meta.kind === "keyframe") this.step0 = meta.step0;
    this.step1 = meta.step1;
    for (const key of ["shown_tokens", "shown_text", "every"]) if (key in meta) this.told[key] = meta[key];
    for (const event of meta.events ?? []) this.events.push(event);
    if (this.events.length > EVENTS) this.events.splice(0, this.events.length - EVENTS);
    this.version++;
  }

  #rows(name, { data, shape }, skip, from) {
    const width = shape.slice(1).reduce((a, b) => a * b, 1);
    let columns = this.columns.get(name);
    if (!columns) this.columns.set(name, columns = []);
    for (let c = 0; c < width; c++) {
      const column = columns[c] ??= new Column(Float32Array);
      for (let i = skip; i < shape[0]; i++) column.put(from + i - skip, data[i * width + c]);
    }
  }

  /** The step of each row held. */
  get x() { return this.steps.room.subarray(0, this.n); }

  /** Column `c` of the per-step array `name`, or null where the session has none. */
  column(name, c) {
    const column = this.columns.get(name)?.[c];
    return column ? column.room.subarray(0, this.n) : null;
  }
}

function between(step0, step1) {
  return Array.from({ length: Math.max(0, step1 - step0) }, (_, i) => step0 + i);
}
