// The keyboard: one table, which is also the sheet that `?` shows.

import { openChecklist } from "./checklist.mjs";
import { dialogOpen, openDialog } from "./dialogs.mjs";
import { h, isTyping } from "./dom.mjs";
import { panelShown, showPanel } from "./health-panel.mjs";
import { stepBy, toggleRun } from "./running.mjs";
import { takeSnapshot } from "./snapshot.mjs";
import { redo, undo } from "./undo.mjs";

const PAN_SHARE = 0.1;
const SHEET = [
  ["Space", "run or pause"],
  [".", "one step (pauses first)"],
  ["L", "live: follow the newest data"],
  ["S", "snapshot of the whole board"],
  ["H", "health: what is found, and its remedies"],
  ["C", "checklist: thirteen things to look at"],
  ["Z / Y", "undo / redo a parameter change"],
  ["← →", "scroll through held history while the view stands"],
  ["1 – 9", "pages"],
  ["/", "search the parameters"],
  ["?", "this sheet"],
  ["Esc", "close the health panel, a panel's table, a maximised panel"],
  ["Enter, Esc", "in a field: apply, or take back what was typed"],
  ["↑ ↓", "in a number field: one step; with Shift ten"],
];

/** Listens for keys on the whole page, except while the user types or a dialog is open. */
export function mount(app) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (dialogOpen() || isTyping(event.target)) return;
    const act = actionFor(app, event);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function actionFor(app, event) {
  const { key, target } = event;
  if (key === " ") return target.closest?.("button, summary, a, input") ? null : () => toggleRun(app);
  if (/^[1-9]$/.test(key)) return pageAction(Number(key));
  if (key === "ArrowLeft" || key === "ArrowRight") return panAction(app, target, key === "ArrowLeft" ? -1 : 1);
  if (key === "Escape") return panelShown() ? () => showPanel(app, false) : null;
  const plain = {
    ".": () => stepBy(app, 1),
    l: () => app.liveView(),
    s: () => takeSnapshot(app),
    z: undo,
    y: redo,
    "/": focusSearch,
    h: () => showPanel(app, !panelShown()),
    c: () => openChecklist(app),
    "?": openHelp,
  };
  return plain[key.length === 1 ? key.toLowerCase() : key] ?? null;
}

/** Opens the n-th page, if there is one. */
function pageAction(n) {
  const page = document.querySelectorAll("#pages a, #pages button")[n - 1];
  return page ? () => page.click() : null;
}

/** Scrolls held history by a tenth of what is shown; a slider keeps its own arrows. */
function panAction(app, target, sign) {
  if (app.view.mode === "live" || target.matches?.("input[type=range]")) return null;
  return () => app.pan(sign * PAN_SHARE);
}

function focusSearch() {
  document.getElementById("controls").classList.add("drawer-shown");
  document.getElementById("param-search")?.focus();
}

/** The key sheet. */
export function openHelp() {
  const rows = SHEET.flatMap(([keys, what]) => [h("dt", {}, h("kbd", { text: keys })), h("dd", { text: what })]);
  const hint = h("p", { class: "quiet", text: "Drop a snapshot (PNG or JSON) on the page to restore its parameters and seed; drop a CSV, NPZ or Parquet file to use it as the stimulus. A click on a raster row shows that neuron's membrane." });
  return openDialog({ id: "help-sheet", title: "Keys", body: [h("dl", { class: "key-sheet" }, ...rows), hint] });
}
