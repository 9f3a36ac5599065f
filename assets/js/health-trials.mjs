// A remedy on trial: applied, then watched until its finding goes or the time for it is over.

import { command, together } from "./api.mjs";
import { lacking } from "./capabilities.mjs";
import { axisText, momentText, num, stretchText, valueText } from "./format.mjs";

/** Simulated ms of looks that can tell, within which a remedy should show; a page of another axis has its own `patience`. */
export const PATIENCE_MS = 5000;
/** Why a finding that is held is neither seen nor over. */
export const HELD = "The rule cannot tell at the moment: the stimulus rests, or nothing calls for what it looks for.";
/** Simulated ms for which a rule that something else explained has to find nothing by itself. */
const OWN_LOOKS_MS = 1000;
const MOST_LETTERS = 60;

/** Applies `remedy` as one, undone as one; throws ApiError. */
export async function treat(app, finding, remedy) {
  const ack = await together(remedy.commands, { label: `${remedy.label} (${finding.title})` });
  app.health.trials.set(finding.id, {
    id: finding.id, remedy: remedy.id, label: remedy.label, from_ms: ack.t_ms ?? ack.step, t_ms: ack.t_ms ?? ack.step, blind_ms: 0, held: false,
    patience: app.patience ?? PATIENCE_MS,
    epoch: app.health.report?.epoch, outcome: "watching", after_ms: null, anew: false,
  });
  app.emit("health", app.health);
}

/**
 * `trial` in the light of a newer report; `cleared_ms`: when the run's record says it was over. Time in
 * which its rule cannot tell, and holds what stands, does not count: it is neither healed nor still there.
 * What another finding explained, or a reset wiped away, is over only once its own rule looked again.
 */
export function judged(trial, report, cleared_ms) {
  const stands = report.findings.find(({ id }) => id === trial.id);
  if (trial.outcome === "cleared") return stands ? { ...trial, outcome: "again" } : trial;
  if (trial.outcome === "again") return trial;
  const anew = trial.anew || report.epoch !== trial.epoch;
  const untold = report.cannot_tell?.some(({ id }) => id === trial.id) && (anew || trial.outcome === "explained");
  const held = Boolean(stands ? stands.held : untold);
  const from_ms = anew ? 0 : trial.from_ms;
  const since = report.epoch === trial.epoch ? (trial.t_ms ?? from_ms) : from_ms;
  const blind_ms = (report.epoch === trial.epoch ? (trial.blind_ms ?? 0) : 0) + (held ? Math.max(0, report.t_ms - since) : 0);
  const now = { ...trial, epoch: report.epoch, anew, from_ms, t_ms: report.t_ms, blind_ms, held };
  const passed = report.t_ms - from_ms - blind_ms;
  const by = explainedBy(report, trial.id);
  if (!stands && by) return { ...now, outcome: "explained", by, explained_ms: report.t_ms };
  if (stands) return { ...now, outcome: !held && passed >= (trial.patience ?? PATIENCE_MS) ? "still" : "watching" };
  if (untold) return { ...now, explained_ms: report.t_ms };
  if (anew && report.waiting) return now;
  if (now.outcome === "explained" && !anew && report.t_ms - now.explained_ms < OWN_LOOKS_MS) return now;
  const at = cleared_ms >= from_ms && cleared_ms <= report.t_ms ? cleared_ms : report.t_ms;
  return { ...now, outcome: "cleared", after_ms: at - from_ms };
}

/** The title of the finding that explains finding `id` in `report`, so that its rule is not asked; or "". */
export function explainedBy(report, id) {
  const by = report.cannot_tell?.find((one) => one.id === id)?.explained_by;
  return by ? (report.findings.find((one) => one.id === by)?.title ?? by) : "";
}

/** Why the rule of finding `id`, which is held, cannot tell: by the report, or in general. */
export function heldText(app, id) {
  const why = app.health?.report?.cannot_tell?.find((one) => one.id === id)?.why;
  return why ? `The rule cannot tell at the moment. ${why}` : HELD;
}

/** What came of it, in a sentence. */
export function outcomeText(app, trial) {
  const { label, outcome, from_ms: from, t_ms: now, after_ms: after, held, patience = PATIENCE_MS } = trial;
  const { axis } = app.meta ?? {};
  if (outcome === "cleared") return `${label}: it worked. Cleared after ${stretchText(after, axis)}.`;
  if (outcome === "explained" && held) return `${label}: was explained by ${trial.by}, which is over. ${heldText(app, trial.id)} It waits until it can.`;
  if (outcome === "explained") return `${label}: no longer found by itself, now explained by ${trial.by}. Whether it helped shows once that is mended.`;
  if (outcome === "again") return `${label}: it was cleared, and is found again.`;
  if (outcome === "still") return `${label}: still there after ${stretchText(now - from, axis)}. Undo takes it back.`;
  if (app.meta?.state !== "running") return `${label}: applied. Run the session to see whether it helps.`;
  if (held) return `${label}: applied at ${momentText(from, axis)}. ${heldText(app, trial.id)} It waits until it can.`;
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
