// A remedy on trial: applied, then watched until its finding goes or the time for it is over.

import { command, together } from "./api.mjs";
import { lacking } from "./capabilities.mjs";
import { axisText, momentText, num, stretchText, valueText } from "./format.mjs";
import { takesBack } from "./undo.mjs";

/** Simulated ms of looks that can tell, within which a remedy should show; a page of another axis has its own `patience`. */
export const PATIENCE_MS = 5000;
/** Why a finding that is held is neither seen nor over. */
export const HELD = "The rule cannot tell at the moment: the stimulus rests, or nothing calls for what it looks for.";
/** Simulated ms for which a rule that something else explained has to find nothing by itself. */
const OWN_LOOKS_MS = 1000;
const MOST_LETTERS = 60;

/** What undo leaves as it is, by the command that did it. */
const BEYOND_UNDO = { reset: "the reset", inject: "the bolus", reward: "the reward" };
/** Outcomes of a finding that is over. */
const OVER = ["cleared", "late", "shared"];

/** Applies `remedy` as one, undone as one; throws ApiError. */
export async function treat(app, finding, remedy) {
  const gesture = { label: `${remedy.label} (${finding.title})` }, epoch = app.health.report?.epoch;
  const ack = await together(remedy.commands, gesture);
  const from_ms = ack.t_ms ?? ack.step, types = remedy.commands.map(({ type }) => type);
  app.health.trials.set(finding.id, {
    id: finding.id, finding, remedy: remedy.id, label: remedy.label, gesture,
    resets: types.includes("reset"), beyond: types.flatMap((type) => BEYOND_UNDO[type] ?? []),
    rev: ack.rev, queued: ack.queued ? remedy.commands.flatMap(({ path }) => path ?? []) : [], others: false,
    from_ms, t_ms: from_ms, blind_ms: 0, held: false, patience: app.patience ?? PATIENCE_MS,
    epoch, outcome: "watching", after_ms: null, anew: false,
  });
  app.emit("health", app.health);
}

/** `trial`, whose commands waited for a step, after `event` told that this page's change of a parameter was applied. */
export function appliedAt(trial, { path, rev }) {
  if (!trial.queued?.includes(path)) return trial;
  return { ...trial, rev, queued: trial.queued.filter((one) => one !== path) };
}

/**
 * `trial` in the light of a newer report; `cleared_ms`: when the run's record says it was over. Time in
 * which its rule cannot tell, and holds what stands, does not count: it is neither healed nor still there.
 * What another finding explained, or a reset wiped away, is over only once its own rule looked again.
 * What went too late, or after parameters were changed or the run was reset by others, is no success.
 */
export function judged(trial, report, cleared_ms) {
  const stands = report.findings.find(({ id }) => id === trial.id);
  if (isOlder(report, trial)) return trial;
  if (isOver(trial)) return stands ? { ...trial, outcome: "again" } : trial;
  if (trial.outcome === "again") return trial;
  const now = followed(trial, report, stands);
  return stands ? standing(now) : gone(now, report, cleared_ms);
}

/** `trial` with the time that passed until `report`, the time of it in which its rule was blind, and who else acted. */
function followed(trial, report, stands) {
  const same = report.epoch === trial.epoch, anew = trial.anew || !same;
  const untold = report.cannot_tell?.some(({ id }) => id === trial.id) && (anew || trial.outcome === "explained");
  const held = Boolean(stands ? stands.held : untold);
  const from_ms = anew ? 0 : trial.from_ms, since = same ? (trial.t_ms ?? from_ms) : from_ms;
  const blind_ms = (same ? (trial.blind_ms ?? 0) : 0) + (held ? Math.max(0, report.t_ms - since) : 0);
  const others = trial.others || othersActed(trial, report);
  return { ...trial, epoch: report.epoch, anew, from_ms, t_ms: report.t_ms, blind_ms, held, others };
}

function standing(now) {
  if (now.outcome === "still") return now;
  if (now.others) return { ...now, outcome: "disturbed" };
  return { ...now, outcome: !now.held && now.t_ms - now.from_ms - now.blind_ms >= patienceOf(now) ? "still" : "watching" };
}

function gone(now, report, cleared_ms) {
  const { from_ms, t_ms } = now, by = explainedBy(report, now.id);
  if (by) return { ...now, outcome: "explained", by, explained_ms: t_ms };
  const open = now.anew && now.outcome !== "explained" ? { ...now, outcome: now.others ? "disturbed" : "watching" } : now;
  if (now.held) return { ...open, explained_ms: t_ms };
  if (now.anew && report.waiting) return open;
  if (now.outcome === "explained" && !now.anew && t_ms - now.explained_ms < OWN_LOOKS_MS) return now;
  const at = cleared_ms >= from_ms && cleared_ms <= t_ms ? cleared_ms : t_ms;
  const late = now.outcome === "still" || at - from_ms - now.blind_ms > patienceOf(now);
  return { ...now, outcome: now.others ? "shared" : late ? "late" : "cleared", after_ms: at - from_ms };
}

const patienceOf = ({ patience = PATIENCE_MS }) => patience;

/** Whether the finding that `trial` is for went, for whatever reason. */
export const isOver = ({ outcome }) => OVER.includes(outcome);

/** Whether `report` was made before the commands of `trial` were applied. */
function isOlder(report, trial) {
  if (report.epoch !== trial.epoch || trial.anew) return false;
  return Boolean(trial.resets) || report.t_ms < trial.from_ms;
}

/** Whether anything but `trial` changed parameters or began the run anew until `report`. */
function othersActed(trial, report) {
  const begun = report.epoch - trial.epoch, own = trial.resets && !trial.anew ? 1 : 0;
  return begun > own || (!trial.queued?.length && report.params_rev > trial.rev);
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
  const { label, outcome, from_ms: from, t_ms: now, after_ms: after, held } = trial, patience = patienceOf(trial);
  const { axis } = app.meta ?? {}, given = axis && axis !== "sim_ms" ? axisText(patience, axis) : `${patience / 1000} s simulated`;
  if (outcome === "cleared") return `${label}: it worked. Cleared after ${stretchText(after, axis)}.`;
  if (outcome === "late") return `${label}: cleared after ${stretchText(after, axis)}, later than the ${given} that it had.`;
  if (outcome === "shared") return `${label}: cleared after ${stretchText(after, axis)}, after other changes too.`;
  if (outcome === "disturbed") return `${label}: other changes were made since. Whether it helps cannot be told.`;
  if (outcome === "explained" && held) return `${label}: was explained by ${trial.by}, which is over. ${heldText(app, trial.id)} It waits until it can.`;
  if (outcome === "explained") return `${label}: no longer found by itself, now explained by ${trial.by}. Whether it helped cannot be told while that stands.`;
  if (outcome === "again") return `${label}: it was cleared, and is found again.`;
  if (outcome === "still") return `${label}: still there after ${stretchText(now - from, axis)}.${undoText(trial)}`;
  if (app.meta?.state !== "running") return `${label}: applied. Run the session to see whether it helps.`;
  if (held) return `${label}: applied at ${momentText(from, axis)}. ${heldText(app, trial.id)} It waits until it can.`;
  return `${label}: applied at ${momentText(from, axis)}, watching for ${given}.`;
}

/** What undo would take back of `trial` if it were pressed now, in a sentence; or "". */
function undoText({ gesture, beyond }) {
  if (!takesBack(gesture)) return "";
  return beyond.length ? ` Undo takes its parameters back, not ${beyond.join(" or ")}.` : " Undo takes it back.";
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
