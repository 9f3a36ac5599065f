// Breakpoints: the run pauses when a stage's rate, a neuron, a membrane or a weight does something.

import { command } from "./api.mjs";
import { sentence } from "./break-words.mjs";
import { needs } from "./capabilities.mjs";
import { h, iconButton, whenReady } from "./dom.mjs";
import { rulesOf } from "./health.mjs";
import { blockCount } from "./paths.mjs";
import { parseNumber } from "./scale.mjs";
import { toast, toastError } from "./toasts.mjs";

/** Which fields each kind asks for, and what its bound may be. */
const KINDS = {
  rate: { label: "a stage's rate crosses a bound", fields: ["stage", "op", "bound", "window_ms"], unit: "Hz per neuron", lo: 0, hi: 1000, bound: "120" },
  spike: { label: "a neuron fires", fields: ["neuron"] },
  membrane: { label: "a membrane passes a value", fields: ["neuron", "op", "bound"], unit: "u", lo: -1000, hi: 1000, bound: "1" },
  weight: { label: "weights saturate in a block (looked at every 250 steps)", fields: ["block", "op", "bound"], unit: "share at w_max", lo: 0, hi: 1, bound: "0.2" },
  finding: { label: "the doctor finds something", fields: ["finding"] },
  nan: { label: "anything is NaN (always armed)", fields: [] },
};

/** Adds the group to `#controls`. */
export function mount(app) {
  whenReady(app, () => document.getElementById("controls").append(build(app)));
  app.on("event", (event) => {
    if (event.type === "break") toast(`Paused by a breakpoint: ${event.reason}`, { kind: "warn" });
  });
}

function build(app) {
  const list = h("ul", { class: "break-list", "aria-label": "Breakpoints set" });
  const badge = h("span", { class: "group-badge" });
  let shown = "";
  const refresh = () => {
    const points = app.meta?.breakpoints ?? [];
    const state = JSON.stringify(points);
    if (state === shown) return;
    shown = state;
    list.replaceChildren(...points.map((point) => line(app, point)));
    badge.textContent = points.length ? `${points.length} set` : "";
  };
  app.on("tick", refresh);
  refresh();
  const summary = h("summary", {}, h("span", { text: "Breakpoints" }), badge);
  return h("details", { class: "group", data: { group: "breakpoints" } }, summary, h("div", { class: "group-body" }, list, form(app)));
}

function line(app, point) {
  const off = () => send({ type: "break_off", id: point.id });
  const waits = point.armed === false ? " (true already; armed once false)" : "";
  return h("li", { data: { breakpoint: String(point.id) } }, h("span", { text: `${point.id}: ${sentence(app, point)}${waits}` }), iconButton("close", "Remove this breakpoint", off));
}

function form(app) {
  const blocks = blockCount(app.manifest);
  const option = (value, text) => h("option", { value: String(value), text });
  const kind = h("select", { id: "break-kind" }, ...Object.entries(KINDS).map(([name, { label }]) => option(name, label)));
  const number = (id, value) => h("input", { type: "text", inputMode: "decimal", id, value, class: "row-box", autocomplete: "off", "aria-describedby": "break-message" });
  const inputs = {
    stage: h("select", { id: "break-stage" }, ...(app.manifest?.groups ?? []).map(({ name }, g) => option(g, name))),
    block: h("select", { id: "break-block" }, ...Array.from({ length: blocks }, (_, b) => option(b, `block ${b}`))),
    neuron: number("break-neuron", "0"),
    op: h("select", { id: "break-op" }, option("above", "above"), option("below", "below")),
    bound: number("break-bound", KINDS.rate.bound),
    window_ms: number("break-window", "100"),
    finding: h("select", { id: "break-finding" }, option("any", "any finding"), ...rulesOf(app).map(({ id, title }) => option(id, title))),
  };
  const names = { stage: "Stage", block: "Block", neuron: "Neuron id", op: "When", bound: "Bound", window_ms: "Over (ms)", finding: "Finding" };
  const lines = Object.entries(inputs).map(([name, input]) => h("label", { class: "form-field", htmlFor: input.id, data: { field: name } }, h("span", { text: names[name] }), input));
  const message = h("output", { class: "row-message", id: "break-message", data: { kind: "error" } });
  const choose = () => {
    const { fields, unit } = KINDS[kind.value];
    for (const node of lines) node.hidden = !fields.includes(node.dataset.field);
    lines.find((node) => node.dataset.field === "bound").firstChild.textContent = unit ? `Bound (${unit})` : "Bound";
    inputs.bound.value = KINDS[kind.value].bound ?? inputs.bound.value;
    inputs.bound.setAttribute("aria-invalid", "false");
    message.textContent = "";
  };
  kind.addEventListener("change", choose);
  choose();
  const add = async () => {
    const { message: sent, wrong, error } = toCommand(app, kind.value, inputs);
    for (const input of Object.values(inputs)) input.setAttribute("aria-invalid", String(input === wrong));
    message.textContent = error ?? "";
    if (error) return;
    try {
      await command(sent);
    } catch (refused) {
      message.textContent = refused.message;
    }
  };
  const button = h("button", { type: "button", text: "Add breakpoint", id: "break-add", on: { click: add } });
  needs(app, "breakpoints", kind, ...Object.values(inputs), button);
  return h("div", { class: "break-form" }, h("label", { class: "form-field", htmlFor: "break-kind" }, h("span", { text: "Pause when" }), kind), ...lines, button, message);
}

/** What each number of the form may be. */
function specOf(app, kind, name) {
  if (name === "neuron") return { kind: "int", lo: 0, hi: neuronCount(app) - 1 };
  if (name === "window_ms") return { kind: "int", lo: 1, hi: 10_000, unit: "ms" };
  const { lo, hi, unit } = KINDS[kind];
  return { kind: "float", lo, hi, unit };
}

const neuronCount = (app) => app.manifest.groups.reduce((sum, group) => sum + group.n, 0);

/** The command for what the form says, or the field that is wrong and an error that names it. */
function toCommand(app, kind, inputs) {
  const { fields } = KINDS[kind];
  const message = { type: "break_on", kind };
  for (const name of fields) {
    const text = inputs[name].value;
    if (name === "op" || name === "finding") message[name] = text;
    else if (name === "stage" || name === "block") message.group = Number(text);
    else {
      const { value, error } = parseNumber(specOf(app, kind, name), text);
      if (error) return { wrong: inputs[name], error: `${inputs[name].labels[0].firstChild.textContent}: ${error}` };
      message[name] = value;
    }
  }
  return { message };
}

async function send(message) {
  try {
    await command(message);
  } catch (error) {
    toastError(error);
  }
}
