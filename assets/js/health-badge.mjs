// The top bar's word on the session's health: severity by shape, word and colour; it opens the panel.

import { h } from "./dom.mjs";
import { blindRules, severityMark, summary } from "./health.mjs";
import { panelShown, showPanel } from "./health-panel.mjs";

/** The bar's part; hidden where the session gives no report. */
export function healthBadge(app) {
  const word = h("span", { class: "badge-word" });
  const button = h("button", { type: "button", id: "health-badge", class: "health-badge", "aria-controls": "health", on: { click: () => showPanel(app, !panelShown()) } },
    severityMark("waiting"), word);
  const node = h("div", { class: "bar-part", role: "status", hidden: true }, button);
  let shown = "";
  const refresh = () => {
    const now = summary(app);
    const open = panelShown();
    const blind = now ? blindRules(app.health.report) : [];
    const key = JSON.stringify([now, open, blind]);
    if (key === shown) return;
    shown = key;
    node.hidden = now === null;
    button.setAttribute("aria-expanded", String(open));
    if (!now) return;
    button.dataset.severity = now.kind;
    button.firstChild.dataset.severity = now.kind;
    word.textContent = now.word;
    const list = [...now.findings.map(({ title, rule }) => `${title}: ${rule}`), ...blind.map(({ title, why }) => `${title}: cannot tell. ${why}`)].join("\n");
    button.title = `${list || `Health: ${app.health.report?.waiting || now.word}`}  ( H )`;
  };
  app.on("health", refresh);
  return { node, refresh };
}
