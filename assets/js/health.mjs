/**
 * What the session's doctor says: asked for when a frame's mark of it moved, and once a second while
 * somebody follows the numbers. Badge, panel, raster, checklist and pictures read it here.
 */

import { askJson } from "./ask.mjs";
import { h } from "./dom.mjs";
import { appliedAt, explainedBy, isOver, judged } from "./health-trials.mjs";

const FOLLOW_MS = 1000;
const RETRY_MS = 2000;
/** Simulated ms for which a rule has to be unable to tell before the page says so: pauses are common. */
const BLIND_MS = 2000;
/** Simulated ms, or steps, that a finding stays listed after it was cleared. */
const KEPT_MS = 15_000;
const SEVERITIES = ["note", "warning", "critical"];

/** Starts to listen; `app.health` is `{report, past, trials}`. */
export function mount(app) {
  const health = app.health = { report: null, past: [], trials: new Map() };
  const followers = new Set(), cleared = new Map();
  let gone = [], mark = null, askedAt = -Infinity, asking = false, failed = false;

  /** Numbers once a second while `who` looks at them. */
  health.follow = (who, yes) => {
    followers[yes ? "add" : "delete"](who);
    if (yes) look();
  };
  app.on("event", (event) => {
    if (event.type === "finding" && event.state === "cleared") cleared.set(event.id, event.t_ms ?? event.step);
    if (event.type !== "param" || event.who !== app.who) return;
    for (const [id, trial] of health.trials) health.trials.set(id, appliedAt(trial, event));
  });
  app.on("tick", look);

  function look() {
    const now = app.meta?.health;
    if (now === undefined) {
      if (health.report) take(null);
      mark = null;
      return;
    }
    if (typeof now === "object") { taken(now); return; }
    const since = performance.now() - askedAt;
    const moved = now !== mark && (!failed || since > RETRY_MS);
    const followed = (followers.size > 0 || waiting(health)) && since > FOLLOW_MS && newer();
    if (!asking && app.status !== "down" && (moved || followed)) ask(now);
  }

  /** A frame may carry the whole report; it is taken where it says something new. */
  function taken(report) {
    const { epoch, params_rev } = app.meta, said = `${epoch} ${report.step} ${report.severity} ${report.findings.length}`;
    if (said === mark) return;
    mark = said;
    const twice = ({ id }) => report.findings.filter((other) => other.id === id).length > 1;
    const findings = report.findings.map((one) => ({ ...one, id: twice(one) ? `${one.id}:${one.where.group}` : one.id }));
    take(timed({ ...report, epoch, params_rev, findings }));
  }

  const newer = () => app.meta.epoch !== health.report?.epoch || (app.meta.t_ms ?? app.meta.step1 ?? 0) > health.report.t_ms;

  async function ask(now) {
    asking = true;
    askedAt = performance.now();
    try {
      const query = new URLSearchParams({ session_id: app.session });
      take(timed(await askJson(`/spiking/health?${query}`, { headers: { "X-T4DM-Who": app.who } })));
      mark = now;
      failed = false;
    } catch {
      failed = true;
    } finally {
      asking = false;
    }
  }

  function take(report) {
    const old = health.report;
    health.report = report;
    if (old?.epoch !== report?.epoch) {
      gone = [];
      cleared.clear();
    } else if (report) keep(old, report);
    if (report === null) Object.assign(health, { past: [], trials: new Map() });
    else {
      for (const [id, trial] of health.trials) health.trials.set(id, judged(trial, report, cleared.get(id)));
      health.past = [...carried(health.trials, report, gone), ...gone];
    }
    app.emit("health", health);
  }

  /** Findings that went since `old` are listed for a while. */
  function keep(old, report) {
    const stands = new Set(report.findings.map(({ id }) => id));
    const now = old.findings.filter(({ id }) => !stands.has(id)).map((finding) => {
      const told = cleared.get(finding.id);
      return { ...finding, state: "cleared", cleared_ms: told > finding.since_ms ? told : report.t_ms, by: explainedBy(report, finding.id) };
    });
    gone = [...now, ...gone].filter(({ id, cleared_ms: at }, i, all) =>
      !stands.has(id) && report.t_ms - at < KEPT_MS && all.findIndex((other) => other.id === id) === i);
  }
}

/** Findings from before a reset that a remedy is, or was lately, on trial for and that are not found since. */
function carried(trials, report, gone) {
  return [...trials.values()].filter(({ id, anew, outcome }) =>
    anew && outcome !== "again" && ![...report.findings, ...gone].some((one) => one.id === id)).map((trial) =>
    ({ ...trial.finding, state: "cleared", before_reset: true, cleared_ms: isOver(trial) ? trial.from_ms + trial.after_ms : null }))
    .filter(({ cleared_ms: at }) => at === null || report.t_ms - at < KEPT_MS);
}

/** `report` with its times on the session's axis: steps where nothing is simulated. */
function timed(report) {
  if (report && report.t_ms === null) {
    report.t_ms = report.step;
    for (const one of [...report.findings, ...(report.cannot_tell ?? [])]) one.since_ms ??= one.since_step;
  }
  return report;
}

/** Whether a remedy's outcome is still open, or how many rules cannot tell is in the badge. */
const waiting = ({ report, trials }) =>
  report?.severity === "untold" || [...trials.values()].some(({ outcome }) => outcome === "watching" || outcome === "explained");

/** The rules of `report` that have not been able to tell for a while, those that a finding explains apart. */
export const blindRules = (report) =>
  (report?.cannot_tell ?? []).filter(({ explained_by: by, since_ms: since }) => !by && report.t_ms - since >= BLIND_MS);

/** `3 rules cannot tell`. */
export function blindWord(report) {
  const n = blindRules(report).length;
  return `${n} rule${n === 1 ? "" : "s"} cannot tell`;
}

/** The rules that this session can be judged by: those whose parameter groups it has. */
export function rulesOf(app) {
  const has = new Set((app.manifest?.param_groups ?? []).map(({ group }) => group));
  return (app.config.health?.rules ?? []).filter(({ groups }) => groups.every((group) => has.has(group)));
}

/** `{kind, word, findings}` for badge and picture; null where the session gives no report. */
export function summary(app) {
  const report = app.health?.report;
  if (!report) return app.meta?.health === undefined ? null : { kind: "waiting", word: "waiting for data", findings: [] };
  const { severity, findings } = report;
  if (!findings.length) {
    if (severity === "untold") return { kind: "waiting", word: blindWord(report), findings };
    if (severity !== "waiting") return { kind: "ok", word: "healthy", findings };
    return { kind: "waiting", word: app.params?.values["health.enabled"] === false ? "health off" : "waiting for data", findings };
  }
  return { kind: severity, word: countText(findings), findings };
}

/** `1 critical, 2 warnings`, worst first. */
function countText(findings) {
  const counts = [...SEVERITIES].reverse().map((grade) => [findings.filter(({ severity }) => severity === grade).length, grade]);
  return counts.filter(([n]) => n > 0).map(([n, grade]) => `${n} ${grade}${n > 1 && grade !== "critical" ? "s" : ""}`).join(", ");
}

/** The rule of a finding with its numbers: those of the look at which it was last seen. */
export const ruleText = ({ rule, away_ms: away }) => (away ? `Last seen: ${rule}` : rule);

/** Where a finding stands, in words: `block 0 LIF in and 3 more stages`; empty for the whole network. */
export function whereText(app, finding) {
  const { group = "" } = finding.where ?? {};
  const others = (finding.groups?.length ?? 0) - 1;
  if (others < 1) return group;
  const all = finding.groups.length === (app.manifest?.groups ?? []).filter(({ block }) => Number.isInteger(block)).length;
  if (all) return "every stage";
  return `${group} and ${others} more stage${others > 1 ? "s" : ""}`;
}

/** Each finding in one line, for pictures: `critical: Not firing, every stage: rate 0.0% …`. */
export function findingTexts(app, findings) {
  return findings.map((finding) => {
    const where = whereText(app, finding);
    return `${finding.severity}: ${finding.title}${where ? `, ${where}` : ""}: ${ruleText(finding)}`;
  });
}

/** The severity of each group of the session that a finding names at `t_ms`: a Map by its place. */
export function ailing(app, epoch, t_ms) {
  const marks = new Map(), { report, past } = app.health ?? {};
  if (!report || report.epoch !== epoch) return marks;
  const standing = [...report.findings, ...past.filter(({ before_reset: before, cleared_ms: at }) => !before && at > t_ms)];
  for (const { groups = [], where, severity, since_ms: since } of standing) {
    if (since > t_ms) continue;
    for (const g of groups.length ? groups : placeOf(app, where)) {
      if (SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(marks.get(g) ?? "")) marks.set(g, severity);
    }
  }
  return marks;
}

function placeOf(app, where) {
  const g = (app.manifest?.groups ?? []).findIndex(({ name }) => name === where?.group);
  return g < 0 ? [] : [g];
}

/** The shape that stands for a severity beside its word. */
export const severityMark = (kind) => h("i", { class: "severity-mark", data: { severity: kind }, "aria-hidden": "true" });
