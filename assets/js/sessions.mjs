// The sessions there are: which one the page shows, and a picker where there is more than one.

import { askJson } from "./ask.mjs";
import { h, iconButton } from "./dom.mjs";

const EVERY_MS = 3000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The session named in the page's address (`/?session=NAME`), else `fallback`. */
export function sessionOf(search, fallback) {
  const name = new URLSearchParams(search).get("session");
  return name && NAME.test(name) ? name : fallback;
}

/**
 * The top bar's part: the session's name, or a select of all sessions of the page's kind; it follows
 * new ones. `openNew(app, show)` is what its plus opens.
 */
export function sessionPicker(app, openNew) {
  const name = h("span", { class: "session-name", title: "Session", text: app.session });
  const select = h("select", { id: "session-picker", class: "session-name", title: "Session shown", "aria-label": "Session shown", hidden: true });
  select.addEventListener("change", () => show(select.value));
  let listed = "";
  const refresh = async () => {
    if (document.hidden) return;
    const entries = (await fetchEntries()).filter((entry) => kindOf(entry) === kindOf(app.config));
    const found = entries.some((entry) => entry.name === app.session) ? entries : [...entries, { name: app.session, state: "missing" }];
    if (!entries.length || JSON.stringify(found) === listed || document.activeElement === select) return;
    listed = JSON.stringify(found);
    select.replaceChildren(...found.map((entry) => h("option", { value: entry.name, text: textOf(entry), title: entry.message ?? "" })));
    select.value = app.session;
    select.hidden = found.length < 2;
    name.hidden = !select.hidden;
    app.emit("sessions", found);
  };
  setInterval(refresh, EVERY_MS);
  refresh();
  document.title = `${app.session} · t4dm`;
  const more = iconButton("plus", "New session, and all there are", () => openNew(app, show), { id: "open-sessions" });
  return { node: h("div", { class: "bar-part" }, h("span", { class: "bar-name", text: "session" }), name, select, more) };
}

function textOf({ name, state }) {
  return ["running", "paused", "stepping"].includes(state) ? name : `${name} (${state})`;
}

/** The kind of a session or of a page's sessions; the board's where none is named. */
export const kindOf = ({ kind }) => kind ?? "spiking";

/** The sessions there are; none where the server does not answer. */
export async function fetchEntries() {
  try {
    return (await askJson("/sessions")).entries ?? [];
  } catch {
    return [];
  }
}

/** Opens the page of session `name`; its own view begins there. */
export function show(name) {
  const url = new URL(location.href);
  if (name === "default") url.searchParams.delete("session");
  else url.searchParams.set("session", name);
  location.assign(url);
}
