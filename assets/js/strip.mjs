// The bottom line: which parameters are not at their default, and what exactly is running.

import { h, whenReady } from "./dom.mjs";
import { num } from "./format.mjs";
import { changedTexts, givenTexts, provenance } from "./provenance.mjs";

const STATUS_TICKS = 2, ORIGIN_TICKS = 4;

/** Fills `#strip`. */
export function mount(app) {
  const changed = h("output", { class: "strip-changed", "aria-label": "Changed parameters" });
  const origin = h("span", { class: "strip-origin" });
  const speed = h("span", { class: "strip-status", id: "statusline" });
  document.getElementById("strip").append(changed, origin, speed);
  const showChanged = () => {
    const texts = changedTexts(app.params);
    const all = [...texts.length ? texts : ["all defaults"], ...givenTexts(app)];
    const text = all.join(" · ");
    if (changed.textContent === text) return;
    changed.textContent = text;
    changed.title = all.join("\n");
    changed.classList.toggle("strip-any", texts.length > 0);
  };
  const showOrigin = () => {
    const from = provenance(app);
    const text = `t4dm ${from.version} (${from.commit}) · config ${from.config_digest} · seed ${from.seed ?? "–"} · dt ${from.dt_ms} ms · ${from.session}`;
    if (origin.textContent !== text) origin.textContent = text;
  };
  let ticks = 0;
  app.on("tick", () => { if (ticks++ % STATUS_TICKS === 0) speed.textContent = statusText(app); });
  app.on("params", showChanged);
  whenReady(app, () => {
    showChanged();
    showOrigin();
    app.on("tick", () => {
      if (ticks % ORIGIN_TICKS) return;
      showOrigin();
      showChanged();
    });
  });
}

/** Frames a second, latency, step and parameter revision, as `window.t4dm.stats()` has them. */
function statusText(app) {
  const stats = window.t4dm?.stats?.();
  if (!stats) return "";
  const { p50, p95 } = stats.latency_ms ?? {};
  const latency = Number.isFinite(p50) ? `${Math.round(p50)} / ${Math.round(p95)} ms` : "–";
  return `${num(stats.fps, 3)} fps · latency ${latency} · step ${stats.sim_step} · rev ${stats.params_rev} · ${app.who}`;
}
