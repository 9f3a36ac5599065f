// The bottom line of a run page: what is not at its default, what exactly runs, how fast it is drawn.

import { h, whenReady } from "../dom.mjs";
import { momentText, num } from "../format.mjs";
import { changedTexts, provenance } from "../provenance.mjs";

const STATUS_TICKS = 2;

/** Fills `#strip`. */
export function mount(app) {
  const changed = h("output", { class: "strip-changed", "aria-label": "Changed parameters" });
  const origin = h("span", { class: "strip-origin" });
  const speed = h("span", { class: "strip-status", id: "statusline" });
  document.getElementById("strip").append(changed, origin, speed);
  const write = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  const showChanged = () => {
    const texts = changedTexts(app.params);
    write(changed, texts.length ? texts.join(" · ") : "all defaults");
    changed.title = texts.join("\n");
    changed.classList.toggle("strip-any", texts.length > 0);
  };
  const showOrigin = () => {
    const from = provenance(app);
    write(origin, [`t4dm ${from.version} (${from.commit})`, `config ${from.config_digest}`, `seed ${from.seed ?? "–"}`, ...(app.originTexts?.() ?? []), from.session].join(" · "));
  };
  let ticks = 0;
  app.on("tick", () => {
    if (ticks++ % STATUS_TICKS) return;
    write(speed, statusText(app));
    if (app.params) showOrigin();
  });
  app.on("params", showChanged);
  whenReady(app, () => { showChanged(); showOrigin(); });
}

function statusText(app) {
  const stats = app.stats?.();
  if (!stats) return "";
  const { p50, p95 } = stats.latency_ms;
  const latency = Number.isFinite(p50) ? `${Math.round(p50)} / ${Math.round(p95)} ms` : "–";
  return `${num(stats.fps, 3)} drawings/s · latency ${latency} · ${momentText(app.meta?.step1, app.meta?.axis)} · rev ${stats.params_rev} · ${app.who}`;
}
