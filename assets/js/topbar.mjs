// The top bar: session, run control, speed, time, state, the current stimulus, and the page's tools.

import { badge, badgeOf, reasonLine } from "./badge.mjs";
import { needs } from "./capabilities.mjs";
import { logoutButton } from "./door.mjs";
import { h, icon, iconButton, whenReady } from "./dom.mjs";
import { num, simTime } from "./format.mjs";
import { healthBadge } from "./health-badge.mjs";
import { openHelp } from "./keys.mjs";
import { restoreTheme, toggleTheme } from "./look.mjs";
import { boardLinks } from "./nav.mjs";
import { openNewSession } from "./newsession.mjs";
import { runButtons, send } from "./running.mjs";
import { sessionPicker } from "./sessions.mjs";
import { openSets } from "./sets.mjs";
import { takeSnapshot } from "./snapshot.mjs";
import { depth, redo, undo } from "./undo.mjs";

const SPEEDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
const MAX_SEED = 2 ** 31 - 1;

/** Fills `#topbar`. */
export function mount(app) {
  const host = document.getElementById("topbar");
  const parts = [sessionPicker(app, openNewSession), runButtons(app), seedBox(app), speedControl(app), clock(app), badge(app), healthBadge(app), stimulus(app), tools(app), reasonLine(app)];
  host.append(...parts.map((part) => part.node));
  boardLinks(app);
  restoreTheme();
  const refresh = () => parts.forEach((part) => part.refresh?.());
  app.on("status", refresh);
  app.on("undo", refresh);
  whenReady(app, refresh);
  app.on("tick", refresh);
}

function seedBox(app) {
  const box = h("input", { type: "text", inputMode: "numeric", class: "seed-box", id: "seed", autocomplete: "off", "aria-label": "Seed", title: `Seed of the next reset, 0 to ${MAX_SEED}` });
  const message = h("output", { class: "bar-message", role: "alert" });
  let dirty = false;
  box.addEventListener("input", () => (dirty = true));
  const reset = async () => {
    const text = box.value.trim();
    const seed = Number(text);
    const valid = /^\d+$/.test(text) && seed <= MAX_SEED;
    box.setAttribute("aria-invalid", String(!valid));
    message.textContent = valid ? "" : `Seed: a whole number from 0 to ${MAX_SEED}.`;
    if (!valid) return;
    dirty = false;
    await send({ type: "reset", seed });
  };
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") reset();
    if (event.key !== "Escape") return;
    dirty = false;
    box.value = String(app.meta?.seed ?? "");
    message.textContent = "";
    box.setAttribute("aria-invalid", "false");
  });
  const button = iconButton("reset", "Reset: state, weights and time from this seed; parameters stay", reset, { id: "reset" });
  needs(app, "seed", box);
  needs(app, "reset", button);
  const node = h("div", { class: "bar-part" }, h("label", { htmlFor: "seed", text: "seed" }), box, button, message);
  const refresh = () => {
    if (!dirty && document.activeElement !== box && app.meta?.seed !== undefined) box.value = String(app.meta.seed ?? "");
  };
  return { node, refresh };
}

function speedControl(app) {
  const options = [...SPEEDS.map((x) => h("option", { value: String(x), text: `${x}x` })), h("option", { value: "max", text: "max" })];
  const select = h("select", { id: "speed", "aria-label": "Speed, simulated seconds per second", title: "Simulated seconds per second" }, ...options);
  const slider = h("input", { type: "range", class: "speed-slider", min: -1, max: 2.05, step: 0.05, "aria-label": "Speed, slider" });
  const set = (value) => send({ type: "speed", value });
  let held = false;
  select.addEventListener("change", () => set(select.value === "max" ? "max" : Number(select.value)));
  slider.addEventListener("input", () => {
    held = true;
    set(Number(slider.value) > 2 ? "max" : Number((10 ** Number(slider.value)).toPrecision(2)));
  });
  slider.addEventListener("change", () => (held = false));
  needs(app, "speed", select, slider);
  const node = h("div", { class: "bar-part" }, h("label", { htmlFor: "speed", text: "speed" }), select, slider);
  return {
    node,
    refresh() {
      const speed = app.meta?.speed;
      if (speed === undefined || speed === null) return;
      offer(select, speed);
      if (!held) slider.value = speed === "max" ? "2.05" : String(Math.log10(speed));
      slider.setAttribute("aria-valuetext", speed === "max" ? "max" : `${num(speed)} times real time`);
    },
  };
}

/** Selects `speed`, with an option of its own where it is none of the round ones. */
function offer(select, speed) {
  const value = String(speed);
  if (document.activeElement === select && select.value === value) return;
  if (![...select.options].some((option) => option.value === value)) {
    select.querySelector("[data-odd]")?.remove();
    select.prepend(h("option", { value, text: `${num(speed, 3)}x`, data: { odd: "1" } }));
  }
  if (select.value !== value) select.value = value;
}

function clock(app) {
  const time = h("output", { class: "sim-time", id: "sim-time", title: "Simulated time since the reset" });
  const ratio = h("output", { class: "sim-ratio", id: "sim-ratio", title: "Achieved simulated seconds per second" });
  return {
    node: h("div", { class: "bar-part clock" }, time, ratio),
    refresh() {
      const { t_ms: ms, ratio: achieved, state, axis = "sim_ms", rate, recording } = app.meta ?? {};
      if (axis !== "sim_ms") {
        time.textContent = Number.isFinite(ms) ? `${axis} ${ms.toLocaleString("en")}` : "–";
        ratio.textContent = state === "running" && Number.isFinite(rate) ? `${num(rate, 3)} ${axis}s/s${share(recording)}` : "standing";
        ratio.title = recordingText(recording);
        return;
      }
      time.textContent = simTime(ms);
      ratio.hidden = badgeOf(app).reason !== "";
      ratio.textContent = state === "running" && Number.isFinite(achieved) ? `${achieved.toFixed(achieved < 10 ? 2 : 1)}x real time` : "standing";
    },
  };
}

/** ` · 38 % of calls` where a watched script's calls are not all recorded, for their cost. */
function share(recording) {
  const part = recording?.part;
  return Number.isFinite(part) && part < 1 ? ` · ${num(100 * part, 2)} % of calls` : "";
}

/** What recording a watched script costs it, and what it may cost. */
function recordingText(recording) {
  if (!Number.isFinite(recording?.cost)) return "Steps recorded a second";
  const { cost, budget, calls, recorded } = recording;
  const most = budget === null ? "every call asked for is recorded, whatever it costs" : `at most ${num(100 * budget, 2)} % may be`;
  return `Steps recorded a second. ${num(100 * cost, 2)} % of the script's time is spent on recording, ${most}; ` +
    `${recorded.toLocaleString("en")} of ${calls.toLocaleString("en")} calls recorded`;
}

/** The stimulus at the end of the window drawn, live or rewound, as its panel shows it. */
function stimulus(app) {
  const label = h("output", { class: "stim-label", id: "stimulus-label", title: "Stimulus at the end of the window shown" });
  return {
    node: h("div", { class: "bar-part" }, h("span", { class: "bar-name", text: "stimulus" }), label),
    refresh() {
      const text = stimulusText(app);
      if (label.textContent !== text) label.textContent = text;
    },
  };
}

function stimulusText(app) {
  const scene = app.scene?.();
  const last = scene?.store.events.findLast(({ type, step }) => (type === "stimulus" || type === "rest") && step < scene.step1);
  if (last?.type === "rest") return "rest";
  return last ? `${last.kind} ${last.label === last.kind ? "" : last.label ?? ""}`.trim() : app.params?.values?.["stimulus.kind"] ?? "–";
}

function tools(app) {
  const back = iconButton("undo", "Undo a parameter change  ( Z )", undo, { id: "undo" });
  const forth = iconButton("redo", "Redo  ( Y )", redo, { id: "redo" });
  const sets = h("button", { type: "button", id: "open-sets", title: "Parameter sets: save, load, share", on: { click: () => openSets(app) } }, icon("sets"), h("span", { text: "Sets" }));
  const shot = h("button", { type: "button", id: "snapshot", class: "primary", title: "Snapshot of the whole board  ( S )", on: { click: () => takeSnapshot(app) } }, icon("camera"), h("span", { text: "Snapshot" }));
  const theme = iconButton("theme", "Light or dark", toggleTheme, { id: "theme" });
  const help = iconButton("help", "Keys and help  ( ? )", openHelp, { id: "help" });
  return {
    node: h("div", { class: "bar-part tools", role: "group", "aria-label": "Tools" }, back, forth, sets, shot, theme, help, logoutButton(app)),
    refresh() {
      const left = depth();
      back.disabled = left.undo === 0;
      forth.disabled = left.redo === 0;
    },
  };
}
