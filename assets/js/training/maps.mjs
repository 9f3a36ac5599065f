// What the model does with one window of text: place cells, rhythms, prosody, gates, router.

import { Chart } from "../chart.mjs";
import { diverging, DIVERGING_STOPS } from "../colors.mjs";
import { Heatmap } from "../heatmap.mjs";

const TURN = 2 * Math.PI;
const NO_ROUTER = "This model has no router: every token passes every layer. A mixture of experts has one.";

/** The maps, each in its panel; `changed` has everything drawn at the next frame. */
export class Maps {
  constructor(app, changed) {
    this.app = app;
    const plot = (slug) => document.querySelector(`#panel-${slug} .panel-plot`);
    this.place = new Heatmap(plot("place"), { xLabel: "token", yLabel: "place cell", range: [0, 1], unit: "activity", name: "Place-cell activity by token" });
    this.prosody = new Heatmap(plot("prosody"), { xLabel: "token", yLabel: "", range: [0, 1], unit: "", left: 82, name: "Prosody by token" });
    this.gates = new Heatmap(plot("gates"), { xLabel: "head", yLabel: "", range: [0, 2], lut: diverging(0.5), stops: DIVERGING_STOPS, unit: "gain", format: (v) => v.toFixed(2), numbers: true, left: 28, name: "Attention and memory gates by layer" });
    this.router = new Heatmap(plot("router"), { xLabel: "expert", yLabel: "", range: [0, 1], unit: "share", numbers: true, left: 24, name: "Share of the tokens of each expert" });
    this.theta = new Chart(plot("theta"), { xLabel: "token", xText: (x) => this.#tokenAt(x), yLabel: "phase (rad)", range: () => [0, TURN], format: (v) => v.toFixed(2), words: false, right: 46, name: "Phase of theta and gamma by token" });
    this.theta.group.changed = changed;
    this.maps = { place: this.place, prosody: this.prosody, gates: this.gates, router: this.router, theta: this.theta };
    for (const map of [this.place, this.prosody, this.gates, this.router]) map.onResize = changed;
    this.seen = {};
  }

  #tokenAt(i) { return `token ${i}${this.tokens?.[i] === undefined ? "" : ` “${shown(this.tokens[i])}”`}`; }

  /** Give every map the newest arrays of the store, where they are new. */
  set(store, runs) {
    const { newest, told } = store;
    this.tokens = told.shown_tokens ?? this.app.manifest?.constants?.shown_tokens ?? [];
    const names = this.tokens.length ? this.tokens.map(shown) : undefined, two = runs.length > 1;
    const once = (name, fn) => {
      const array = newest[name];
      if (!array || this.seen[name] === array.step + store.generation * 1e9) return;
      this.seen[name] = array.step + store.generation * 1e9;
      fn(array);
    };
    once("place", (array) => this.#place(array, names, runs, two));
    once("prosody", ({ data, shape: [t, k] }) => {
      this.prosody.set({ rows: k, cols: t, values: turned(data, t, k), rowNames: this.#features(k), colNames: names, range: [0, roundUp(Math.max(1, ...data))] });
    });
    once("theta_gamma", ({ data, shape: [t] }) => this.theta.set(rhythms(data, t)));
    once("attention_gates", (array) => this.#gates(array, newest.memory_gates, runs, two));
    once("router_load", ({ data, shape: [r, e] }) => this.router.set({ rows: r, cols: e, values: data, rowNames: runs.map((name) => (two ? name[0].toUpperCase() : "")) }));
    if (!newest.router_load) this.#absent();
  }

  #absent() {
    const { series, reasons } = this.app.manifest ?? {};
    const note = !series || series.router_load ? "nothing yet" : reasons?.router_load ?? NO_ROUTER;
    if (this.router.data.note !== note) this.router.set({ note });
  }

  #features(k) {
    return (this.app.manifest?.series?.prosody?.names ?? Array.from({ length: k }, (_, i) => `feature ${i}`)).map((name) => name.replace("question or exclamation", "? or !"));
  }

  #place({ data, shape: [r, t, p] }, names, runs, two) {
    const values = new Float32Array(r * p * t);
    let greatest = 0, active = 0;
    for (let k = 0; k < r; k++) {
      for (let i = 0; i < t; i++) {
        for (let c = 0; c < p; c++) {
          const v = data[(k * t + i) * p + c];
          values[(k * p + c) * t + i] = v;
          if (v > greatest) greatest = v;
          if (v > 0) active++;
        }
      }
    }
    this.greatest = Math.max(this.greatest ?? 0, roundUp(greatest));
    this.activeShare = active / Math.max(1, r * t * p);
    this.place.set({
      rows: r * p, cols: t, values, colNames: names, range: [0, this.greatest || 1],
      rowText: (row) => `${two ? `${runs[Math.floor(row / p)]} ` : ""}cell ${row % p}`,
      blocks: two ? runs.map((text) => ({ rows: p, text })) : [],
    });
  }

  #gates({ data, shape: [r, layers, heads] }, memory, runs, two) {
    const cols = heads + 1, values = new Float32Array(r * layers * cols);
    for (let row = 0; row < r * layers; row++) {
      values.set(data.subarray(row * heads, (row + 1) * heads), row * cols);
      values[row * cols + heads] = memory?.data[row] ?? NaN;
    }
    const layerNames = Array.from({ length: r * layers }, (_, i) => (two ? `${runs[Math.floor(i / layers)][0].toUpperCase()}${i % layers}` : `L${i}`));
    this.gates.set({ rows: r * layers, cols, values, rowNames: layerNames, colNames: [...Array.from({ length: heads }, (_, i) => String(i)), "mem"] });
  }

  draw() { for (const map of Object.values(this.maps)) map.draw(); }

  /** The lines under the panels. */
  feet() {
    const { place, prosody, gates, router } = this, t = place.data.cols;
    if (!t) return {};
    return {
      place: `${place.data.rows} cells, ${t} tokens of held-out text · ${(100 * this.activeShare).toFixed(1)} % active · colours 0 to ${place.data.range[1]}`,
      theta: "line: theta · ◆ gamma",
      prosody: `${prosody.data.rows} features read from the text itself`,
      gates: gates.data.rows ? `by layer${gates.data.rowNames?.[0] === "L0" ? "" : ", S sound, F faulty"} · mem: 0 to 1, empty while off` : "",
      router: router.data.note ? "" : "share of the shown tokens; 1 over the experts is balanced",
    };
  }
}

/** A token as it can be read: blanks and line ends have signs. */
export function shown(token) {
  return token.replaceAll("\n", "↵").replaceAll("\t", "⇥").replaceAll(" ", "␣");
}

/** (t, k) as (k, t). */
function turned(data, t, k) {
  const values = new Float32Array(t * k);
  for (let i = 0; i < t; i++) for (let j = 0; j < k; j++) values[j * t + i] = data[i * k + j];
  return values;
}

/** Theta as a line that breaks where the phase begins anew, gamma as points. */
function rhythms(data, t) {
  const x = [], theta = [];
  for (let i = 0; i < t; i++) {
    if (i && data[2 * i] < data[2 * i - 2]) { x.push(i - 0.5); theta.push(NaN); }
    x.push(i);
    theta.push(data[2 * i]);
  }
  const all = Array.from({ length: t }, (_, i) => i);
  return {
    xEnd: t,
    series: [
      { name: "theta", x, y: theta, color: ["#0072B2", "#56B4E9"], width: 1.8, edge: false },
      { name: "gamma", x: all, y: all.map((i) => data[2 * i + 1]), color: ["#D55E00", "#FF8F40"], kind: "points", marker: "diamond", edge: false },
    ],
  };
}

/** The next 1, 2 or 5 times a power of ten. */
function roundUp(v) {
  if (!(v > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(v));
  return Number(([1, 2, 5, 10].find((lead) => lead * power >= v * (1 - 1e-6)) * power).toPrecision(3));
}
