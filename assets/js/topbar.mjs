// The top bar: session, run control, speed, time, state, the current stimulus, and the page's tools.

import { command } from "./api.mjs";
import { lacking, needs } from "./capabilities.mjs";
import { logoutButton } from "./door.mjs";
import { h, icon, iconButton, remembered, whenReady } from "./dom.mjs";
import { num, simTime } from "./format.mjs";
import { STARTING, whyDown } from "./down.mjs";
import { healthBadge } from "./health-badge.mjs";
import { openHelp } from "./keys.mjs";
import { sessionPicker } from "./sessions.mjs";
import { openSets } from "./sets.mjs";
import { takeSnapshot } from "./snapshot.mjs";
import { toast, toastError } from "./toasts.mjs";
import { depth, redo, undo } from "./undo.mjs";

const SPEEDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
const MAX_SEED = 2 ** 31 - 1;

/** Fills `#topbar`. */
export function mount(app) {
  const host = document.getElementById("topbar");
  const parts = [sessionPicker(app), runButtons(app), seedBox(app), speedControl(app), clock(app), badge(app), healthBadge(app), stimulus(app), tools(app), reasonLine(app)];
  host.append(...parts.map((part) => part.node));
  fillPages(app);
  restoreTheme();
  const refresh = () => parts.forEach((part) => part.refresh?.());
  app.on("status", refresh);
  app.on("undo", refresh);
  whenReady(app, refresh);
  app.on("tick", refresh);
}

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

async function send(message) {
  try {
    return await command(message);
  } catch (error) {
    toastError(error);
    return null;
  }
}

/** A link for each part of the board: it scrolls there; the part in view is the current one. */
function fillPages(app) {
  const panels = app.config.panels ?? [];
  const firstOf = (name) => document.getElementById(panels.find((panel) => panel.page === name).id);
  const links = [...new Set(panels.map((panel) => panel.page))].map((name) => h("a", {
    href: `#${name}`, data: { page: name }, text: name[0].toUpperCase() + name.slice(1),
    on: {
      click: (event) => {
        event.preventDefault();
        if (app.view.maximised) app.maximise(app.view.maximised);
        firstOf(name).scrollIntoView({ block: "start" });
      },
    },
  }));
  const mark = () => {
    const middle = window.innerHeight / 2;
    const passed = links.filter((link) => firstOf(link.dataset.page).getBoundingClientRect().top < middle);
    const current = passed.at(-1) ?? links[0];
    links.forEach((link) => (link === current ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current")));
  };
  for (const scrolled of [document.getElementById("board"), window]) scrolled.addEventListener("scroll", mark, { passive: true });
  document.getElementById("pages").append(h("strong", { class: "brand", text: "t4dm" }), ...links);
  mark();
}

function runButtons(app) {
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
      const { t_ms: ms, ratio: achieved, state, axis = "sim_ms", rate } = app.meta ?? {};
      if (axis !== "sim_ms") {
        time.textContent = Number.isFinite(ms) ? `${axis} ${ms.toLocaleString("en")}` : "–";
        ratio.textContent = state === "running" && Number.isFinite(rate) ? `${num(rate, 3)} ${axis}s/s` : "standing";
        return;
      }
      time.textContent = simTime(ms);
      ratio.hidden = badgeOf(app).reason !== "";
      ratio.textContent = state === "running" && Number.isFinite(achieved) ? `${achieved.toFixed(achieved < 10 ? 2 : 1)}x real time` : "standing";
    },
  };
}

/** LIVE, PAUSED, REPLAY, STALE or DOWN, told by shape, word and colour; with the reason. */
export function badgeOf(app) {
  if (app.turnedAway) return { kind: "down", word: "LOGGED OUT", reason: "log in again to see what happens" };
  const { state, reason, worker } = app.meta ?? {};
  const why = whyDown(app.meta);
  if (app.status === "down") return why === STARTING ? { kind: "waiting", word: "STARTING", reason: why } : { kind: "down", word: "DOWN", reason: why };
  if (app.status === "ended") return { kind: "paused", word: "ENDED", reason: worker.message };
  if (app.status === "stale") return { kind: "stale", word: `STALE ${num(worker?.age_s ?? 0, 2)} s`, reason: "" };
  if (app.status !== "live") return { kind: "waiting", word: "WAITING", reason: "" };
  if (app.view.mode === "rewind") return { kind: "replay", word: "REPLAY", reason: "" };
  if (app.view.mode === "paused") return { kind: "paused", word: "VIEW PAUSED", reason: "" };
  if (state === "running") return { kind: "live", word: "LIVE", reason: "" };
  return { kind: "paused", word: (state ?? "paused").toUpperCase(), reason: typeof reason === "string" ? reason : "" };
}

function badge(app) {
  const word = h("span", { class: "badge-word" });
  const node = h("div", { class: "bar-part state", id: "state-badge", role: "status" }, h("span", { class: "badge" }, h("i", { class: "badge-shape", "aria-hidden": "true" }), word));
  return {
    node,
    refresh() {
      const state = badgeOf(app);
      if (node.dataset.state !== state.kind) node.dataset.state = state.kind;
      if (word.textContent !== state.word) word.textContent = state.word;
    },
  };
}

/** Why the run stands or is not heard of, as far as it fits; whole in its title and on the timeline. */
function reasonLine(app) {
  const node = h("output", { class: "state-reason", id: "state-reason" });
  return {
    node,
    refresh() {
      const { reason } = badgeOf(app);
      if (node.textContent === reason) return;
      node.textContent = node.title = reason;
    },
  };
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

function restoreTheme() {
  const asked = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const chosen = remembered.get("theme", asked);
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.mantineColorScheme = chosen;
}

function toggleTheme() {
  const root = document.documentElement;
  const next = root.dataset.mantineColorScheme === "dark" ? "light" : "dark";
  root.dataset.mantineColorScheme = next;
  remembered.set("theme", next);
}
