/** The clinic: every fault beside the sound model, as a table that a background job makes. */

import { request } from "../api.mjs";
import { needs } from "../capabilities.mjs";
import { h } from "../dom.mjs";
import { duration } from "../run/progress.mjs";
import { toastError } from "../toasts.mjs";
import { ClinicTable, withSound } from "./clinic-table.mjs";
import { begin } from "./newrun.mjs";

const BUSY_MS = 1000, IDLE_MS = 15_000;
const BUSY = ["queued", "running"];
const RUN = "clinic";

/** Fills `#clinic`; it is asked for only while it can be seen. */
export function mount(app) {
  const root = document.getElementById("clinic");
  const table = new ClinicTable((row) => trainButton(app, row));
  const run = h("button", { type: "button", id: "clinic-run", text: "Make the table", on: { click: () => change("POST", {}) } });
  const cancel = h("button", { type: "button", id: "clinic-cancel", text: "Cancel", hidden: true, on: { click: () => change("DELETE") } });
  const bar = h("progress", { class: "progress-bar", id: "clinic-progress", max: 1, value: 0, hidden: true, "aria-label": "Progress of the table" });
  const word = h("output", { class: "quiet", id: "clinic-state" });
  needs(app, "keep", run, cancel);
  root.setAttribute("aria-label", "Clinic");
  root.append(
    h("div", { class: "clinic-head" }, h("h2", { text: "Clinic" }),
      h("p", { class: "quiet", text: "Seventeen faults, each trained beside the sound model from one seed and text, and the number that tells them apart." }),
      run, cancel, bar, word),
    h("div", { class: "clinic-scroll", tabIndex: 0, role: "region", "aria-label": "Table of faults" }, table.node),
  );
  root.hidden = false;

  let timer = null, seen = "", inView = false, failed = false;

  async function change(method, body) {
    run.disabled = cancel.disabled = true;
    try {
      show(await request(method, "/clinic", body));
    } catch (error) {
      toastError(error);
    }
    run.disabled = cancel.disabled = false;
    poll();
  }

  async function poll() {
    clearTimeout(timer);
    if (!inView || document.hidden) return;
    let busy = false;
    try {
      busy = show(await request("GET", "/clinic"));
      failed = false;
    } catch (error) {
      if (!failed) word.textContent = error.message;
      failed = true;
    }
    timer = setTimeout(poll, busy ? BUSY_MS : IDLE_MS);
  }

  /** Shows what was answered; whether a table is being made. */
  function show(told) {
    const busy = BUSY.includes(told.state), { finished } = told;
    run.hidden = busy;
    cancel.hidden = bar.hidden = !busy;
    bar.value = told.progress?.share ?? 0;
    word.textContent = stateText(told);
    const rows = withSound(busy && told.rows.length ? told.rows : finished?.rows ?? []);
    const source = busy && told.rows.length ? "being made" : finished?.origin ?? "";
    const key = JSON.stringify([source, rows.length, finished?.seed, finished?.steps, told.asked]);
    if (key !== seen) table.set(rows, caption(rows, source, busy ? told.asked ?? finished : finished));
    seen = key;
    return busy;
  }

  new IntersectionObserver((entries) => {
    inView = entries.at(-1).isIntersecting;
    poll();
  }).observe(root);
  document.addEventListener("visibilitychange", poll);
  app.on("status", () => { if (failed) poll(); });
}

function caption(rows, source, of) {
  if (!rows.length) return "No table yet.";
  const origin = { "made here": "Made here", shipped: "Comes with the program", "being made": "Being made" }[source];
  return `${origin}: ${rows.length} rows, ${of?.steps ?? "–"} steps each, seed ${of?.seed ?? "–"}.`;
}

function stateText({ state, message, progress }) {
  if (state === "queued") return message || "queued";
  if (state !== "running") return message;
  if (!progress) return "starting";
  const left = progress.left_s === null ? "" : ` · ${duration(progress.left_s)} left`;
  return `run ${Math.min(progress.done + 1, progress.total)} of ${progress.total}: ${progress.name.replaceAll("_", " ")}, step ${progress.step}${left}${message ? ` · ${message}` : ""}`;
}

/** Trains the sound and the faulty model side by side, live. */
function trainButton(app, { kind, name, title }) {
  if (kind === "sound") return null;
  const button = h("button", { type: "button", text: "Train both", "aria-label": `Train both: ${title}`, data: { train: name } });
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await begin({ run: RUN, fault: name });
    } catch (error) {
      toastError(error);
      button.disabled = false;
    }
  });
  needs(app, "keep", button);
  return button;
}
