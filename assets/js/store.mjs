/**
 * Typed rings over simulated steps: everything received, of which the marks draw a window.
 * A step's slot is `step % capacity`; gate samples lie at steps divisible by 4.  Shorter steps get
 * more slots, so that the record is as long in time.
 */

const GATE_EVERY = 4;
const SPIKES = 1 << 22;
const HISTORY = 512;
const EVENTS = 2000;
const LAYERS = 64;
const MATRICES = 16;

export class Store {
  /** @param {number} capacity steps kept, a multiple of 4 */
  constructor(capacity = 16384) {
    this.least = this.capacity = capacity;
    this.spk = new Uint16Array(SPIKES);
    this.spkStart = new Float64Array(capacity);
    this.spkCount = new Uint32Array(capacity);
    this.clear();
  }

  /** Forget everything; the next frame starts a new record. */
  clear() {
    this.epoch = null;
    this.step0 = 0;
    this.step1 = 0;
    this.spkTotal = 0;
    this.rows = [];
    this.membrane = [];
    this.hist = [];
    this.layers = [];
    this.matrices = [];
    this.looks = [];
    this.events = [];
    this.meta = null;
    this.version = (this.version ?? 0) + 1;
  }

  get empty() { return this.epoch === null || this.step1 <= this.step0; }

  /** True when `frame` continues this record without a hole and with the same view. */
  continues({ meta }) {
    return meta.kind === "frame" && this.epoch === meta.epoch && meta.step0 === this.step1
      && meta.step1 - meta.step0 <= this.capacity
      && same(this.rows, meta.rows) && same(this.membrane, meta.membrane);
  }

  /**
   * Take in one Window (frame, keyframe or window answer).
   * @returns {boolean} false when it could only be used after a `clear` (a keyframe does that itself)
   */
  append(frame) {
    const { meta, arrays } = frame;
    if (meta.kind !== "frame") {
      this.clear();
      this.#open(meta, arrays);
    } else if (!this.continues(frame)) {
      return false;
    }
    this.meta = meta;
    this.#samples(meta, arrays);
    this.#spikes(meta, arrays);
    this.#histograms(meta, arrays);
    this.#layer(meta, arrays);
    this.#matrix(meta, arrays);
    this.#heads(meta, arrays);
    this.#events(meta.events ?? []);
    this.step1 = meta.step1;
    this.step0 = Math.max(this.step0, this.step1 - this.capacity);
    return true;
  }

  #open(meta, arrays) {
    const width = (name) => arrays[name]?.shape.at(-1) ?? 0;
    this.epoch = meta.epoch;
    this.step0 = this.step1 = meta.step0;
    this.rows = meta.rows ?? [];
    this.membrane = meta.membrane ?? [];
    this.#room(this.least / Math.min(1, meta.dt ?? 1));
    this.G = width("rates");
    this.K = width("u");
    this.D = width("gate");
    this.L = width("gate_mean");
    this.A = width("attention");
    this.nLevels = width("levels");
    this.nGains = width("gains");
    this.nStim = width("stim");
    this.nReach = width("stim_range");
    const n = this.capacity;
    this.rates = sized(this.rates, Uint16Array, n * this.G);
    this.u = sized(this.u, Float32Array, n * this.K);
    this.theta = sized(this.theta, Float32Array, n * this.G);
    this.clamped = sized(this.clamped, Uint16Array, n * this.G);
    this.levels = sized(this.levels, Float32Array, n * this.nLevels);
    this.gains = sized(this.gains, Float32Array, n * this.nGains);
    this.stim = sized(this.stim, Uint8Array, n * this.nStim);
    this.stimRange = sized(this.stimRange, Float32Array, n * this.nReach);
    this.gate = sized(this.gate, Uint8Array, (n / GATE_EVERY) * this.D);
    this.gateMean = sized(this.gateMean, Float32Array, (n / GATE_EVERY) * this.L);
    this.attention = sized(this.attention, Uint8Array, (n / GATE_EVERY) * this.A);
    this.keys = sized(this.keys, Uint8Array, this.A ? n / GATE_EVERY : 0);
  }

  #room(capacity) {
    if (this.capacity === capacity) return;
    this.capacity = capacity;
    this.spkStart = new Float64Array(capacity);
    this.spkCount = new Uint32Array(capacity);
  }

  #samples({ step0, step1 }, arrays) {
    ring(this.rates, arrays.rates, step0, step1, this.capacity, this.G);
    ring(this.u, arrays.u, step0, step1, this.capacity, this.K);
    ring(this.theta, arrays.theta, step0, step1, this.capacity, this.G);
    ring(this.clamped, arrays.clamped, step0, step1, this.capacity, this.G);
    ring(this.levels, arrays.levels, step0, step1, this.capacity, this.nLevels);
    ring(this.gains, arrays.gains, step0, step1, this.capacity, this.nGains);
    ring(this.stim, arrays.stim, step0, step1, this.capacity, this.nStim);
    ring(this.stimRange, arrays.stim_range, step0, step1, this.capacity, this.nReach);
    const g0 = Math.ceil(step0 / GATE_EVERY), g1 = Math.ceil(step1 / GATE_EVERY);
    ring(this.gate, arrays.gate, g0, g1, this.capacity / GATE_EVERY, this.D);
    ring(this.gateMean, arrays.gate_mean, g0, g1, this.capacity / GATE_EVERY, this.L);
    ring(this.attention, arrays.attention, g0, g1, this.capacity / GATE_EVERY, this.A);
    ring(this.keys, arrays.attention_keys, g0, g1, this.capacity / GATE_EVERY, this.A ? 1 : 0);
  }

  #spikes({ step0, step1 }, arrays) {
    const dt = arrays.spk_dt?.data ?? [], row = arrays.spk_row?.data ?? [];
    const from = Math.max(step0, step1 - this.capacity);
    let i = 0;
    while (i < dt.length && step0 + dt[i] < from) i++;
    for (let step = from; step < step1; step++) {
      const slot = step % this.capacity;
      const start = this.spkTotal;
      while (i < dt.length && dt[i] === step - step0) this.spk[this.spkTotal++ % SPIKES] = row[i++];
      this.spkStart[slot] = start;
      this.spkCount[slot] = this.spkTotal - start;
    }
    if (i < dt.length) throw new Error("spk_dt is not ascending or leaves its window");
  }

  #histograms(meta, arrays) {
    if (!arrays.hist_exc) return;
    const [M, L, bins] = arrays.hist_exc.shape;
    for (let m = 0; m < M; m++) {
      const part = (name, width) => arrays[name].data.slice(m * L * width, (m + 1) * L * width);
      this.hist.push({
        step: meta.hist_steps?.[m] ?? meta.step1, w_hi: meta.hist_w_hi?.[m] ?? meta.w_hi, w_max: meta.w_max,
        exc: part("hist_exc", bins), inh: part("hist_inh", bins), bounds: part("bounds", 2),
        pairs: part("pairs", arrays.pairs.shape[2]), L, bins,
      });
    }
    if (this.hist.length > HISTORY) this.hist.splice(0, this.hist.length - HISTORY);
  }

  /** A sample of the sensory layer: weights as bytes, labels, and the course of the run. */
  #layer(meta, arrays) {
    const { receptive, neuron_labels: labels, course } = arrays;
    if (!receptive?.shape[0]) return;
    const points = [];
    for (let at = 0; at < course.data.length && !Number.isNaN(course.data[at]); at += 3) {
      points.push([course.data[at] * meta.dt / 1000, course.data[at + 1], course.data[at + 2]]);
    }
    this.layers.push({
      step: meta.hist_steps?.at(-1) ?? meta.step1, n: receptive.shape[2], fields: receptive.data.slice(),
      labels: labels.data.slice(), course: points,
      learned: meta.learned ?? null, w_shown: meta.w_shown ?? 1,
    });
    if (this.layers.length > LAYERS) this.layers.shift();
  }

  /** A sample of a block's weights, one byte a cell, pre x post. */
  #matrix({ matrix_step: step, matrix_w_hi: w_hi, weights_block: block }, { matrix }) {
    if (!matrix?.shape[0]) return;
    this.matrices.push({ step, w_hi, block, cells: matrix.shape[1], data: matrix.data.slice() });
    if (this.matrices.length > MATRICES) this.matrices.shift();
  }

  /** A sample of a block's attention: bytes, head after head, query after query, newest key last. */
  #heads({ attention_step: step, attention_block: block }, { attention_heads: sample }) {
    if (!sample?.shape[0]) return;
    const [, heads, , keys] = sample.shape;
    this.looks.push({ step, block, heads, keys, data: sample.data.slice() });
    if (this.looks.length > MATRICES) this.looks.shift();
  }

  #events(events) {
    for (const event of events) this.events.push(event);
    if (this.events.length > EVENTS) this.events.splice(0, this.events.length - EVENTS);
  }

  /** Call `fn(row, step)` for every stored spike of steps [step0, step1). */
  eachSpike(step0, step1, fn) {
    for (let step = Math.max(step0, this.step0); step < Math.min(step1, this.step1); step++) {
      const slot = step % this.capacity;
      let at = this.spkStart[slot];
      for (const end = at + this.spkCount[slot]; at < end; at++) fn(this.spk[at % SPIKES], step);
    }
  }

  /** Number of stored spikes (of the rows in view) in steps [step0, step1). */
  countSpikes(step0, step1) {
    let total = 0;
    for (let step = Math.max(step0, this.step0); step < Math.min(step1, this.step1); step++) {
      total += this.spkCount[step % this.capacity];
    }
    return total;
  }

  /** The newest sample of the sensory layer before `step`, or null. */
  layerAt(step) {
    for (let i = this.layers.length - 1; i >= 0; i--) if (this.layers[i].step < step) return this.layers[i];
    return null;
  }

  /** The newest matrix of the weights before `step`, or null. */
  matrixAt(step) { return this.matrices.findLast((matrix) => matrix.step < step) ?? null; }

  /** The newest sample of every head before `step`, or null. */
  headsAt(step) { return this.looks.findLast((sample) => sample.step < step) ?? null; }

  /** The newest weight record at or before `step`, or null. */
  histAt(step) {
    for (let i = this.hist.length - 1; i >= 0; i--) if (this.hist[i].step < step) return this.hist[i];
    return null;
  }
}

function ring(target, source, from, to, capacity, width) {
  if (!source || !width || to <= from) return;
  const first = Math.max(from, to - capacity);
  let step = first;
  while (step < to) {
    const slot = step % capacity;
    const n = Math.min(to - step, capacity - slot);
    const at = (step - from) * width;
    target.set(source.data.subarray(at, at + n * width), slot * width);
    step += n;
  }
}

function sized(array, Type, length) {
  return array?.length === length ? array : new Type(length);
}

function same(a, b) {
  if (a === b || b === undefined) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
