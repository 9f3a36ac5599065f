// Commands that wait for the step in work: told as queued, then as applied at the step that had them first.

import { applyLocally, told } from "../api.mjs";
import { h } from "../dom.mjs";
import { momentText, pathText, valueText } from "../format.mjs";
import { toast } from "../toasts.mjs";

const SHOWN_MS = { applied: 4000, refused: 15_000 };
/** The word of a request that is answered when it waits, not when it is applied. */
const QUEUED = { "X-T4DM-Ack": "queued" };
/** Commands of which the answer itself is wanted. */
const AWAITED = ["checkpoint", "forget", "branch", "reset", "replace"];

const SOON_MS = 50;

const isAwaited = (parts) => parts.some(({ type }) => AWAITED.includes(type));
/** The headers that a list of commands is sent with. */
const headersOf = (parts) => (isAwaited(parts) ? { "X-T4DM-Ack": "applied" } : QUEUED);

/** Says of a command whose answer takes a step that it waits; returns what is called with the answer. */
function whileAwaited(parts) {
  if (!isAwaited(parts)) return null;
  const timer = setTimeout(() => toast(`${parts.at(-1).type}: queued, the step in work ends first`, { merge: "awaited" }), SOON_MS);
  return () => clearTimeout(timer);
}

const EARLY_MS = 1500; // by which an event may come before the answer it belongs to

/** Follows what is queued until a step has had it. */
export function mount(app) {
  const waiting = [], early = [];
  Object.assign(app, { commandHeaders: headersOf, whileAwaited });
  app.on("queued", ({ parts, before, gesture }) => {
    parts.forEach((part, i) => {
      if (part.type !== "set" && part.type !== "clear") return;
      const wanted = valueOf(app, part);
      if (app.params?.values[part.path] === wanted) return;
      waiting.push({ part, before: before[i], gesture });
      applyLocally(part, { new: wanted });
      mark(part.path, "queued", "");
      const k = early.findIndex(({ event, at }) => event.path === part.path && event.new === wanted && performance.now() - at < EARLY_MS);
      if (k >= 0) applied(early.splice(k, 1)[0].event);
    });
  });
  app.on("event", (event) => {
    if (event.who !== app.who) return;
    if (event.type === "param") applied(event);
    else if (event.type === "refused") refused(event);
  });

  function applied(event) {
    const i = waiting.findIndex(({ part }) => part.path === event.path);
    if (i < 0) {
      while (early.length && performance.now() - early[0].at > EARLY_MS) early.shift();
      early.push({ event, at: performance.now() });
      return;
    }
    const [{ part, before, gesture }] = waiting.splice(i, 1);
    told(part, { ok: true, rev: event.rev, step: event.step, old: event.old, new: event.new }, before, gesture);
    const text = `applied at ${momentText(event.step, app.meta?.axis)}`;
    mark(event.path, "applied", text);
    app.emit("applied", event);
    toast(`${pathText(event.path)} ${valueText(event.old)} → ${valueText(event.new)}: ${text}`, { merge: event.path });
  }

  /** The worker could not do it after all: said beside its field, or aloud where there is none. */
  function refused({ message }) {
    const named = waiting.findIndex(({ part }) => message.startsWith(part.path));
    const [gone] = waiting.splice(Math.max(0, named), 1);
    app.refreshParams();
    if (!gone || !mark(gone.part.path, "refused", message)) toast(message, { kind: "error" });
  }
}

/** What a `set` or a `clear` makes of its parameter. */
function valueOf(app, { type, path, value }) {
  return type === "clear" ? app.params?.specs.find((spec) => spec.path === path)?.default : value;
}

/** The word beside a parameter's field: queued, or for a while what became of it; false where it has no field. */
function mark(path, state, title) {
  const row = path && document.querySelector(`.row[data-path="${CSS.escape(path)}"]`);
  if (!row) return false;
  let word = row.querySelector(".row-word");
  if (!word) row.append(word = h("output", { class: "row-word" }));
  word.textContent = title || "queued: the step in work ends first";
  word.dataset.state = state;
  clearTimeout(word.timer);
  if (state !== "queued") word.timer = setTimeout(() => word.remove(), SHOWN_MS[state]);
  return true;
}
