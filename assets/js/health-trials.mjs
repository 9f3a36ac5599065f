// A remedy on trial: applied, then watched until its finding goes or the time for it is over.

import { command, together } from "./api.mjs";
import { lacking } from "./capabilities.mjs";
import { axisText, momentText, num, stretchText, valueText } from "./format.mjs";

/** Simulated ms within which a remedy should show; a page of another axis has its own `patience`. */
export const PATIENCE_MS = 5000;
const MOST_LETTERS = 60;

/** Applies `remedy` as one, undone as one; throws ApiError. */
export async function treat(app, finding, remedy) {
  const ack = await together(remedy.commands, { label: `${remedy.label} (${finding.title})` });
  app.health.trials.set(finding.id, {
    id: finding.id, remedy: remedy.id, label: remedy.label, from_ms: ack.t_ms ?? ack.step, t_ms: ack.t_ms ?? ack.step,
    patience: app.patience ?? PATIENCE_MS,
    epoch: app.health.report?.epoch, outcome: "watching", after_ms: null, anew: false,
  });
  app.emit("health", app.health);
}

/** `trial` in the light of a newer report; `cleared_ms`: when the run's record says it was over. */
export function judged(trial, report, cleared_ms) {
  const stands = report.findings.some(({ id }) => id === trial.id);
  if (trial.outcome === "cleared") return stands ? { ...trial, outcome: "again" } : trial;
  if (trial.outcome === "again") return trial;
  const anew = trial.anew || report.epoch !== trial.epoch;
  const from_ms = anew ? 0 : trial.from_ms;
  const now = { ...trial, epoch: report.epoch, anew, from_ms, t_ms: report.t_ms };
  const passed = report.t_ms - from_ms;
  if (stands) return { ...now, outcome: passed >= (trial.patience ?? PATIENCE_MS) ? "still" : "watching" };
  if (anew && report.waiting) return now;
  const at = cleared_ms >= from_ms && cleared_ms <= report.t_ms ? cleared_ms : report.t_ms;
  return { ...now, outcome: "cleared", after_ms: at - from_ms };
}

/** What came of it, in a sentence. */
export function outcomeText(app, trial) {
  const { label, outcome, from_ms: from, t_ms: now, after_ms: after, patience = PATIENCE_MS } = trial;
  const { axis } = app.meta ?? {};
  if (outcome === "cleared") return `${label}: it worked. Cleared after ${stretchText(after, axis)}.`;
  if (outcome === "again") return `${label}: it was cleared, and is found again.`;
  if (outcome === "still") return `${label}: still there after ${stretchText(now - from, axis)}. Undo takes it back.`;
  if (app.meta?.state !== "running") return `${label}: applied. Run the session to see whether it helps.`;
  return `${label}: applied at ${momentText(from, axis)}, watching for ${axis && axis !== "sim_ms" ? axisText(patience, axis) : `${patience / 1000} s simulated`}.`;
}

/** A command in a few words: `lif.beta = 1`, `inject DA +0.3`. */
export function commandText(message) {
  const { type, path, value, values, nt, level, seed } = message;
  switch (type) {
    case "set": return `${path} = ${shortened(valueText(value))}`;
    case "clear": return `clear ${path}`;
    case "replace": {
      const texts = Object.entries(values).map(([name, one]) => `${name} = ${valueText(one)}`);
      return texts.length ? `only ${texts.join(", ")}` : "all parameters to their defaults";
    }
    case "preset": return `preset ${message.name}`;
    case "inject": return `inject ${nt} ${level >= 0 ? "+" : "−"}${num(Math.abs(level))}`;
    case "reward": return `reward ${num(value)}`;
    case "reset": return seed === undefined || seed === null ? "reset" : `reset, seed ${seed}`;
    default: return type;
  }
}

const shortened = (text) => (text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text);

/** Why `remedy` cannot be applied in this session now, or ""; a page has its own word on its own ones. */
export function hindrance(app, remedy, finding) {
  const own = app.remedies?.[remedy.id]?.hindrance?.(finding);
  return own || (remedy.commands.map(({ type }) => lacking(app, type)).find(Boolean) ?? "");
}

/** The breakpoint that pauses on finding `id`, or undefined. */
export const breakpointOn = (app, id) =>
  (app.meta?.breakpoints ?? []).find((point) => point.kind === "finding" && point.finding === id);

/** Sets or removes it. */
export function pauseOn(app, id) {
  const there = breakpointOn(app, id);
  return command(there ? { type: "break_off", id: there.id } : { type: "break_on", kind: "finding", finding: id, severity: "note" });
}
