// The health panel, above the controls: findings with rule, cause and remedies; presets that break it.

import { command } from "./api.mjs";
import { needs } from "./capabilities.mjs";
import { openChecklist } from "./checklist.mjs";
import { h, iconButton, whenReady } from "./dom.mjs";
import { momentText } from "./format.mjs";
import { blindRules, blindWord, rulesOf } from "./health.mjs";
import { findingCard } from "./health-card.mjs";
import { toast, toastError } from "./toasts.mjs";

let panel = null;

/** Adds the panel to `#controls`, closed. */
export function mount(app) {
  whenReady(app, () => {
    panel = build(app);
    document.getElementById("controls").prepend(panel.node);
    app.on("health", panel.refresh);
    app.on("tick", panel.tick);
    panel.refresh();
  });
}

/** Whether the panel stands open. */
export const panelShown = () => Boolean(panel && !panel.node.hidden);

/** Opens or closes the panel; on a narrow page with the drawer that it stands in. */
export function showPanel(app, yes = true) {
  if (!panel) return;
  panel.node.hidden = !yes;
  app.health.follow("panel", yes);
  const controls = document.getElementById("controls");
  controls.classList.toggle("drawer-shown", yes);
  controls.scrollTop = 0;
  panel.refresh();
  app.emit("health", app.health);
  const target = yes ? panel.node.querySelector("h2") : document.getElementById("health-badge");
  requestAnimationFrame(() => requestAnimationFrame(() => target.focus({ preventScroll: true })));
}

function build(app) {
  const cards = new Map();
  const say = h("p", { class: "health-say" });
  const blind = blindList(app);
  const list = h("ol", { class: "finding-list", "aria-label": "Findings, worst first" });
  const past = h("ol", { class: "finding-list finding-past", "aria-label": "Cleared lately" });
  const close = iconButton("close", "Close the health panel", () => showPanel(app, false));
  const checklist = h("button", { type: "button", text: "Checklist", title: "Thirteen things to look at  ( C )", hidden: Boolean(app.config.kind), on: { click: () => openChecklist(app) } });
  const node = h("section", { id: "health", class: "health", hidden: true, "aria-label": "Health" },
    h("header", { class: "health-head" }, h("h2", { text: "Health", tabIndex: -1 }), checklist, close),
    say, list, past, blind.node, presets(app), rules(app));
  const refresh = () => {
    if (node.hidden) return;
    const { report, past: cleared, trials } = app.health;
    const text = sentence(app, report);
    if (say.textContent !== text) say.textContent = text;
    const seen = new Set();
    const fill = (host, findings) => {
      const wanted = findings.map((finding) => {
        seen.add(finding.id);
        if (!cards.has(finding.id)) cards.set(finding.id, findingCard(app));
        const card = cards.get(finding.id);
        card.show(finding, trials.get(finding.id));
        return card.node;
      });
      if (wanted.some((one, i) => one !== host.children[i]) || host.children.length !== wanted.length) host.replaceChildren(...wanted);
    };
    fill(list, report?.findings ?? []);
    fill(past, cleared);
    blind.show(report);
    for (const id of cards.keys()) if (!seen.has(id)) cards.delete(id);
  };
  return { node, refresh, tick: () => !node.hidden && cards.forEach((card) => card.tick()) };
}

/** `Healthy: 9 rules checked at t = 12.30 s.`, what is waited for, or how much was found. */
function sentence(app, report) {
  if (!report) return "Waiting for the first report.";
  const { findings, waiting, t_ms: t } = report, n = rulesOf(app).length, at = momentText(t, app.meta?.axis);
  const more = waiting ? ` ${waiting[0].toUpperCase()}${waiting.slice(1)}.` : "";
  if (findings.length) return `${findings.length} of ${n} rules found something, at ${axisWord(app)}${at}.${more}`;
  const blind = blindRules(report).length;
  if (!more && blind) return `${n - blind} of ${n} rules find nothing, at ${axisWord(app)}${at}; ${blind} cannot tell.`;
  return more ? more.trim() : `Healthy: ${n} rules checked at ${axisWord(app)}${at}.`;
}

const axisWord = (app) => ((app.meta?.axis ?? "sim_ms") === "sim_ms" ? "t = " : "");

/** "Show me one that is broken": each symptom's preset, and the healthy one. */
function presets(app) {
  const offered = app.config.health?.presets ?? [];
  const select = h("select", { id: "health-preset" }, ...offered.map(({ name, title }) => h("option", { value: name, text: title })));
  const apply = async () => {
    const { title } = offered.find(({ name }) => name === select.value);
    try {
      await command({ type: "preset", name: select.value });
      toast(`Preset in force: ${title}.`, { merge: "preset" });
    } catch (error) {
      toastError(error);
    }
  };
  const button = h("button", { type: "button", id: "health-preset-apply", text: "Apply", on: { click: apply } });
  needs(app, "preset", select, button);
  return h("div", { class: "health-presets", hidden: offered.length === 0 }, h("label", { htmlFor: "health-preset", text: "Show me one that is broken" }), h("div", { class: "form-line" }, select, button));
}

/** The rules that cannot tell, each with why and since when; hidden while all can. */
function blindList(app) {
  const head = h("summary", {}), list = h("ul", { class: "health-blind-list" });
  const node = h("details", { class: "health-blind", open: true, hidden: true }, head, list);
  let shown = "";
  const show = (report) => {
    const lines = blindRules(report).map(({ id, title, why, since_ms: since }) =>
      ({ id, title, text: `cannot tell since ${axisWord(app)}${momentText(since, app.meta?.axis)}. ${why}` }));
    const key = JSON.stringify(lines);
    if (key === shown) return;
    shown = key;
    node.hidden = lines.length === 0;
    head.textContent = blindWord(report);
    list.replaceChildren(...lines.map(({ id, title, text }) => h("li", { data: { rule: id } }, h("strong", { text: title }), h("span", { text: `: ${text}` }))));
  };
  return { node, show };
}

function rules(app) {
  const lines = rulesOf(app).flatMap(({ title, text }) => [h("dt", { text: title }), h("dd", { text: text.replaceAll("`", "") })]);
  return h("details", { class: "health-rules" }, h("summary", { text: `The ${rulesOf(app).length} rules` }), h("dl", {}, ...lines));
}
