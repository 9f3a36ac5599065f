// Undo and redo of this tab's acknowledged parameter changes.

import { command, onAck, together } from "./api.mjs";
import { pathText, valueText } from "./format.mjs";
import { toast, toastError } from "./toasts.mjs";

const DEPTH = 200;
const done = [];
const undone = [];
/** Marks what undo and redo send themselves: its answer, which may come late, is no new change. */
const REPLAY = { replay: true };
let owner = null;

/** Records what this tab changes. */
export function mount(app) {
  owner = app;
  onAck((entry) => {
    if (entry.gesture !== REPLAY) record(entry);
  });
}

/** Takes back the newest change of this tab. */
export const undo = () => replay(done, undone, "back", "Nothing to undo");

/** Makes the change taken back last again. */
export const redo = () => replay(undone, done, "forth", "Nothing to redo");

/** Whether undo would take back the changes of `gesture`: whether they are the newest that it holds. */
export const takesBack = (gesture) => Boolean(gesture) && done.at(-1)?.gesture === gesture;

/** How many changes can be taken back and made again. */
export const depth = () => ({ undo: done.length, redo: undone.length });

function record({ command: sent, ack, before, gesture }) {
  const entry = entryOf(sent, ack, before);
  if (!entry) return;
  const last = done.at(-1);
  if (gesture?.label && last?.gesture === gesture) {
    last.back = [entry.back, last.back].flat();
    last.forth = [last.forth, entry.forth].flat();
  } else if (gesture && last?.gesture === gesture) {
    last.forth = entry.forth;
    last.label = `${last.from} → ${entry.to}`;
  } else {
    done.push({ ...entry, gesture, label: gesture?.label ?? `${entry.from} → ${entry.to}` });
    if (done.length > DEPTH) done.shift();
  }
  undone.length = 0;
  owner.emit("undo", depth());
}

/** The pair of commands that takes `sent` back and makes it again, or null if it is no change. */
function entryOf(sent, ack, before) {
  if (sent.type === "replace") {
    const back = { type: "replace", values: before.values, label: "undo" };
    return { back, forth: sent, from: "parameter set", to: sent.label || "replaced" };
  }
  if (sent.type === "preset") {
    const back = { type: "replace", values: ack.old, label: "undo" };
    return { back, forth: sent, from: "parameters", to: `preset ${sent.name}` };
  }
  if (sent.type !== "set" && sent.type !== "clear") return null;
  const keepsOld = before.isBase || before.wasOverride;
  const samePlace = before.isBase || before.wasOverride === (sent.type === "set");
  if (ack.old === ack.new && samePlace) return null;
  const back = keepsOld ? { type: "set", path: sent.path, value: ack.old } : { type: "clear", path: sent.path };
  return { back, forth: sent, from: `${pathText(sent.path)} ${valueText(ack.old)}`, to: valueText(ack.new) };
}

async function replay(from, to, direction, empty) {
  const entry = from.pop();
  if (!entry) {
    toast(empty, { merge: "undo" });
    return;
  }
  try {
    const sent = entry[direction];
    await (Array.isArray(sent) ? together(sent, REPLAY) : command(sent, REPLAY));
    to.push({ ...entry, gesture: null });
    toast(`${direction === "back" ? "Undone" : "Redone"}: ${entry.label}`, { merge: "undo" });
  } catch (error) {
    from.push(entry);
    toastError(error);
  } finally {
    owner.emit("undo", depth());
  }
}
