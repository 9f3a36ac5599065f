// Run, pause and single steps: the buttons of the bar, and what keys do.

import { command } from "./api.mjs";
import { lacking, needs } from "./capabilities.mjs";
import { h, icon } from "./dom.mjs";
import { toast, toastError } from "./toasts.mjs";

/** Runs if it stands, pauses if it runs. */
export const toggleRun = (app) => act(app, toggleOf(app), { type: toggleOf(app) });

const toggleOf = (app) => (app.meta?.state === "running" ? "pause" : "run");

/** Advances `n` steps; pauses first, since only a paused run steps. */
export const stepBy = (app, n) =>
  act(app, "step", app.meta?.state === "running" ? [{ type: "pause" }, { type: "step", n }] : { type: "step", n });

/** Sends what the session can do; says what it cannot. */
async function act(app, name, message) {
  const why = lacking(app, name);
  return why ? toast(why, { kind: "warn", merge: name }) : send(message);
}

/** The answer to a command, or null where it was refused, which a toast then says. */
export async function send(message) {
  try {
    return await command(message);
  } catch (error) {
    toastError(error);
    return null;
  }
}

/** The bar's part with run, pause and steps. */
export function runButtons(app) {
  const run = h("button", { type: "button", class: "run-button", id: "run-toggle", on: { click: () => toggleRun(app) } });
  const steps = [1, 10, 100].map((n) => h("button", { type: "button", data: { step: n }, text: `+${n}`, title: `Pause and advance ${n} step${n > 1 ? "s" : ""}${n === 1 ? "  ( . )" : ""}`, "aria-label": `Step ${n}`, on: { click: () => stepBy(app, n) } }));
  const node = h("div", { class: "bar-part", role: "group", "aria-label": "Run control" }, run, h("span", { class: "button-row" }, ...steps));
  needs(app, "step", ...steps);
  let shown = null;
  return {
    node,
    refresh() {
      const running = app.meta?.state === "running";
      const why = lacking(app, toggleOf(app));
      if (`${running} ${why}` === shown) return;
      shown = `${running} ${why}`;
      run.replaceChildren(icon(running ? "pause" : "run"), h("span", { text: running ? "Pause" : "Run" }));
      run.title = why || `${running ? "Pause" : "Run"}  ( Space )`;
      run.disabled = why !== "";
      run.dataset.running = String(running);
    },
  };
}
