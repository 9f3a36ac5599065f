// The line charts of a run's course: loss, norm, perplexity, rate, tokens a second.

import { Chart, ChartGroup } from "../chart.mjs";
import { lowerBound } from "../chart-scale.mjs";
import { h, remembered } from "../dom.mjs";
import { num } from "../format.mjs";
import { grouped } from "../marks/paint.mjs";
import { SPEED_SPAN } from "./course.mjs";

/** Colours of the runs beside one another: sound, faulty; light and dark. */
export const INKS = [["#0072B2", "#56B4E9"], ["#D55E00", "#FF8F40"]];
const DASHES = [null, [6, 3]];
const SLEEP = ["#CC79A7", "#CC79A7"], BAND = ["#009E73", "#009E73"];
const WIDE = 6; // first loss of one run over the last of another
export const NORM_LOW = 0.1, NORM_HIGH = 10;

const fixed = (digits) => (v) => (Math.abs(v) < 1000 ? v.toFixed(digits) : grouped(v));
const whole = (v) => (v >= 1000 ? grouped(v) : num(v, 3));

/** Makes the charts in their panels; `changed` has everything drawn at the next frame. */
export class Charts {
  constructor(app, changed) {
    this.app = app;
    this.group = new ChartGroup(changed);
    const make = (slug, options) => new Chart(document.querySelector(`#panel-${slug} .panel-plot`), { group: this.group, xText: (x) => this.#moment(x), ...options });
    this.lossLog = remembered.get("training.loss-log", null);
    this.charts = {
      loss: make("loss", { yLabel: "loss (nat)", name: "Loss over steps", format: fixed(3), log: () => this.isLog }),
      norm: make("norm", { yLabel: "gradient norm", name: "Gradient norm over steps", log: true, format: (v) => num(v, 3), words: false }),
      perplexity: make("perplexity", { yLabel: "perplexity", name: "Perplexity over steps", log: true, format: whole, words: false }),
      rate: make("rate", { yLabel: "rate", name: "Learning rate over steps", zero: true, format: (v) => num(v, 2), words: false }),
      speed: make("speed", { yLabel: "tokens/s", name: "Tokens a second over steps", zero: true, format: whole, words: false }),
    };
    this.#logSwitch(changed);
  }

  /** `step 1,234 · 631,808 tokens`, as far as the tokens of that step are held. */
  #moment(step) {
    const { x } = this.course.store, i = lowerBound(x, x.length, step), tokens = this.course.of("tokens", 0)[i];
    return `step ${grouped(step)}${tokens > 0 ? ` · ${grouped(tokens)} tokens` : ""}`;
  }

  /** As chosen; else a log axis where one model begins many times higher than the other ends. */
  get isLog() { return this.lossLog ?? this.isWide; }

  #logSwitch(changed) {
    this.button = h("button", { type: "button", class: "log-switch", text: "log", title: "Logarithmic loss axis" });
    this.button.addEventListener("click", () => {
      this.lossLog = !this.isLog;
      remembered.set("training.loss-log", this.lossLog);
      this.charts.loss.dirty = true;
      this.#tellLog();
      changed();
    });
    this.legend = h("span", { class: "panel-legend quiet" });
    document.querySelector("#panel-loss .panel-tools").prepend(this.legend, this.button);
  }

  #tellLog() { this.button.setAttribute("aria-pressed", String(this.isLog)); }

  /** Give every chart what the course holds now. */
  set(course) {
    this.course = course;
    const { app } = this, x = course.store.x, two = course.runs.length > 1;
    const spans = course.spans.map(({ x0, x1 }) => ({ x0, x1, color: SLEEP }));
    const end = endOf(app, course), common = { spans, marks: course.marks, xEnd: end };
    const bare = { ...common, marks: course.marks.map((mark) => ({ ...mark, text: "" })) };
    const each = (make) => course.runs.flatMap((run, r) => make(run, r, INKS[r % 2], two ? `${run.name}: ` : ""));
    this.isWide = course.runs.some((run) => run.mean.values[0] > WIDE * Math.min(...course.runs.map(({ mean }) => mean.values.at(-1) ?? Infinity)));
    this.#tellLog();
    const legend = `faint: each step · bold: mean of ${course.span} wake steps · ◆ held out · shaded: sleep`;
    if (this.legend.textContent !== legend) this.legend.textContent = legend;
    const note = course.store.n ? "" : waitingText(app);
    this.charts.loss.set({
      ...common, note, guides: uniformGuide(app),
      series: each((run, r, color, who) => [
        { name: `${who}step`, x, y: course.of("loss", r), color, alpha: 0.45, width: 1, edge: false },
        { name: `${who}mean of ${course.span}`, x, y: run.mean.values, color, width: 2.2, dash: DASHES[r % 2] },
        { name: `${who}held out`, x, y: course.of("held_out", r), color, kind: "points", marker: "diamond" },
        ...failures(run, r, course, x),
      ]),
    });
    const clip = app.params?.values["train.clip"];
    this.charts.norm.set({
      ...bare, note, bands: [{ y0: NORM_LOW, y1: NORM_HIGH, color: BAND, shown: true }],
      guides: clip > 0 ? [{ y: clip, text: `clip ${num(clip)}` }] : [],
      series: each((run, r, color, who) => [{ name: `${who}norm`, x, y: course.of("grad_norm", r), color, width: 1.2, dash: DASHES[r % 2] }]),
    });
    this.charts.perplexity.set({
      ...bare, note, series: each((run, r, color, who) => [
        { name: `${who}exp of mean`, x, y: run.perplexity.values, color, width: 2, dash: DASHES[r % 2] },
        { name: `${who}held out`, x, y: run.held.values, color, kind: "points", marker: "diamond" },
      ]),
    });
    this.charts.rate.set({ ...bare, note, series: [{ name: "rate", x, y: course.of("learning_rate", 0), color: INKS[0], width: 1.8 }] });
    this.charts.speed.set({
      ...bare, note, series: each((run, r, color, who) => [{ name: `${who}mean of ${SPEED_SPAN}`, x, y: run.speed.values, color, width: 1.8, dash: DASHES[r % 2] }]),
    });
  }

  draw() { for (const chart of Object.values(this.charts)) chart.draw(); }
}

/** Steps that were not applied: crosses at their loss, or at the mean where that is not finite. */
function failures(run, r, course, x) {
  const failed = run.failed.values;
  if (!failed.some((v) => v === 1)) return [];
  const loss = course.of("loss", r), mean = run.mean.values;
  const y = Float32Array.from(failed, (v, i) => (v === 1 ? (Number.isFinite(loss[i]) ? loss[i] : mean[i]) : NaN));
  return [{ name: "not applied", x, y, color: ["#000000", "#FFFFFF"], kind: "points", marker: "cross", edge: false, quiet: true }];
}

/** The loss of a model that knows nothing, where the session says how many tokens there are. */
function uniformGuide(app) {
  const size = app.manifest?.constants?.vocab_size;
  return size ? [{ y: Math.log(size), text: `ln ${grouped(size)} = ${Math.log(size).toFixed(2)}: knows nothing` }] : [];
}

/** The end of the axis: a round number of steps, not beyond the plan until that is passed. */
function endOf(app, course) {
  const last = course.store.n ? course.store.x[course.store.n - 1] + 1 : 0, plan = app.params?.values["train.total_steps"] ?? 0;
  const round = [1, 2, 5, 10].map((lead) => lead * 10 ** Math.floor(Math.log10(Math.max(20, last)))).find((end) => end >= last) ?? last;
  const wanted = Math.max(20, round);
  return plan >= last && plan < wanted ? plan : wanted;
}

/** Why there is nothing to draw yet. */
function waitingText(app) {
  if (app.status === "down") return app.meta?.worker?.message || "the worker is starting: text, vocabulary and model are made";
  if (app.meta?.state === "paused") return "paused before the first step";
  return "waiting for the first step";
}
