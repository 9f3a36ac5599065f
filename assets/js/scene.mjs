/** What one draw needs to know: the window, the rows and their groups, names, rates, the theme. */

import { absence } from "./capabilities.mjs";
import { theme } from "./colors.mjs";
import { whyDown } from "./down.mjs";
import { ailing } from "./health.mjs";

const ORDER_EVERY_MS = 1000;

/** Makes scenes; keeps what changes seldom (groups, row bands, order) between them. */
export class SceneMaker {
  constructor(app) {
    this.app = app;
    this.orderAt = 0;
    app.on("manifest", () => { this.groupsCache = null; this.rows = null; });
  }

  /**
   * @param {Store} store record to draw
   * @param {number} t1 end of the window as a step, may be fractional
   * @param {number} span its length in steps
   */
  make(store, t1, span = this.app.view.span_ms / this.app.dt) {
    const { app } = this;
    const dt = app.dt;
    const t0 = t1 - span;
    const groups = this.#groups(store);
    this.#bands(store, groups);
    const scene = {
      store, view: app.view, params: app.params, theme: theme(), dt, span, t0, t1,
      span_ms: span * dt, t0_ms: t0 * dt, t1_ms: t1 * dt,
      step0: Math.max(store.step0, Math.ceil(t0)), step1: Math.min(store.step1, Math.ceil(t1)),
      status: app.status, down: whyDown(app), age: app.age?.() ?? 0,
      dpr: window.devicePixelRatio || 1, now: performance.now(),
      rows: store.rows, groups, rowGroups: this.rowGroups,
      total_n: groups.reduce((sum, group) => sum + group.n, 0), unit: unitOf(store.meta?.axis, dt),
      membranes: app.manifest?.membranes,
      ailing: () => ailing(app, store.epoch, t1 * dt),
      absent: (slug) => absence(app, slug) || early(app, store, slug),
    };
    scene.step1 = Math.max(scene.step0, scene.step1);
    Object.assign(scene, names(groups), rates(scene), edges(scene));
    scene.whole = scene;
    scene.order = this.#order(scene);
    return scene;
  }

  /** The part of `whole` that the time axes show while they are zoomed; its rows keep their order. */
  zoomed(whole) {
    const { view, dt } = this.app;
    if (view.mode === "live" || !view.zoom) return whole;
    const from = Math.max(whole.t0, view.zoom[0] / dt), to = Math.min(whole.t1, view.zoom[1] / dt);
    if (!(to > from)) return whole;
    const order = this.orderCache;
    const part = this.make(whole.store, to, to - from);
    this.orderCache = order;
    return Object.assign(part, { whole, order: whole.order });
  }

  /** Groups of the manifest, or those of the frames, without names, until it is here. */
  #groups(store) {
    if (this.groupsCache) return this.groupsCache;
    const listed = this.app.manifest?.groups ?? (store.meta?.sizes ?? []).map((n, g) => ({ n, name: `group ${g}` }));
    const groups = withPlaces(listed);
    if (this.app.manifest?.groups && groups.length) this.groupsCache = groups;
    return groups;
  }

  #bands(store, groups) {
    if (this.rows === store.rows && this.rowGroups?.of === groups) return;
    this.rows = store.rows;
    const bands = [];
    store.rows.forEach((id, row) => {
      const group = groups.find((g) => id >= g.first && id < g.first + g.n);
      const last = bands.at(-1);
      if (last && last.g === group?.g) last.to = row + 1;
      else if (group) bands.push({ ...group, from: row, to: row + 1 });
    });
    bands.of = groups;
    this.rowGroups = bands;
    this.orderCache = null;
  }

  /** Row to place inside its group by rate or first spike of the window; null when by id. */
  #order(scene) {
    const by = scene.view.order;
    if (by === "id") { this.orderCache = null; return null; }
    const fresh = this.orderCache?.by === by && scene.now - this.orderAt < ORDER_EVERY_MS;
    if (fresh && scene.view.mode === "live") return this.orderCache;
    this.orderAt = scene.now;
    const n = scene.rows.length;
    const count = new Uint32Array(n), first = new Float64Array(n).fill(Infinity);
    scene.store.eachSpike(scene.step0, scene.step1, (row, step) => {
      count[row]++;
      if (step < first[row]) first[row] = step;
    });
    const key = by === "rate" ? (row) => -count[row] : (row) => first[row];
    const position = new Uint32Array(n), inverse = new Uint32Array(n);
    for (const band of scene.rowGroups) {
      const rows = Array.from({ length: band.to - band.from }, (_, i) => band.from + i);
      rows.sort((a, b) => (key(a) === key(b) ? a - b : key(a) - key(b)));
      rows.forEach((row, i) => { position[row] = band.from + i; inverse[band.from + i] = row; });
    }
    this.orderCache = { by, position, inverse };
    return this.orderCache;
  }
}

/** Until the manifest tells what is published: whether the frames carry what panel `slug` draws. */
function early(app, store, slug) {
  const width = { gate: store.D, attention: store.A, neuromod: store.nLevels, stdp: store.nGains, stimulus: store.nStim }[slug];
  return !app.manifest && !store.empty && width === 0 ? "waiting for the session's description" : "";
}

/** Each group with its place `g`, first id, short name, colour (its block's, or one after) and dash. */
function withPlaces(listed) {
  const blocks = listed.map(({ block }) => block).filter(Number.isInteger);
  let first = 0, free = blocks.length ? Math.max(...blocks) + 1 : 0;
  return listed.map((group, g) => {
    const { n, name, stage = "" } = group, block = group.block ?? null;
    const half = stage.split("_").at(-1);
    const color = block ?? free++;
    const made = {
      g, n, first, block, stage: half, name, color, dashed: half === "out",
      short: group.short || (block === null ? name : `b${block} ${half}`), n_exc: group.n_exc ?? n,
    };
    first += n;
    return made;
  });
}

/**
 * How to name steps and rates: a step is `dt` simulated ms, a time step, or a call of a watched module.
 * `every(n)` says how often something comes that comes every n steps; `ago` counts single steps back.
 */
function unitOf(axis = "sim_ms", dt = 1) {
  if (axis === "sim_ms") {
    return {
      axis: "Time (ms)", steps: "ms", every: (n) => `every ${n * dt} ms`, ago: dt === 1 ? "ms" : `steps of ${dt} ms`,
      rates: "Hz per neuron", rate: (hz) => `${hz.toFixed(0)} Hz`, share: (hz, digits = 1) => `${(hz / 10).toFixed(digits)} %/ms`,
    };
  }
  return {
    axis: axis === "call" ? "Call" : "Step", steps: `${axis}s`, every: (n) => `every ${n} ${axis}s`, ago: `${axis}s`, rates: `spikes / 1000 ${axis}s`,
    rate: (hz) => `${(hz / 10).toFixed(1)} %/${axis}`, share: () => "",
  };
}

function names(groups) {
  const firsts = groups.map((group) => group.first);
  const groupOf = (id) => {
    let lo = 0, hi = firsts.length - 1;
    while (lo < hi) {
      const middle = (lo + hi + 1) >> 1;
      if (firsts[middle] <= id) lo = middle; else hi = middle - 1;
    }
    return lo;
  };
  return {
    groupOf,
    neuronName: (id) => {
      const group = groups[groupOf(id)];
      if (!group) return `neuron ${id}`;
      return `${group.block === null ? group.name : `block ${group.block} ${group.stage}`} #${id - group.first}`;
    },
    inhibitory: (id) => {
      const group = groups[groupOf(id)];
      return group !== undefined && id - group.first >= group.n_exc;
    },
  };
}

/** Mean rate of stage `g` over the window, Hz per neuron. */
function rates(scene) {
  const { store } = scene;
  let totals = null;
  return {
    hz: (g) => {
      totals ??= sumRates(store, scene.step0, scene.step1);
      const ms = Math.max(scene.dt, (scene.step1 - scene.step0) * scene.dt);
      return totals[g] / (scene.groups[g]?.n ?? 1) / ms * 1000;
    },
  };
}

function sumRates(store, step0, step1) {
  const totals = new Float64Array(store.G || 0);
  for (let step = step0; step < step1; step++) {
    const at = (step % store.capacity) * store.G;
    for (let g = 0; g < store.G; g++) totals[g] += store.rates[at + g];
  }
  return totals;
}

/** Bin edges on the absolute grid of `bin` steps, cut at parameter changes. */
function edges(scene) {
  return {
    binEdges: (bin) => {
      const cuts = scene.store.events.filter((e) => (e.type === "param" || e.type === "reset")
        && e.step > scene.step0 && e.step < scene.step1).map((e) => e.step);
      const all = new Set([scene.step0, scene.step1, ...cuts]);
      for (let s = Math.ceil(scene.step0 / bin) * bin; s < scene.step1; s += bin) all.add(s);
      return [...all].sort((a, b) => a - b);
    },
  };
}
