// What a new training session is asked for beside its seed: the run, and a fault for a second model.

import { request } from "../api.mjs";
import { h } from "../dom.mjs";
import { grouped } from "../marks/paint.mjs";
import { show } from "../sessions.mjs";

const KINDS = { curve: "shows in the curves", error: "stops with an error" };
/** What one click on an empty page begins. */
export const FIRST = { run: "tiny" };

/** Creates a session of `{run, fault}` and opens it; throws ApiError. */
export async function begin({ run, fault = null }) {
  const made = await request("POST", "/sessions", { kind: "training", run, seed: 0, fault });
  show(made.name);
}

/** The fields of the dialog, and what was chosen in them; `field(key, label, input, hint)` makes one. */
export function runChoices(app, field) {
  const { runs, faults } = app.config;
  const run = h("select", { id: "new-run" }, ...ordered(runs).map(({ name, what, steps }) => h("option", { value: name, text: `${name}: ${what}, ${grouped(steps)} steps` })));
  const fault = h("select", { id: "new-fault" }, h("option", { value: "", text: "none: a sound run" }),
    ...faults.map(({ number, name, title, kind }) => h("option", { value: name, text: `${number}. ${title} (${KINDS[kind]})` })));
  const about = h("span", { class: "quiet" });
  fault.addEventListener("change", () => {
    const one = faults.find((each) => each.name === fault.value);
    about.textContent = one ? `Trained beside a sound model, from one seed and text. Shows as: ${one.shows}.` : "";
  });
  const brain = h("input", { type: "checkbox", id: "new-brain" });
  const hint = h("span", { class: "quiet", text: "a natural brain before the head: experts with a router; each step takes several times as long" });
  fault.addEventListener("change", () => { brain.disabled = fault.value !== ""; });
  return {
    fields: [field("run", "Run", run, null), field("fault", "Fault", fault, about), field("brain", "Brain", brain, hint)],
    read: () => ({ run: run.value, fault: fault.value || null, ...(brain.checked && !brain.disabled ? { options: { brain: true } } : {}) }),
  };
}

/** The small run first. */
const ordered = (runs) => [...runs].sort((a, b) => a.steps - b.steps);
