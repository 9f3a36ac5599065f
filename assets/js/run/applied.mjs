// Commands that wait for the step in work: told as queued, then as applied at the step that had them first.

import { applyLocally, told } from "../api.mjs";
import { h } from "../dom.mjs";
import { momentText, pathText, valueText } from "../format.mjs";
import { toast } from "../toasts.mjs";

const SHOWN_MS = 4000;
/** The word of a request that is answered when it waits, not when it is applied. */
export const QUEUED = { "X-T4DM-Ack": "queued" };
/** Commands of which the answer itself is wanted. */
const AWAITED = ["checkpoint", "forget", "branch", "reset"];

/** The headers that a list of commands is sent with. */
export const headersOf = (parts) => (parts.some(({ type }) => AWAITED.includes(type)) ? {} : QUEUED);

/** Follows what is queued; `app.waiting` is how many changes no step has had yet. */
export function mount(app) {
  const waiting = [];
  app.waiting = () => waiting.length;
  app.commandHeaders = headersOf;
  app.on("queued", ({ parts, before, gesture }) => {
    parts.forEach((part, i) => {
      if (part.type !== "set" && part.type !== "clear" && part.type !== "replace") return;
      const wanted = valueOf(app, part);
      if (part.type !== "replace" && app.params?.values[part.path] === wanted) return;
      waiting.push({ part, before: before[i], gesture });
      applyLocally(part, { new: wanted });
      mark(part.path, "queued", "");
    });
    app.emit("waiting", waiting.length);
  });
  app.on("event", (event) => {
    if (event.who !== app.who) return;
    if (event.type === "param") applied(event);
    else if (event.type === "refused") refused(event);
  });

  function applied(event) {
    const i = waiting.findIndex(({ part }) => part.path === event.path || part.type === "replace");
    if (i < 0) return;
    const { part, before, gesture } = waiting[i];
    if (part.type === "replace") { waiting.splice(i, 1); app.refreshParams(); }
    else {
      waiting.splice(i, 1);
      told(part, { ok: true, rev: event.rev, step: event.step, old: event.old, new: event.new }, before, gesture);
    }
    const text = `applied at ${momentText(event.step, app.meta?.axis)}`;
    mark(event.path, "applied", text);
    app.emit("applied", event);
    toast(`${pathText(event.path)} ${valueText(event.old)} → ${valueText(event.new)}: ${text}`, { merge: event.path });
  }

  function refused({ message }) {
    waiting.shift();
    app.refreshParams();
    toast(message, { kind: "error" });
  }
}

/** What a `set` or a `clear` makes of its parameter. */
function valueOf(app, { type, path, value }) {
  return type === "clear" ? app.params?.specs.find((spec) => spec.path === path)?.default : value;
}

/** The word beside a parameter's field: queued, or applied for a while. */
function mark(path, state, title) {
  const row = path && document.querySelector(`.row[data-path="${CSS.escape(path)}"]`);
  if (!row) return;
  let word = row.querySelector(".row-word");
  if (!word) row.append(word = h("output", { class: "row-word" }));
  word.textContent = title || "queued: the step in work ends first";
  word.dataset.state = state;
  clearTimeout(word.timer);
  if (state === "applied") word.timer = setTimeout(() => word.remove(), SHOWN_MS);
}
