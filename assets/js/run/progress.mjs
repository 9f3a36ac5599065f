// How far a run is: a bar with what is done, the rate, and the time left, as the worker reckons them.

import { h } from "../dom.mjs";
import { grouped } from "../marks/paint.mjs";
import { num } from "../format.mjs";

/** Fills `#timeline`; `more` are nodes after the bar. */
export function mount(app, more = []) {
  const text = h("output", { class: "progress-text", id: "progress-text" });
  const bar = h("progress", { id: "progress", class: "progress-bar", max: 1, value: 0, "aria-label": "Progress of the run" });
  const left = h("output", { class: "progress-left", id: "progress-left" });
  document.getElementById("timeline").append(text, bar, left, ...more);
  const write = (node, words) => { if (node.textContent !== words) node.textContent = words; };
  app.on("tick", () => {
    const { progress, state } = app.meta ?? {};
    if (!progress) return;
    const { done, total, rate, unit = "steps", rate_unit: pace_unit = `${unit}/s`, left_s: seconds } = progress;
    write(text, total ? `${unit.replace(/s$/, "")} ${grouped(done)} of ${grouped(total)} · ${Math.floor(100 * Math.min(1, done / total))} %` : `${unit.replace(/s$/, "")} ${grouped(done)}`);
    bar.value = total ? Math.min(1, done / total) : 0;
    const pace = Number.isFinite(rate) ? `${rateText(rate)} ${pace_unit}` : "";
    const rest = state === "running" && Number.isFinite(seconds) ? `${duration(seconds)} left` : total && done >= total ? "plan done" : "standing";
    write(left, [pace, rest].filter(Boolean).join(" · "));
  });
}

const rateText = (rate) => (rate >= 100 ? grouped(rate) : num(rate, 3));

/** `1 h 05 min`, `3 min 20 s`, `12 s`. */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds)), two = (n) => String(n).padStart(2, "0");
  if (s >= 3600) return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} min`;
  return s >= 60 ? `${Math.floor(s / 60)} min ${two(s % 60)} s` : `${s} s`;
}
