// What each line of the checklist looks at: the findings that speak against it, and its number.

import { lacking } from "./capabilities.mjs";
import { num } from "./format.mjs";
import { ruleText } from "./health.mjs";

const MODULATORS = ["DA", "ACh", "NE", "5-HT"];
const LTP = 2;
/** A number beyond a rule's threshold that the rule has not called, or not yet. */
const SOON = "seen for too short a time to be called";

/**
 * `{state: fine | look | untold, number}` of one line now. What speaks against it counts first; then
 * what keeps its rules, or its own number (`doubt`), from telling.
 */
export function judge(app, line) {
  const report = app.health?.report;
  const found = (report?.findings ?? []).filter(({ id }) => line.findings.includes(id));
  const told = line.tell(context(app));
  if (told.untold) return { state: "untold", number: told.untold };
  const against = found.map((finding) => `${finding.title}: ${ruleText(finding)}`);
  const why = told.look || against.length ? "" : hindered(app, line) || told.doubt;
  const number = [told.number, told.look, ...against, why].filter(Boolean).join(" · ");
  return { state: why ? "untold" : told.look || against.length ? "look" : "fine", number };
}

/** Why the rules of `line` have not all answered, or "": they wait for data, or cannot tell. */
function hindered(app, { findings }) {
  const report = app.health?.report;
  if (!findings.length) return "";
  if (app.params?.values["health.enabled"] && report?.waiting) return `${report.waiting}.`;
  const blind = (report?.cannot_tell ?? []).filter(({ id }) => findings.includes(id));
  const reasons = [...new Set(blind.map(({ why }) => why))];
  return reasons.map((why) => `${blind.filter((one) => one.why === why).map(({ title }) => title).join(", ")}: cannot tell. ${why}`).join(" · ");
}

function context(app) {
  const report = app.health?.report, values = app.params?.values ?? {};
  const evidence = report?.evidence?.groups ? report.evidence : null;
  const why = report?.waiting ? `No figures yet: ${report.waiting}.` : "No figures yet.";
  return { app, report, values, ev: evidence, why, store: app.store, scene: app.scene?.() };
}

const percent = (share) => (share === null || share === undefined ? "–" : `${num(100 * share, 3)} %`);
const least = (list) => Math.min(...list.filter(Number.isFinite));
const most = (list) => Math.max(...list.filter(Number.isFinite));
const lowHigh = (list, digits = 3) => `${num(least(list), digits)} to ${num(most(list), digits)}`;

/** A line whose number comes from the doctor's figures; `fn` gets them. */
const figures = (fn) => (at) => (at.ev ? fn(at.ev, at) : { untold: at.why });

export const LINES = [
  {
    id: "rate", text: "Neurons fire, neither too few nor too many", link: { panel: "rate" }, to: "population rate",
    findings: ["not_firing", "sparsity", "runaway", "silent_stage", "saturated_stage"],
    tell: figures(({ network_rate: rate, rate: all }, { values }) => ({
      number: `${percent(rate)} of neurons fire in a ms, stages ${percent(least(all))} to ${percent(most(all))}`,
      doubt: rate < values["health.silent"] ? SOON : "",
    })),
  },
  {
    id: "lif", text: "LIF parameters are what you think they are", link: { control: "lif.v_thresh" }, to: "LIF controls",
    findings: [],
    tell: ({ app, values }) => {
      if (!("lif.alpha" in values)) return { untold: "This session has no LIF parameters of its own." };
      const changed = Object.keys(app.params.non_default).filter((path) => /^(blocks\.\d+\.)?lif/.test(path));
      return {
        number: `alpha ${num(values["lif.alpha"])}, beta ${num(values["lif.beta"])}, v_thresh ${num(values["lif.v_thresh"])}`,
        look: changed.length ? `not the default: ${changed.join(", ")}` : "",
      };
    },
  },
  {
    id: "neuromods", text: "Neuromodulators move", link: { panel: "neuromod" }, to: "neuromodulators",
    findings: ["neuromodulators_frozen"],
    tell: figures(({ level_swing: swing, slow_ms: ms }, { store, values }) => {
      if (!store?.nLevels) return { untold: "This session has no neuromodulators." };
      const levels = newest(store, "levels", store.nLevels);
      const texts = Object.values(swing).map((moved, i) => `${MODULATORS[i]} ${num(levels[i], 2)} (moved ${num(moved, 2)})`);
      return { number: `${texts.join(", ")} in ${num(ms / 1000)} s`, doubt: most(Object.values(swing)) < values["health.frozen"] ? SOON : "" };
    }),
  },
  {
    id: "stdp", text: "STDP is on and moves weights", link: { panel: "weights" }, to: "weights",
    findings: ["stdp_not_engaging", "saturated_weights"],
    tell: figures(({ weights_moved: moved, driven }, { values }) => {
      if (!("stdp.enabled" in values)) return { untold: "This session has no STDP." };
      if (!moved?.length) return { untold: "No two samples of the weights yet." };
      const on = values["stdp.enabled"], still = most(moved) === 0;
      if (on && still && driven === 0) return { untold: "The stimulus rests: there is nothing to learn from." };
      return { number: `STDP ${on ? "on" : "off"}, a weight moves ${lowHigh(moved, 2)} a second`, look: on ? (still ? "no weight moves" : "") : "switched off" };
    }),
  },
  {
    id: "trace", text: "What goes in at the front comes out at the back", link: { panel: "raster" }, to: "spike raster",
    findings: ["gate_stuck", "not_firing", "silent_stage"],
    tell: figures(({ rate, groups }, { app }) => {
      const stages = (app.manifest?.groups ?? []).map(({ block }, g) => ({ block, g })).filter(({ block, g }) => Number.isInteger(block) && g < groups.length);
      if (!stages.length) return { untold: "This session has no blocks in a row." };
      const [first, last] = [stages[0], stages.at(-1)];
      return { number: `${groups[first.g]} ${percent(rate[first.g])}, ${groups[last.g]} ${percent(rate[last.g])}`, look: rate[last.g] > 0 ? "" : "nothing arrives at the last stage" };
    }),
  },
  {
    id: "membranes", text: "Membranes stay in bounds and finite", link: { panel: "membrane" }, to: "membrane traces",
    findings: ["membranes_diverging", "not_finite"],
    tell: figures(({ u_low: low, u_high: high, theta }) => {
      if (!Number.isFinite(most(high))) return { untold: "This session publishes no membranes." };
      return { number: `u ${num(least(low), 3)} to ${num(most(high), 3)}, thresholds ${lowHigh(theta)}` };
    }),
  },
  {
    id: "timing", text: "Spikes come in causal order", link: { panel: "stdp" }, to: "STDP window",
    findings: ["stdp_not_engaging"],
    tell: ({ store, values }) => {
      const sample = store?.histAt(Infinity);
      if (!sample?.L) return { untold: "No sample of spike pairs yet." };
      const middle = (sample.pairs.length / sample.L - 1) / 2, width = 2 * middle + 1;
      let before = 0, after = 0;
      sample.pairs.forEach((n, i) => { if (i % width > middle) before += n; else if (i % width < middle) after += n; });
      const all = before + after;
      if (!all) return { number: "no pair of spikes in the last second", look: "nothing to learn from" };
      return { number: `${all.toLocaleString("en")} pairs in the last second, ${percent(before / all)} pre before post; window ${num(values["stdp.window_pre_to_post"])} ms` };
    },
  },
  {
    id: "attention", text: "Attention neither spreads evenly nor sticks to one key", link: { panel: "attention" }, to: "spike attention",
    findings: ["attention_collapse", "winner_takes_all"],
    tell: figures(({ attention_entropy: entropy }) => {
      const known = (entropy ?? []).filter((value) => value !== null);
      if (!entropy?.length) return { untold: "This session has no spike attention." };
      if (!known.length) return { untold: "No query with a spike and at least 8 keys in the last bin." };
      return { number: `entropy ${lowHigh(known)} of the log of the keys, ${known.length} of ${entropy.length} blocks` };
    }),
  },
  {
    id: "homeostasis", text: "Homeostasis holds the rates", link: { control: "homeostasis.enabled" }, to: "homeostasis controls",
    findings: [],
    tell: figures(({ theta }, { values }) => {
      if (!("homeostasis.enabled" in values)) return { untold: "This session has no homeostasis." };
      const on = values["homeostasis.enabled"];
      return { number: `${on ? "on" : "off"}, target ${percent(values["homeostasis.target_rate"])}, thresholds ${lowHigh(theta)} (set ${num(values["lif.v_thresh"])})`, look: on ? "" : "switched off: nothing corrects a rate" };
    }),
  },
  {
    id: "raster", text: "The raster shows no bands, no gaps", link: { panel: "raster" }, to: "spike raster",
    findings: ["not_firing", "runaway", "saturated_stage", "silent_stage", "sparsity"],
    tell: ({ store, scene }) => {
      if (!scene || store?.empty) return { untold: "No frame yet." };
      const spikes = scene.store.countSpikes(scene.step0, scene.step1);
      return { number: `${spikes.toLocaleString("en")} spikes of ${scene.rows.length} rows in ${num(scene.span_ms)} ${scene.unit.steps}`, look: spikes ? "" : "no spike in view" };
    },
  },
  {
    id: "input", text: "The input carries something", link: { panel: "stimulus" }, to: "stimulus",
    findings: [],
    tell: figures(({ driven, window_ms: ms, onsets }, { values, store }) => {
      if (!store?.nStim) return { untold: "This session has no stimulus." };
      const dead = values["input.gain"] === 0 || values["stimulus.amplitude"] === 0;
      return {
        number: `${values["stimulus.kind"]}, drives ${percent(driven)} of the last ${num(ms)} ms, ${onsets} onsets; gain ${num(values["input.gain"])}`,
        look: dead ? "gain or amplitude is zero" : "",
      };
    }),
  },
  {
    id: "gradient", text: "Gradients flow", link: { panel: "stdp" }, to: "the rule it learns by",
    findings: [],
    tell: ({ app }) => ({ untold: app.manifest?.probes?.gradients ? "No gradient in view." : "This session learns by local rules; no gradient is computed." }),
  },
  {
    id: "schedule", text: "The learning rate is what it should be now", link: { control: "stdp.learning_rate" }, to: "STDP controls",
    findings: [],
    tell: ({ app, values, store }) => {
      const rate = values["stdp.learning_rate"];
      if (rate === undefined) return { untold: lacking(app, "set") || "This session has no learning rate." };
      const gain = store?.nGains && !store.empty ? newest(store, "gains", store.nGains)[LTP] : null;
      const now = gain === null ? "" : `, times the dopamine gain ${num(gain, 3)} now`;
      return { number: `${num(rate)}, no schedule${now}`, look: rate > 0 ? "" : "zero: nothing is learned" };
    },
  },
];

function newest(store, name, width) {
  const at = ((store.step1 - 1) % store.capacity) * width;
  return store[name].subarray(at, at + width);
}
