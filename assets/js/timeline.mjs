/** The LIVE / PAUSED / REPLAY bar: badge, slider over held history, span, marks of what happened. */

import { lacking } from "./capabilities.mjs";
import { theme } from "./colors.mjs";
import { axisText } from "./format.mjs";
import { STARTING, whyDown } from "./down.mjs";
import { eventText } from "./marks/events.mjs";

const SPANS = [100, 200, 300, 500, 1000, 2000, 5000, 10000];
const SHAPES = { live: "●", paused: "❚❚", replay: "◀◀", stale: "▲", down: "✕", waiting: "○" };

/** Fill `#timeline`. `loop` tells how old the newest data is. */
export function mountTimeline(app, loop) {
  const root = document.getElementById("timeline");
  const badge = make("output", "tl-badge");
  const pause = make("button", "tl-pause");
  const track = make("div", "tl-track");
  const marks = make("canvas", "tl-marks");
  const slider = make("input", "tl-slider");
  const where = make("output", "tl-where");
  const live = make("button", "tl-live");
  Object.assign(slider, { type: "range", min: 0, max: 1, step: 1 });
  slider.setAttribute("aria-label", "End of the window in simulated ms");
  pause.type = live.type = "button";
  const gap = make("span", "tl-gap");
  gap.hidden = true;
  track.append(marks, slider, gap);
  Object.assign(track.style, { position: "relative" });
  Object.assign(marks.style, { position: "absolute", inset: "0", width: "100%", height: "100%", pointerEvents: "none" });
  root.replaceChildren(badge, pause, track, where, spanSelect(app), live);

  const seen = [];
  app.on("event", (event) => {
    seen.push({ ...event, epoch: app.meta?.epoch });
    if (seen.length > 2000) seen.shift();
  });
  const epochs = new Epochs();
  app.on("frame", (meta) => epochs.see(meta));
  slider.addEventListener("input", () => app.seek(Number(slider.value)));
  pause.addEventListener("click", () => (app.view.mode === "live" ? app.pauseView() : app.liveView()));
  live.addEventListener("click", () => app.liveView());

  let size = [0, 0];
  new ResizeObserver(([entry]) => {
    size = [entry.contentRect.width, entry.contentRect.height];
    show();
  }).observe(marks);
  const show = () => refresh({ size, app, loop, badge, pause, slider, where, live, marks, seen, gap, epochs });
  for (const name of ["tick", "view", "status", "theme", "ready"]) app.on(name, show);
  show();
}

function make(tag, className) {
  const node = document.createElement(tag);
  node.className = className;
  return node;
}

function spanSelect(app) {
  const label = make("label", "tl-span");
  const node = document.createElement("select");
  node.setAttribute("aria-label", "Window span");
  for (const ms of SPANS) {
    const option = document.createElement("option");
    option.value = String(ms);
    node.append(option);
  }
  const name = () => {
    const axis = app.manifest?.axis ?? "sim_ms";
    for (const option of node.options) {
      const ms = Number(option.value);
      option.textContent = axis === "sim_ms" && ms < 1000 ? `${ms} ms` : axisText(ms, axis, 1).replace(".0 s", " s");
    }
  };
  app.on("manifest", name);
  name();
  const show = () => {
    if (!SPANS.includes(app.view.span_ms)) return;
    node.value = String(app.view.span_ms);
  };
  node.addEventListener("change", () => app.setSpan(Number(node.value)));
  app.on("view", show);
  show();
  label.append("span ", node);
  return label;
}

/** `{kind, text}` of the badge: what the picture is, told by shape and words. */
export function badge(app, loop) {
  const { mode } = app.view;
  const t = (ms) => axisText(ms, app.meta?.axis, 2);
  if (app.status === "waiting") return { kind: "waiting", text: "WAITING for the first frame" };
  if (app.status === "down") {
    const why = whyDown(app);
    return why === STARTING ? { kind: "waiting", text: why } : { kind: "down", text: `STALE ${loop.age.toFixed(1)} s · ${why}` };
  }
  if (app.status === "ended" && mode === "live") return { kind: "paused", text: app.meta.worker.message };
  if (app.status === "stale") return { kind: "stale", text: `STALE ${loop.age.toFixed(1)} s` };
  if (mode === "rewind") return { kind: "replay", text: `REPLAY at ${t(app.view.t1_ms)}` };
  if (mode === "paused") return { kind: "paused", text: `PAUSED view at ${t(app.view.t1_ms)}` };
  if (app.meta?.state === "paused") {
    const why = app.meta.reason ? ` · ${app.meta.reason}` : "";
    return { kind: "paused", text: `PAUSED run${why}` };
  }
  return { kind: "live", text: "LIVE" };
}

/** Where the record now held began, and why: a reset, or a worker that was started again. */
class Epochs {
  constructor() { this.began = null; }

  see({ epoch, worker, held }) {
    if (!Number.isFinite(epoch) || !held || epoch === this.epoch) return;
    const why = worker?.pid === this.pid ? "reset" : "restart";
    if (this.epoch !== undefined) this.began = { t_ms: held[0], why };
    this.epoch = epoch;
    this.pid = worker?.pid;
  }
}

function refresh({ size, app, loop, badge: node, pause, slider, where, live, marks, seen, gap, epochs }) {
  const { kind, text } = badge(app, loop), { gone } = app;
  const words = `${SHAPES[kind]} ${text}${gone ? ` · ${gone.short}` : ""}`;
  if (node.textContent !== words) {
    node.textContent = words;
    node.title = gone ? `${words}: ${gone.words}` : words;
  }
  node.dataset.kind = kind;
  const following = app.view.mode === "live";
  write(pause, following ? "Pause view" : "Follow live");
  const [lo, hi] = app.meta?.held ?? [0, 0];
  slider.min = String(Math.round(app.earliest()));
  slider.max = String(Math.round(hi));
  if (document.activeElement !== slider || following) slider.value = String(following ? hi : app.view.t1_ms);
  const why = lacking(app, "rewind");
  slider.disabled = hi <= lo || why !== "";
  slider.title = why || "Scroll through held history";
  const axis = app.meta?.axis;
  live.hidden = following;
  write(live, `${axisText(Math.max(0, hi - app.view.t1_ms), axis)} behind, jump to live`);
  const from = axis && axis !== "sim_ms" ? Math.round(lo).toLocaleString("en") : (lo / 1000).toFixed(1);
  write(where, `held ${from}–${axisText(hi, axis)}`);
  showGap(gap, epochs, lo, hi, Number(slider.min));
  drawMarks(marks, size, seen.filter((e) => e.epoch === app.meta?.epoch), app, Number(slider.min), hi);
}

/** Sets a text only where it changes: the browser lays out anew for one that was the same, too. */
function write(node, text) { if (node.textContent !== text) node.textContent = text; }

/** The break before the record now held, as long as its first step is held. */
function showGap(gap, { began }, lo, hi, first) {
  gap.hidden = !began || hi <= first || began.t_ms < lo;
  if (gap.hidden) return;
  gap.textContent = began.why;
  gap.title = `${began.why} at ${(began.t_ms / 1000).toFixed(2)} s: what was before is another run`;
  gap.style.left = `calc(8px + ${Math.max(0, (began.t_ms - first) / (hi - first))} * (100% - 16px))`;
}

/** Ticks for events and the window in view, along the slider. */
function drawMarks(canvas, [w, h], events, app, lo, hi) {
  const look = theme(), dpr = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(w * dpr)) canvas.width = Math.round(w * dpr);
  if (canvas.height !== Math.round(h * dpr)) canvas.height = Math.round(h * dpr);
  const ctx = canvas.getContext("2d");
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  ctx.clearRect(0, 0, w, h);
  if (hi <= lo) return;
  const X = (ms) => 8 + (ms - lo) / (hi - lo) * (w - 16);
  for (const event of events) {
    if (event.t_ms < lo || eventText(event) === null) continue;
    const strong = event.type === "break" || event.type === "nan" || event.type === "reset"
      || (event.type === "finding" && event.state === "found");
    ctx.fillStyle = strong ? look.alert : event.type === "inject" ? "#D55E00" : look.muted;
    ctx.fillRect(Math.round(X(event.t_ms)), strong ? 0 : h * 0.62, strong ? 2 : 1, h);
  }
  if (app.view.mode === "live") return;
  ctx.fillStyle = look.alert;
  ctx.globalAlpha = 0.25;
  const x0 = X(Math.max(lo, app.view.t1_ms - app.view.span_ms));
  ctx.fillRect(x0, 0, Math.max(2, X(app.view.t1_ms) - x0), h);
  ctx.globalAlpha = 1;
}
