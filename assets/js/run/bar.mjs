// The top bar of a page that follows a run session: session, run control, state, health, tools.

import { badge, reasonLine } from "../badge.mjs";
import { lacking } from "../capabilities.mjs";
import { logoutButton } from "../door.mjs";
import { h, icon, iconButton, whenReady } from "../dom.mjs";
import { healthBadge } from "../health-badge.mjs";
import { restoreTheme, toggleTheme } from "../look.mjs";
import { pageLinks } from "../nav.mjs";
import { runButtons } from "../running.mjs";
import { sessionPicker } from "../sessions.mjs";
import { takeSnapshot } from "../snapshot.mjs";
import { depth, redo, undo } from "../undo.mjs";

/**
 * Fills `#pages` and `#topbar`.
 * @param {object} app the page object
 * @param {{openNew: Function, openHelp: Function, parts?: Array<{node: Node, refresh?: Function}>}} own
 *   what its plus and its help open, and parts of the page's own after the run control
 */
export function mount(app, { openNew, openHelp, parts: more = [] }) {
  pageLinks(app);
  restoreTheme();
  const parts = app.session
    ? [sessionPicker(app, openNew), runButtons(app), ...more, badge(app), healthBadge(app), tools(app, openHelp), reasonLine(app)]
    : [tools(app, openHelp)];
  document.getElementById("topbar").append(...parts.map(({ node }) => node));
  const refresh = () => parts.forEach((part) => part.refresh?.());
  for (const name of ["status", "undo", "tick", "manifest"]) app.on(name, refresh);
  whenReady(app, refresh);
}

function tools(app, openHelp) {
  const back = iconButton("undo", "Undo a parameter change  ( Z )", undo, { id: "undo" });
  const forth = iconButton("redo", "Redo  ( Y )", redo, { id: "redo" });
  const shot = h("button", { type: "button", id: "snapshot", class: "primary", title: "Snapshot of all panels  ( S )", on: { click: () => takeSnapshot(app) } }, icon("camera"), h("span", { text: "Snapshot" }));
  const theme = iconButton("theme", "Light or dark", toggleTheme, { id: "theme" });
  const help = iconButton("help", "Keys and help  ( ? )", openHelp, { id: "help" });
  const own = app.session ? [back, forth, shot] : [];
  return {
    node: h("div", { class: "bar-part tools", role: "group", "aria-label": "Tools" }, ...own, theme, help, logoutButton(app)),
    refresh() {
      const left = depth(), why = lacking(app, "set");
      back.disabled = left.undo === 0 || why !== "";
      forth.disabled = left.redo === 0 || why !== "";
      shot.disabled = !app.params;
    },
  };
}
