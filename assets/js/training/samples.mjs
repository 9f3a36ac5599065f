// What the model writes: one step's text, beside the words that changed since another step.

import { askJson } from "../ask.mjs";
import { send } from "../running.mjs";
import { needs } from "../capabilities.mjs";
import { h } from "../dom.mjs";
import { num } from "../format.mjs";
import { grouped } from "../marks/paint.mjs";
import { keptShare, wordDiff } from "./words.mjs";

const KEYS = ["step", "run", "prompt", "temperature"];
const keyOf = (sample) => KEYS.map((key) => sample[key]).join("|");

/** The panel's content; it follows the newest text until the slider is moved. */
export function mount(app) {
  const host = document.querySelector("#panel-samples .panel-plot");
  const foot = document.querySelector("#panel-samples .panel-foot");
  const held = new Map();
  let steps = [], at = -1, newestIsShown = true, shownKey = "";

  const slider = h("input", { type: "range", class: "sample-slider", min: 0, max: 0, step: 1, value: 0, disabled: true, "aria-label": "Step of the sample" });
  const place = h("output", { class: "sample-step" });
  const against = h("select", { class: "sample-against", "aria-label": "Compared with" });
  const body = h("div", { class: "sample-body", tabIndex: 0 });
  const write = h("button", { type: "button", id: "sample-now", text: "Write now", title: "Have the model write now, with the prompt and temperature of the controls", on: { click: () => send({ type: "sample" }) } });
  needs(app, "sample", write);
  host.append(h("div", { class: "sample-head" }, slider, place, h("label", {}, h("span", { text: "changes since " }), against), write), body);
  slider.addEventListener("input", () => {
    at = Number(slider.value);
    newestIsShown = at === steps.length - 1;
    show();
  });
  against.addEventListener("change", show);

  /** Take texts; those of a step that is known already are taken anew. */
  function take(samples) {
    for (const sample of samples) held.set(keyOf(sample), sample);
    steps = [...new Set([...held.values()].map(({ step }) => step))].sort((a, b) => a - b);
    if (newestIsShown || at >= steps.length) at = steps.length - 1;
    Object.assign(slider, { max: Math.max(0, steps.length - 1), value: Math.max(0, at), disabled: steps.length < 2 });
    offer();
    show();
  }

  /** The earlier steps that a text can be told from; the one before is first. */
  function offer() {
    const chosen = against.value, now = steps[at];
    const before = steps.filter((step) => step < now).reverse();
    const options = [["before", "the one before"], ["none", "nothing"], ...before.slice(0, 60).map((step) => [String(step), `step ${grouped(step)}`])];
    against.replaceChildren(...options.map(([value, text]) => h("option", { value, text })));
    against.value = options.some(([value]) => value === chosen) ? chosen : "before";
  }

  const rank = ({ run }) => (app.manifest?.constants?.runs ?? []).indexOf(run);
  const ofStep = (step) => [...held.values()].filter((sample) => sample.step === step).sort((a, b) => rank(a) - rank(b));

  function show() {
    if (at < 0 || !steps.length) { empty(); return; }
    const step = steps[at], now = ofStep(step), other = otherStep();
    const key = JSON.stringify([step, other, now.map(({ text }) => text.length), newestIsShown, app.meta?.seed]);
    place.textContent = `step ${grouped(step)}${newestIsShown ? ", newest" : ` · ${at + 1} of ${steps.length}`}`;
    slider.setAttribute("aria-valuetext", place.textContent);
    if (key === shownKey) return;
    shownKey = key;
    const two = new Set(now.map(({ run }) => run)).size > 1;
    body.replaceChildren(...now.map((sample) => article(sample, before(sample, other), two)));
    foot.textContent = foot.title = footText(now, other);
  }

  /** The step compared with: the one chosen, or the nearest before that wrote to the same prompt. */
  function otherStep() {
    if (against.value === "none") return null;
    if (against.value !== "before") return Number(against.value);
    return steps[at - 1] ?? null;
  }

  const before = (sample, step) => step === null ? null
    : ofStep(step).find((one) => one.run === sample.run && one.prompt === sample.prompt) ?? null;

  function empty() {
    const every = app.params?.values["sample.every"];
    const text = !app.params ? "It writes while it trains." : every ? `The first text comes at step ${grouped(every)}.` : "Samples are off (sample.every is 0).";
    body.replaceChildren(h("p", { class: "quiet", text: `${text} “Write now” asks for one at once.` }));
    place.textContent = "no sample yet";
  }

  function footText(now, other) {
    const one = now[0], seed = app.meta?.seed;
    const versus = other === null ? "" : ` · words out and in since step ${grouped(other)}`;
    return one ? `prompt “${one.prompt}” · temperature ${num(one.temperature)} · seed ${seed ?? "–"} · step ${grouped(one.step)}${versus}` : "";
  }

  app.on("event", (event) => {
    if (event.type === "sample") take([event]);
    if (event.type === "reset") forget();
  });
  for (const name of ["params", "status"]) app.on(name, () => (steps.length ? show() : empty()));
  function forget() {
    held.clear();
    steps = [];
    at = -1;
    shownKey = "";
    newestIsShown = true;
    empty();
  }

  /** The texts of the whole run, as its files have them. */
  async function fetchAll() {
    try {
      const { samples } = await askJson(app.url("/samples"));
      take(samples);
    } catch {
      // Without the files the texts that come from now on are shown.
    }
  }
  empty();
  fetchAll();
  return { take, forget, fetchAll, drawn: () => ({ steps, at, text: body.textContent }) };
}

/** One text with its prompt, the words that went out struck, those that came in marked. */
function article(sample, before, named) {
  const parts = before ? wordDiff(before.text, sample.text) : [{ kind: "same", text: sample.text }];
  const words = parts.map(({ kind, text }) => (kind === "same" ? h("span", { text }) : h(kind === "in" ? "ins" : "del", { text })));
  const share = before ? h("span", { class: "quiet", text: `${Math.round(100 * keptShare(parts))} % of its words stayed since step ${grouped(before.step)}` }) : null;
  const head = named || share ? h("div", { class: "sample-name" }, named ? h("strong", { text: sample.run }) : null, share) : null;
  return h("article", { class: "sample", data: { run: sample.run ?? "" } }, head, h("p", { class: "sample-text" }, ...words));
}
