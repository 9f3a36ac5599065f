/** How long the step in work has been going: written anew 30 times a second while the run goes on. */

import { h } from "../dom.mjs";

const CALM = window.matchMedia?.("(prefers-reduced-motion: reduce)").matches;
const GAP_MS = CALM ? 250 : 33;

/** @returns {HTMLElement} for the line of the progress bar; empty while nothing is trained */
export function stepClock(app) {
  const node = h("span", { class: "step-clock", id: "step-clock", title: "Time since the last finished step came in", "aria-hidden": "true" });
  let since = performance.now();
  app.on("frame", () => { since = performance.now(); });
  setInterval(() => {
    if (document.hidden) return;
    const going = app.meta?.state === "running" && app.status !== "down";
    const words = going ? `${((performance.now() - since) / 1000).toFixed(2)} s` : "";
    if (node.textContent !== words) node.textContent = words;
  }, GAP_MS);
  return node;
}
