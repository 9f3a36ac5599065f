// One finding: severity, where, rule with its numbers, cause, remedies, and what came of them.

import { h } from "./dom.mjs";
import { momentText, simTime } from "./format.mjs";
import { ruleText, severityMark, whereText } from "./health.mjs";
import { breakpointOn, commandText, heldText, hindrance, outcomeText, pauseOn, treat } from "./health-trials.mjs";
import { lacking } from "./capabilities.mjs";
import { toastError } from "./toasts.mjs";

/** A card that `show(finding, trial)` fills; what did not change is left alone. */
export function findingCard(app) {
  const mark = severityMark("note");
  const grade = h("span", { class: "finding-grade" });
  const title = h("strong", { class: "finding-title" });
  const place = h("span", { class: "finding-where" });
  const rule = h("p", { class: "finding-rule" });
  const cause = h("p", { class: "finding-cause" });
  const outcome = h("p", { class: "finding-outcome", role: "status" });
  const remedies = h("ul", { class: "remedy-list", "aria-label": "Remedies" });
  const stop = h("button", { type: "button", class: "finding-break" });
  const node = h("li", { class: "finding" }, h("div", { class: "finding-head" }, mark, title, grade, stop), place, rule, cause, remedies, outcome);
  let finding = null, trial = null, offered = "", lines = [];
  stop.addEventListener("click", () => pauseOn(app, finding.id).catch(toastError));

  const tick = () => {
    if (!finding) return;
    const set = Boolean(breakpointOn(app, finding.id));
    const why = lacking(app, "breakpoints");
    write(stop, set ? "Pauses on this" : "Pause on this");
    stop.setAttribute("aria-pressed", String(set));
    stop.disabled = why !== "";
    stop.title = why || (set ? "Remove this breakpoint" : "Pause the run when this is found again");
    write(outcome, trial ? outcomeText(app, trial) : "");
    outcome.dataset.outcome = trial?.outcome ?? "";
    for (const line of lines) line.tick();
  };

  const show = (now, tried) => {
    [finding, trial] = [now, tried ?? null];
    const over = now.state === "cleared";
    Object.assign(node.dataset, { finding: now.id, severity: now.severity, state: now.state });
    mark.dataset.severity = now.severity;
    write(title, now.title ?? now.id);
    write(grade, over ? goneWord(now) : now.severity);
    const where = whereText(app, now);
    const when = over ? goneText(app, now) : `since ${momentText(now.since_ms, app.meta?.axis)}`;
    const course = over ? [] : [now.held && "held", returnsText(now), awayText(now)];
    write(place, [where, when, ...course].filter(Boolean).join(" · "));
    place.title = over ? "" : [now.held && `${heldText(app, now.id)} It stands until the rule can.`, now.returns && COMES_AND_GOES].filter(Boolean).join(" ");
    write(rule, over ? now.rule : ruleText(now));
    write(cause, now.cause.text);
    remedies.hidden = over;
    stop.hidden = over || app.manifest?.commands?.includes("break_on") === false;
    const key = JSON.stringify(now.remedies);
    if (key !== offered) {
      offered = key;
      lines = now.remedies.map((remedy) => remedyLine(app, () => finding, remedy));
      remedies.replaceChildren(...lines.map((line) => line.node));
    }
    tick();
  };
  return { node, show, tick };
}

/** Why a finding that came back stays for longer than others. */
const COMES_AND_GOES = "It comes and goes although nothing was changed: each time it has to be away for longer until it is over.";

const returnsText = ({ returns: n }) => (n ? `came back ${n === 1 ? "once" : `${n} times`}` : "");

/** `not seen for 1.2 s, over after 4 s`; empty while it is seen, and where the session does not say. */
const awayText = ({ away_ms: away, over_after_ms: over }) =>
  (away ? `not seen for ${simTime(away)}, over after ${simTime(over)}` : "");

/** What became of a finding that stands no more. */
const goneWord = ({ by, cleared_ms: at }) => (by ? "explained" : at === null ? "before the reset" : "cleared");

function goneText(app, { by, cleared_ms: at }) {
  if (at === null) return "found before the reset";
  return `${by ? `explained by ${by}` : "cleared"} at ${momentText(at, app.meta?.axis)}`;
}

function write(node, text) { if (node.textContent !== text) node.textContent = text; }

function remedyLine(app, findingOf, remedy) {
  let why = hindrance(app, remedy, findingOf());
  const go = async () => {
    button.disabled = true;
    try {
      const own = app.remedies?.[remedy.id];
      if (own) await own.act(findingOf());
      else await treat(app, findingOf(), remedy);
    } catch (error) {
      toastError(error);
    }
    button.disabled = why !== "";
  };
  const tick = () => {
    const now = hindrance(app, remedy, findingOf());
    if (now === why) return;
    why = now;
    button.disabled = why !== "";
    button.title = why || remedy.label;
    write(said, why);
  };
  const said = h("span", { class: "quiet", text: why });
  const button = h("button", { type: "button", class: "remedy-do", text: "Do it", title: why || remedy.label, disabled: why !== "", "aria-label": `Do it: ${remedy.label}`, data: { remedy: remedy.id }, on: { click: go } });
  const commands = remedy.commands.map((message) => h("code", { text: commandText(message) }));
  const node = h("li", {}, button, h("div", {}, h("span", { class: "remedy-label", text: remedy.label }), h("div", { class: "remedy-commands" }, ...commands), h("span", { class: "quiet", text: remedy.expect }), said));
  return { node, tick };
}
