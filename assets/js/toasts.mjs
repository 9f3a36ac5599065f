// Short messages at the edge of the page, read out politely by screen readers.

import { sentence } from "./break-words.mjs";
import { h, iconButton } from "./dom.mjs";
import { pathText, valueText } from "./format.mjs";

const KEEP_MS = 3000;
const KEEP_ERROR_MS = 12_000;
const MOST = 5;
const BATCH_MS = 60;
const batch = new Map();
let host = null, page = null;

/** Takes the toast area and reports what other tabs and scripts change from now on. */
export function mount(app) {
  page = app;
  host = document.getElementById("toasts");
  host.setAttribute("role", "status");
  host.setAttribute("aria-live", "polite");
  host.popover = "manual";
  let first = null;
  app.on("frame", (meta) => (first ??= { epoch: meta.epoch, step: meta.step1 }));
  app.on("event", (event) => {
    const old = !first || (app.meta.epoch === first.epoch && event.step < first.step);
    if (!old && event.who && event.who !== app.who) report(event);
  });
}

/** Tells of someone else's action; the many changes of one `replace` become one message. */
function report(event) {
  const { who, type, rev } = event;
  if (type !== "param") {
    const text = OTHERS[type]?.(event);
    if (text) toast(`${who} ${text}`, { merge: `${who} ${type} ${event.nt ?? event.breakpoint?.id ?? ""}` });
    return;
  }
  if (event.old === event.new) return;
  const key = `${who} ${rev}`;
  if (!batch.has(key)) {
    batch.set(key, []);
    setTimeout(() => tellBatch(who, key), BATCH_MS);
  }
  batch.get(key).push(event);
}

const OTHERS = {
  inject: (event) => `injected ${event.nt} ${valueText(event.level)}`,
  reward: (event) => `gave reward ${valueText(event.r)}`,
  note: (event) => `noted: ${event.text}`,
  state: (event) => (event.state === "running" ? "started the run" : "paused the run"),
  reset: (event) => `reset the run with seed ${event.seed}`,
  speed: (event) => `set the speed: ${speedText(event.old)} → ${speedText(event.new)}`,
  break_on: (event) => `set breakpoint ${event.breakpoint.id}: ${sentence(page, event.breakpoint)}`,
  break_off: ({ breakpoints: gone }) => (gone.length > 1 ? `removed ${gone.length} breakpoints`
    : `removed breakpoint ${gone[0].id}: ${sentence(page, gone[0])}`),
};

const speedText = (speed) => (speed === "max" ? "max" : `${valueText(speed)}x`);

function tellBatch(who, key) {
  const events = batch.get(key);
  batch.delete(key);
  const { path, old, new: now } = events[0];
  const text = events.length > 1 ? `changed ${events.length} parameters` : `set ${pathText(path)}: ${valueText(old)} → ${valueText(now)}`;
  toast(`${who} ${text}`, { merge: `${who} ${events.length > 1 ? key : path}` });
}

/** Shows `text`; `merge` names a message that a newer one of the same name takes over. */
export function toast(text, { kind = "info", merge = "", action = null } = {}) {
  if (!host) return;
  const old = merge ? [...host.children].find((node) => node.dataset.merge === merge) : null;
  if (old) old.remove();
  const node = h("div", { class: `toast toast-${kind}`, data: { merge } }, h("span", { class: "toast-text", text }));
  if (action) node.append(h("button", { type: "button", text: action.label, on: { click: () => { action.run(); node.remove(); } } }));
  node.append(iconButton("close", "Dismiss", () => node.remove(), { class: "toast-close" }));
  host.append(node);
  raise();
  while (host.children.length > MOST) host.firstElementChild.remove();
  setTimeout(() => node.remove(), kind === "error" ? KEEP_ERROR_MS : KEEP_MS);
}

/** Lifts the messages above a dialog that was opened after the last one. */
function raise() {
  if (host.matches(":popover-open")) host.hidePopover();
  host.showPopover();
}

/** Shows a refused command or a failed request. */
export function toastError(error) {
  toast(error.message, { kind: "error" });
}
