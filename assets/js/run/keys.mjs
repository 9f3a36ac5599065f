// The keyboard of a page that follows a run session: one table, which is also the sheet that `?` shows.

import { dialogOpen, openDialog } from "../dialogs.mjs";
import { h, isTyping } from "../dom.mjs";
import { panelShown, showPanel } from "../health-panel.mjs";
import { stepBy, toggleRun } from "../running.mjs";
import { takeSnapshot } from "../snapshot.mjs";
import { redo, undo } from "../undo.mjs";

/** Keys of every such page: `[what is pressed, what it does, the act]`. */
const COMMON = [
  ["Space", "run or pause"],
  [".", "one step (pauses first)", (app) => stepBy(app, 1)],
  ["S", "snapshot of all panels", (app) => takeSnapshot(app)],
  ["H", "health: what is found, and its remedies", (app) => showPanel(app, !panelShown())],
  ["Z", "undo a parameter change", undo],
  ["Y", "redo it", redo],
  ["1 – 9", "pages"],
  ["/", "search the parameters", focusSearch],
];
const FIELDS = [
  ["Enter, Esc", "in a field: apply, or take back what was typed"],
  ["↑ ↓", "in a number field: one step; with Shift ten"],
  ["← →  + −", "on a chart: move the readout, zoom; Esc shows all again"],
];

/** Listens for keys, except while the user types or a dialog is open; `own` adds rows to the table. */
export function mount(app, own = []) {
  const table = [...COMMON, ...own];
  const help = () => openHelp(table);
  app.openHelp = help;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (dialogOpen() || isTyping(event.target)) return;
    const act = actionFor(app, event, table, help);
    if (!act) return;
    event.preventDefault();
    act(app);
  });
}

function actionFor(app, { key, target }, table, help) {
  if (key === "?") return help;
  if (/^[1-9]$/.test(key)) return () => document.querySelectorAll("#pages a")[Number(key) - 1]?.click();
  if (!app.session) return null;
  if (key === " ") return target.closest?.("button, summary, a, input") ? null : toggleRun;
  if (key === "Escape") return panelShown() ? () => showPanel(app, false) : null;
  const pressed = key.length === 1 ? key.toUpperCase() : key;
  return table.find(([name, , act]) => name === pressed && act)?.[2] ?? null;
}

function focusSearch() {
  document.getElementById("controls").classList.add("drawer-shown");
  document.getElementById("param-search")?.focus();
}

function openHelp(table) {
  const rows = [...table, ["?", "this sheet"], ...FIELDS].flatMap(([keys, what]) => [h("dt", {}, h("kbd", { text: keys })), h("dd", { text: what })]);
  return openDialog({ id: "help-sheet", title: "Keys", body: [h("dl", { class: "key-sheet" }, ...rows)] });
}
