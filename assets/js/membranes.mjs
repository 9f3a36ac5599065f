/** Choosing the neurons of the membrane panel: a stage and a number to add, a list to take from. */

import { needs } from "./capabilities.mjs";
import { h } from "./dom.mjs";
import { parseNumber } from "./scale.mjs";
import { toast } from "./toasts.mjs";

/** The controls for the panel's head, and those of them that may be folded away. */
export function membraneTools(app) {
  const stage = h("select", { class: "tool-select", "aria-label": "Stage of the neuron to add", title: "Stage of the neuron to add", data: { membrane: "stage" } });
  const number = h("input", { type: "text", inputMode: "numeric", class: "tool-box", value: "0", autocomplete: "off", "aria-label": "Number of the neuron in its stage", data: { membrane: "number" } });
  const add = h("button", { type: "button", class: "tool", text: "add", title: "Show this neuron's membrane", data: { membrane: "add" } });
  const remove = h("select", { class: "tool-select", "aria-label": "Take a neuron out of the panel", title: "Take a neuron out of the panel", data: { membrane: "remove" } });
  const act = () => {
    const group = groupsOf(app)[Number(stage.value)];
    const { value, error } = parseNumber({ kind: "int", lo: 0, hi: group.n - 1 }, number.value);
    number.setAttribute("aria-invalid", String(Boolean(error)));
    if (error) toast(`Neuron of ${group.name}: ${error}`, { kind: "error", merge: "membrane" });
    else app.watchNeuron(group.first + value);
  };
  add.addEventListener("click", act);
  number.addEventListener("keydown", (event) => event.key === "Enter" && act());
  remove.addEventListener("focus", () => fill(remove, removable(app)));
  remove.addEventListener("change", () => {
    const left = remove.value === "all" ? [] : app.store.membrane.filter((id) => id !== Number(remove.value));
    app.setView({ membrane: left, watched: null });
    fill(remove, removable(app));
  });
  const offer = () => fill(stage, groupsOf(app).map(({ name }, g) => [String(g), name]));
  app.on("manifest", offer);
  for (const name of ["manifest", "view"]) app.on(name, () => document.activeElement !== remove && fill(remove, removable(app)));
  offer();
  fill(remove, removable(app));
  needs(app, "watch", stage, number, add);
  return [[stage, number, add], [remove]];
}

/** The stages with the id of their first neuron. */
function groupsOf(app) {
  let next = 0;
  return (app.manifest?.groups ?? []).map(({ name, n }) => {
    const first = next;
    next += n;
    return { name, n, first };
  });
}

/** What `remove` offers: each neuron shown, and all that were chosen. */
function removable(app) {
  const groups = groupsOf(app);
  const nameOf = (id) => {
    const group = groups.find(({ first, n }) => id >= first && id < first + n);
    return group ? `${group.name} #${id - group.first}` : `neuron ${id}`;
  };
  const shown = app.store.membrane.map((id) => [String(id), nameOf(id)]);
  return [["", "remove…"], ...shown, ["all", "all chosen: back to the default"]];
}

function fill(node, options) {
  const value = node.value;
  node.replaceChildren(...options.map(([v, text]) => h("option", { value: v, text })));
  node.value = node.dataset.membrane === "remove" || !options.some(([v]) => v === value) ? options[0]?.[0] ?? "" : value;
}
