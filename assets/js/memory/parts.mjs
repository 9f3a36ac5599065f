// Parts of the Memory page's frame: its clock, how much of the arena is known, what a click does.

import { h } from "../dom.mjs";
import { num, simTime } from "../format.mjs";

const write = (node, text) => { if (node.textContent !== text) node.textContent = text; };

/** Simulated time, and its ratio to the clock as measured here. */
export function clockPart(app, page) {
  const time = h("output", { class: "sim-time", id: "sim-time", title: "Simulated time since the reset" });
  const ratio = h("output", { class: "sim-ratio", id: "sim-ratio", title: "Achieved simulated seconds per second, over the last seconds" });
  const seen = [];
  return {
    node: h("div", { class: "bar-part clock" }, time, ratio),
    refresh() {
      const { step1, state, epoch } = app.meta ?? {};
      if (!page.constants || !Number.isFinite(step1)) return;
      const ms = step1 * page.constants.dt_ms, now = performance.now();
      write(time, simTime(ms));
      if (seen.length && (seen.at(-1).epoch !== epoch || seen.at(-1).ms > ms)) seen.length = 0;
      seen.push({ at: now, ms, epoch });
      while (seen.length > 2 && now - seen[0].at > 3000) seen.shift();
      const rate = (ms - seen[0].ms) / (now - seen[0].at);
      write(ratio, state === "running" && seen.length > 2 ? `${num(rate, 2)}x real time` : state === "running" ? "" : "standing");
    },
  };
}

/** Fills `#timeline`: share of the arena that was visited, as the worker counts it. */
export function coverageLine(app, page) {
  const text = h("output", { class: "progress-text", id: "progress-text" });
  const bar = h("progress", { id: "progress", class: "progress-bar", max: 1, value: 0, "aria-label": "Share of the arena that was visited" });
  const left = h("output", { class: "progress-left", id: "progress-left" });
  document.getElementById("timeline").append(text, bar, left);
  app.on("tick", () => {
    const { progress } = app.meta ?? {};
    if (!progress?.total || !page.constants) return;
    const share = progress.done / progress.total;
    write(text, `Maps: ${Math.floor(100 * share)} % of the arena visited`);
    bar.value = share;
    const seconds = page.store.newest.seconds?.data.reduce((a, b) => a + b, 0) ?? 0;
    write(left, `${progress.done} of ${progress.total} bins · ${num(seconds / progress.total, 2)} s in a bin on average`);
  });
}

/** What a click in the arena does: two radio buttons. */
export function toolPart(host) {
  const radio = (value, text, title) => h("label", { class: "tool-choice", title }, h("input", { type: "radio", name: "arena-tool", value, checked: value === "put" }), h("span", { text }));
  const node = h("span", { class: "tool-choices", role: "radiogroup", "aria-label": "What a click in the arena does" },
    radio("put", "put the agent", "A click sets the agent down there"), radio("ask", "ask the memory", "A click asks which episode is nearest to that place"));
  host.prepend(node);
  return { node, get value() { return node.querySelector("input:checked").value; } };
}
