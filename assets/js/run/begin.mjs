// Sessions of the page's kind: begin one, list them, delete one, and the page of a user who has none yet.
// `config.words` has the page's own words; `app.choices(field)` the fields of a kind that has options.

import { request } from "../api.mjs";
import { needs } from "../capabilities.mjs";
import { openDialog } from "../dialogs.mjs";
import { h } from "../dom.mjs";
import { parseNumber } from "../scale.mjs";
import { fetchEntries, kindOf, sessionOf, show } from "../sessions.mjs";
import { toast, toastError } from "../toasts.mjs";

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const STATES = ["running", "paused", "stepping"];

/** The session asked for, else one of this kind that runs, else the newest, else null. */
export async function chosen(config) {
  const asked = sessionOf(location.search, null);
  if (asked) return asked;
  const mine = (await fetchEntries()).filter((entry) => kindOf(entry) === config.kind);
  const best = mine.find(({ state }) => state === "running") ?? mine.findLast(({ state }) => STATES.includes(state)) ?? mine.at(-1);
  return best?.name ?? null;
}

/** Creates a session with the options of its kind and opens it; throws ApiError. */
export async function begin(app, { seed = 0, name = "", ...options } = {}) {
  const made = await request("POST", "/sessions", { kind: app.config.kind, seed, ...options, ...(name ? { name } : {}) });
  show(made.name);
}

/** The dialog: a form for a new session, and the list of all. */
export function openNew(app) {
  const list = h("ul", { class: "set-list", "aria-label": "Sessions" });
  const refresh = async () => {
    const mine = (await fetchEntries()).filter((entry) => kindOf(entry) === app.config.kind);
    list.replaceChildren(...(mine.length ? mine.map((entry) => line(app, entry, refresh)) : [h("li", { class: "quiet", text: "None yet." })]));
  };
  refresh();
  return openDialog({
    id: "new-session", title: app.config.words.sessions,
    body: [form(app), h("section", {}, h("h3", { text: "Sessions there are" }), list)],
  });
}

function form(app) {
  const limits = app.config.seed, messages = {};
  const seed = h("input", { type: "text", inputMode: "numeric", id: "new-seed", value: "0", autocomplete: "off" });
  const name = h("input", { type: "text", id: "new-name", maxLength: 64, autocomplete: "off", placeholder: "a free name" });
  const field = (key, label, input, hint) => {
    messages[key] = h("output", { class: "row-message", data: { kind: "error" } });
    return h("div", { class: "new-field" }, h("label", { htmlFor: input.id, text: label }), input, hint, messages[key]);
  };
  const say = (key, text) => {
    for (const one of Object.values(messages)) one.textContent = "";
    (messages[key] ?? messages.name).textContent = text;
  };
  const { words } = app.config, choices = app.choices?.(field) ?? { fields: [], read: () => ({}) };
  const go = h("button", { type: "submit", class: "primary", id: "new-create", text: words.go ?? words.begin });
  const create = async (event) => {
    event.preventDefault();
    const read = parseNumber({ kind: "int", ...limits }, seed.value), wanted = name.value.trim();
    if (read.error) return say("seed", `Seed: ${read.error}`);
    if (wanted && !NAME.test(wanted)) return say("name", "Name: expected letters, digits, _ and -, at most 64, a letter or digit first");
    say("name", "");
    go.disabled = true;
    try {
      await begin(app, { ...choices.read(), seed: read.value, name: wanted });
    } catch (error) {
      say(error.field, error.message);
    }
    go.disabled = false;
    return null;
  };
  needs(app, "keep", go);
  return h("form", { class: "new-session run-form", noValidate: true, on: { submit: create } }, ...choices.fields,
    field("seed", "Seed", seed, h("span", { class: "quiet", text: `${limits.lo} to ${limits.hi}` })), field("name", "Name", name, null), go);
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
  const sure = await openDialog({
    id: "delete-session", title: `Delete session ${name}?`,
    body: [h("p", { text: "This is lost for good:" }), h("ul", { class: "lost-list" }, ...app.config.words.lost.map((text) => h("li", { text })))],
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

/** What the page says while there is no session, with a way to begin in one click. */
export function emptyState(app) {
  const { words } = app.config;
  const message = h("output", { class: "row-message", role: "alert", data: { kind: "error" } });
  const start = async () => {
    go.disabled = true;
    try {
      await begin(app, app.firstChoice);
    } catch (error) {
      message.textContent = error.message;
    }
    go.disabled = false;
  };
  const go = h("button", { type: "button", class: "primary", id: "begin", text: words.begin, on: { click: start } });
  const more = h("button", { type: "button", id: "begin-other", text: words.other ?? "Choose seed and name…", on: { click: () => openNew(app) } });
  needs(app, "keep", go, more);
  return h("section", { class: "empty-state", id: "empty" }, h("h2", { text: words.empty }),
    ...words.about.map((text) => h("p", { text })), h("div", { class: "button-row" }, go, more), message,
    words.note ? h("p", { class: "quiet", text: words.note }) : null);
}
