// Sessions: one more with its own size, seed, parameters and stimulus; and the end of one.

import { getSets, request } from "./api.mjs";
import { askJson } from "./ask.mjs";
import { needs } from "./capabilities.mjs";
import { openDialog } from "./dialogs.mjs";
import { h } from "./dom.mjs";
import { simTime } from "./format.mjs";
import { parseNumber } from "./scale.mjs";
import { kindOf } from "./sessions.mjs";
import { toast, toastError } from "./toasts.mjs";

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const AS_HERE = "here:", SET = "set:";
const MB = 2 ** 20;

/** The dialog: a form for a new session, and the list of all; `show(name)` opens a session's page. */
export function openNewSession(app, show) {
  const list = h("ul", { class: "set-list", "aria-label": "Sessions" });
  const refresh = () => fillList(app, list, refresh, show);
  refresh();
  return openDialog({
    id: "new-session", title: "Sessions",
    body: [form(app, show), h("section", {}, h("h3", { text: "Sessions there are" }), list)],
  });
}

function form(app, show) {
  const { limits, defaults } = app.config.new_session;
  const option = (value, text) => h("option", { value, text });
  const box = (id, value, more = {}) => h("input", { type: "text", id: `new-${id}`, value, autocomplete: "off", ...more });
  const kinds = app.params?.specs.find(({ path }) => path === "stimulus.kind")?.choices ?? [];
  const inputs = {
    name: box("name", "", { maxLength: 64, placeholder: "session-2, -3, …" }),
    blocks: box("blocks", defaults.blocks, { inputMode: "numeric" }),
    n: box("n", defaults.n, { inputMode: "numeric" }),
    dt: h("select", { id: "new-dt" }, ...limits.dt.map((dt) => option(String(dt), `${dt} ms`))),
    seed: box("seed", defaults.seed, { inputMode: "numeric" }),
    preset: h("select", { id: "new-preset" }, option("", "all defaults"), option(AS_HERE, `as in ${app.session} now`)),
    stimulus: h("select", { id: "new-stimulus" }, option("", "as in the parameters"), ...kinds.filter((kind) => kind !== "file").map((kind) => option(kind, kind))),
  };
  inputs.dt.value = String(defaults.dt);
  const labels = {
    name: ["Name", "letters, digits, _ and -, at most 64; empty: a free one"],
    blocks: ["Blocks", `${limits.blocks.lo} to ${limits.blocks.hi}`],
    n: ["Neurons a stage", `${limits.n.lo} to ${limits.n.hi}, a multiple of ${limits.n.multiple}`],
    dt: ["Step (dt)", "how long a step lasts; shorter is finer and slower"],
    seed: ["Seed", `${limits.seed.lo} to ${limits.seed.hi}`],
    preset: ["Parameters", "defaults, this session's, or a saved set"],
    stimulus: ["Stimulus", ""],
  };
  const fields = Object.entries(labels).map(([name, [label, hint]]) => field(name, label, hint, inputs[name]));
  const size = h("p", { class: "quiet", id: "new-size" });
  const refused = h("output", { class: "row-message", role: "alert", data: { kind: "error" } });
  const say = (name, text) => {
    const known = fields.find((one) => one.name === name);
    for (const one of fields) one.say(one === known ? text : "");
    refused.textContent = known ? "" : text;
    known?.input.focus();
  };
  const tell = () => { size.textContent = sizeText(app.config.new_session, inputs); };
  for (const input of [inputs.blocks, inputs.n, inputs.dt]) input.addEventListener("input", tell);
  tell();
  offerSets(inputs.preset, option);

  const create = async (event) => {
    event.preventDefault();
    const { body, field: wrong, error } = asked(app, inputs, limits);
    say(wrong, error ?? "");
    if (error) return;
    go.disabled = true;
    try {
      const made = await request("POST", "/sessions", body);
      show(made.name);
    } catch (problem) {
      say(problem.field, problem.message);
    }
    go.disabled = false;
  };
  const go = h("button", { type: "submit", class: "primary", id: "new-create", text: "Create and open" });
  needs(app, "keep", go, ...Object.values(inputs));
  const node = h("form", { class: "new-session", noValidate: true, on: { submit: create } }, ...fields.map((one) => one.node), size, refused, go);
  return node;
}

function field(name, label, hint, input) {
  const message = h("output", { class: "row-message", id: `new-${name}-message`, data: { kind: "error" } });
  input.setAttribute("aria-describedby", message.id);
  const node = h("div", { class: "new-field" }, h("label", { htmlFor: input.id, text: label }), input, h("span", { class: "quiet", text: hint }), message);
  return {
    name, node, input,
    say(text) {
      message.textContent = text;
      input.setAttribute("aria-invalid", String(text !== ""));
    },
  };
}

async function offerSets(select, option) {
  try {
    select.append(...(await getSets()).sets.map((name) => option(`${SET}${name}`, `set "${name}"`)));
  } catch {
    // Without the list of sets the two other choices stay.
  }
}

/** What is asked for as `{body}`, or the field and why it is refused. */
function asked(app, inputs, limits) {
  const body = {}, name = inputs.name.value.trim();
  if (name && !NAME.test(name)) return { field: "name", error: "expected letters, digits, _ and -, at most 64, a letter or digit first" };
  if (name) body.name = name;
  for (const key of ["blocks", "n", "seed"]) {
    const { value, error } = parseNumber({ kind: "int", ...limits[key] }, inputs[key].value);
    if (error) return { field: key, error };
    if (limits[key].multiple && value % limits[key].multiple) return { field: key, error: `expected a multiple of ${limits[key].multiple}, got ${value}` };
    body[key] = value;
  }
  body.dt = Number(inputs.dt.value);
  const { value: chosen } = inputs.preset;
  if (chosen === AS_HERE) body.params = app.params?.non_default ?? {};
  if (chosen.startsWith(SET)) body.preset = chosen.slice(SET.length);
  if (inputs.stimulus.value) body.stimulus = inputs.stimulus.value;
  return { body };
}

/** `3,328 neurons, up to 440 MB of 4,096 MB for all sessions`, from what stands in the boxes. */
function sizeText({ memory, limits }, inputs) {
  const [blocks, n, dt] = [inputs.blocks, inputs.n, inputs.dt].map(({ value }) => Number(value));
  if (!Number.isInteger(blocks) || !Number.isInteger(n) || blocks < 1 || n < 1) return "";
  const past = memory.past_ms * Math.max(0, 1 / dt - 1) * n * (memory.per_spike * blocks + memory.per_time);
  const mb = Math.round((memory.fixed + memory.per_weight * blocks * n ** 2 + past) / MB);
  return `${(2 * blocks * n + memory.sensory).toLocaleString("en")} neurons, up to ${mb.toLocaleString("en")} MB; all sessions together ${(memory.budget / MB).toLocaleString("en")} MB, and ${limits.sessions} beside the default one.`;
}

async function fillList(app, list, refresh, show) {
  try {
    const { entries } = await askJson("/sessions");
    const mine = entries.filter((entry) => kindOf(entry) === kindOf(app.config));
    list.replaceChildren(...mine.map((entry) => line(app, entry, refresh, show)));
  } catch (error) {
    list.replaceChildren(h("li", { class: "warn", text: error.message }));
  }
}

function line(app, { name, state, owner }, refresh, show) {
  const here = name === app.session;
  const why = owner === "external" ? "It ends with its script." : name === "default" ? "The default session stays." : "";
  const remove = h("button", { type: "button", text: "Delete…", "aria-label": `Delete ${name}`, disabled: why !== "", title: why, data: { delete: name }, on: { click: () => confirmDelete(app, name, refresh, show) } });
  if (!why) needs(app, "keep", remove);
  const open = h("button", { type: "button", text: "Open", "aria-label": `Open ${name}`, disabled: here, on: { click: () => show(name) } });
  return h("li", {}, h("span", { class: "set-name", text: name }), h("span", { class: "quiet", text: here ? `${state}, shown here` : state ?? "" }), open, remove);
}

async function confirmDelete(app, name, refresh, show) {
  const lost = h("ul", { class: "lost-list" }, ...(await losses(name)).map((text) => h("li", { text })));
  const sure = await openDialog({
    id: "delete-session", title: `Delete session ${name}?`,
    body: [h("p", { text: "This is lost for good:" }), lost, h("p", { class: "quiet", text: "Saved parameter sets, snapshots and the other sessions stay." })],
    actions: [{ label: "Keep it", value: null }, { label: "Delete it", value: "delete", primary: true }],
  });
  if (sure !== "delete") return;
  try {
    await request("DELETE", `/sessions/${encodeURIComponent(name)}`);
    toast(`Session ${name} deleted.`);
    if (name === app.session) show("default");
    else refresh();
  } catch (error) {
    toastError(error);
  }
}

/** What goes with session `name`, with its numbers where the session tells them. */
async function losses(name) {
  const healthz = await askJson("/healthz").catch(() => ({}));
  const at = healthz.sessions?.[name]?.t_ms;
  const params = await askJson(`/sessions/${encodeURIComponent(name)}/params`).catch(() => null);
  const changed = Object.keys(params?.non_default ?? {}).length;
  return [
    Number.isFinite(at) ? `the run, ${simTime(at)} simulated: its weights, membranes and clock` : "the run: its weights, membranes and clock",
    "its checkpoints and the history that can be scrolled",
    changed ? `its settings: ${changed} changed parameter${changed > 1 ? "s" : ""}, breakpoints, event log` : "its settings: breakpoints and event log (no parameter is changed)",
  ];
}
