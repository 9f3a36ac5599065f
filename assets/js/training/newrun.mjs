// A new training session: run, seed and fault; the list of all; and the page of a user who has none yet.

import { request } from "../api.mjs";
import { needs } from "../capabilities.mjs";
import { openDialog } from "../dialogs.mjs";
import { h } from "../dom.mjs";
import { grouped } from "../marks/paint.mjs";
import { parseNumber } from "../scale.mjs";
import { fetchEntries, kindOf, show } from "../sessions.mjs";
import { toast, toastError } from "../toasts.mjs";

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const KINDS = { curve: "shows in the curves", error: "stops with an error" };

/** Creates a session and opens it; throws ApiError. */
export async function begin({ run, seed = 0, fault = null, name = "" }) {
  const body = { kind: "training", run, seed, fault, ...(name ? { name } : {}) };
  const made = await request("POST", "/sessions", body);
  show(made.name);
}

/** The dialog: a form for a new run, and the list of all. */
export function openNewRun(app) {
  const list = h("ul", { class: "set-list", "aria-label": "Training sessions" });
  const refresh = () => fill(app, list, refresh);
  refresh();
  return openDialog({
    id: "new-session", title: "Training sessions",
    body: [form(app), h("section", {}, h("h3", { text: "Sessions there are" }), list)],
  });
}

function form(app) {
  const { runs, faults, seed: limits } = app.config;
  const run = h("select", { id: "new-run" }, ...ordered(runs).map(({ name, what, steps }) => h("option", { value: name, text: `${name}: ${what}, ${grouped(steps)} steps` })));
  const fault = h("select", { id: "new-fault" }, h("option", { value: "", text: "none: a sound run" }),
    ...faults.map(({ number, name, title, kind }) => h("option", { value: name, text: `${number}. ${title} (${KINDS[kind]})` })));
  const seed = h("input", { type: "text", inputMode: "numeric", id: "new-seed", value: "0", autocomplete: "off" });
  const name = h("input", { type: "text", id: "new-name", maxLength: 64, autocomplete: "off", placeholder: "a free name" });
  const about = h("span", { class: "quiet" });
  const tell = () => {
    const one = faults.find((each) => each.name === fault.value);
    about.textContent = one ? `Trained beside a sound model, from one seed and text. Shows as: ${one.shows}.` : "";
  };
  fault.addEventListener("change", tell);
  const messages = {};
  const field = (key, label, input, hint) => {
    messages[key] = h("output", { class: "row-message", data: { kind: "error" } });
    return h("div", { class: "new-field" }, h("label", { htmlFor: input.id, text: label }), input, hint, messages[key]);
  };
  const say = (key, text) => {
    for (const one of Object.values(messages)) one.textContent = "";
    (messages[key] ?? messages.name).textContent = text;
  };
  const go = h("button", { type: "submit", class: "primary", id: "new-create", text: "Train" });
  const create = async (event) => {
    event.preventDefault();
    const read = parseNumber({ kind: "int", ...limits }, seed.value), wanted = name.value.trim();
    if (read.error) return say("seed", `Seed: ${read.error}`);
    if (wanted && !NAME.test(wanted)) return say("name", "Name: expected letters, digits, _ and -, at most 64, a letter or digit first");
    say("name", "");
    go.disabled = true;
    try {
      await begin({ run: run.value, seed: read.value, fault: fault.value || null, name: wanted });
    } catch (error) {
      say(error.field, error.message);
    }
    go.disabled = false;
    return null;
  };
  needs(app, "keep", go);
  return h("form", { class: "new-session run-form", noValidate: true, on: { submit: create } },
    field("run", "Run", run, null), field("fault", "Fault", fault, about),
    field("seed", "Seed", seed, h("span", { class: "quiet", text: `${limits.lo} to ${limits.hi}` })),
    field("name", "Name", name, null), go);
}

/** The small run first. */
const ordered = (runs) => [...runs].sort((a, b) => a.steps - b.steps);

async function fill(app, list, refresh) {
  const mine = (await fetchEntries()).filter((entry) => kindOf(entry) === app.config.kind);
  list.replaceChildren(...(mine.length ? mine.map((entry) => line(app, entry, refresh)) : [h("li", { class: "quiet", text: "None yet." })]));
}

function line(app, { name, state, message }, refresh) {
  const here = name === app.session;
  const remove = h("button", { type: "button", text: "Delete…", "aria-label": `Delete ${name}`, data: { delete: name }, on: { click: () => confirmDelete(app, name, refresh) } });
  needs(app, "keep", remove);
  const open = h("button", { type: "button", text: "Open", "aria-label": `Open ${name}`, disabled: here, on: { click: () => show(name) } });
  return h("li", {}, h("span", { class: "set-name", text: name }), h("span", { class: "quiet", title: message ?? "", text: here ? `${state}, shown here` : state ?? "" }), open, remove);
}

/** Asks once, says what goes, deletes. */
export async function confirmDelete(app, name, refresh = () => {}) {
  const lost = ["the run: weights, moments, memory bank, replay store", "its course, samples and kept checkpoints"];
  const sure = await openDialog({
    id: "delete-session", title: `Delete session ${name}?`,
    body: [h("p", { text: "This is lost for good:" }), h("ul", { class: "lost-list" }, ...lost.map((text) => h("li", { text })))],
    actions: [{ label: "Keep it", value: null }, { label: "Delete it", value: "delete", primary: true }],
  });
  if (sure !== "delete") return;
  try {
    await request("DELETE", `/sessions/${encodeURIComponent(name)}`);
    toast(`Session ${name} deleted.`);
    if (name === app.session) location.assign(location.pathname);
    else refresh();
  } catch (error) {
    toastError(error);
  }
}

/** What the page says while no session trains, with a way to begin in one click. */
export function emptyState(app) {
  const message = h("output", { class: "row-message", role: "alert", data: { kind: "error" } });
  const start = async (button) => {
    button.disabled = true;
    try {
      await begin({ run: "tiny" });
    } catch (error) {
      message.textContent = error.message;
    }
    button.disabled = false;
  };
  const go = h("button", { type: "button", class: "primary", id: "begin-tiny", text: "Train a tiny model", on: { click: () => start(go) } });
  const more = h("button", { type: "button", id: "begin-other", text: "Choose run, seed and fault…", on: { click: () => openNewRun(app) } });
  needs(app, "keep", go, more);
  const tiny = app.config.runs.find(({ name }) => name === "tiny");
  return h("section", { class: "empty-state", id: "empty" },
    h("h2", { text: "No model is being trained" }),
    h("p", { text: "A training session is a worker of its own. It trains a small hippocampal language model on text that comes along, and this page shows every step: the loss and what is held out, gradient norms, the place cells, what it writes." }),
    h("p", { text: "With a fault it trains two models side by side, one sound and one faulty, from the same seed and text: the charts lay them over one another." }),
    h("div", { class: "button-row" }, go, more), message,
    h("p", { class: "quiet", text: `The tiny run: ${tiny?.what ?? ""}, ${grouped(tiny?.steps ?? 0)} steps, done in less than a minute. It goes on when you leave the page.` }));
}
