// Files from the user: a stimulus chosen or dropped, a snapshot dropped to be restored.

import { command, upload } from "./api.mjs";
import { lacking, needs } from "./capabilities.mjs";
import { h } from "./dom.mjs";
import { restoreFile } from "./restore.mjs";
import { createRow } from "./row.mjs";
import { toast } from "./toasts.mjs";

const STIMULUS = /\.(csv|npz|parquet)$/i;
const SNAPSHOT = /\.(png|json)$/i;
/** Which rows matter for which kind of stimulus; the kind itself always shows. */
const USED_BY = {
  digits: ["image_ms", "rest_ms", "rate_hz"], text: ["image_ms", "rest_ms", "rate_hz", "text"],
  constant: ["amplitude"], noise: ["amplitude", "noise_std"], pulse: ["amplitude", "period_ms", "pulse_ms"],
  sine: ["amplitude", "period_ms"], file: ["amplitude", "file_id"],
};

const HINT = "Drop a snapshot (PNG, JSON) to restore it, or a stimulus (CSV, NPZ, Parquet)";

/** Lets the whole page take files that are dropped on it; `take(app, file)` does what it does with one. */
export function mount(app, { hint = HINT, take = takeFile } = {}) {
  const shade = h("div", { class: "drop-shade", hidden: true }, h("p", { text: hint }));
  document.body.append(shade);
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    shade.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) shade.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    shade.hidden = true;
    take(app, event.dataTransfer.files[0]);
  });
}

/** Takes snapshots alone, on a page that has no stimulus. */
export const SNAPSHOTS_ONLY = {
  hint: "Drop a snapshot (PNG, JSON) to restore its parameters and seed",
  take(app, file) {
    if (file && SNAPSHOT.test(file.name)) restoreFile(app, file);
    else if (file) toast(`${file.name.slice(0, 80)}: only snapshots, PNG or JSON, are understood here.`, { kind: "error" });
  },
};

/** Sends a file where its ending says it belongs. */
export async function takeFile(app, file) {
  if (!file) return;
  if (SNAPSHOT.test(file.name)) await restoreFile(app, file);
  else if (STIMULUS.test(file.name)) await useStimulus(app, file);
  else toast(`${file.name.slice(0, 80)}: only PNG, JSON (snapshots) and CSV, NPZ, Parquet (stimuli) are understood.`, { kind: "error" });
}

/** Uploads a stimulus and switches the input to it. */
async function useStimulus(app, file) {
  try {
    const why = lacking(app, "keep");
    if (why) throw new Error(why);
    const { file_id: id, kind, rows, width } = await upload(file);
    await command([
      { type: "set", path: "stimulus.file_id", value: id },
      { type: "set", path: "stimulus.kind", value: "file" },
    ]);
    toast(`${file.name.slice(0, 80)}: ${kind}, ${rows} x ${width}, now drives the network.`);
  } catch (error) {
    toast(`${file.name.slice(0, 80)}: ${error.message}`, { kind: "error" });
  }
}

/** The stimulus group: the kind, the rows it uses, and a place to give a file. */
export function createStimulus(app, specs, body) {
  const rows = specs.map((spec) => createRow(app, spec));
  const picker = h("input", { type: "file", id: "stimulus-file", accept: ".csv,.npz,.parquet", class: "sr-only" });
  picker.addEventListener("change", async () => {
    await takeFile(app, picker.files[0]);
    picker.value = "";
  });
  needs(app, "keep", picker);
  const area = h("label", { class: "file-area", htmlFor: "stimulus-file" }, h("strong", { text: "Choose a file" }),
    h("span", { text: " or drop it: currents (T, 64) or spike times, as CSV, NPZ or Parquet" }));
  body.append(...rows.map((row) => row.node), picker, area);
  const file = rows.find((row) => row.spec.name === "kind").node.querySelector('option[value="file"]');
  const refresh = () => {
    const used = USED_BY[app.params.values["stimulus.kind"]];
    file.disabled = !app.params.values["stimulus.file_id"];
    file.textContent = file.disabled ? "file (choose one below)" : "file";
    for (const row of rows) row.node.classList.toggle("row-unused", Boolean(used) && row.spec.name !== "kind" && !used.includes(row.spec.name));
  };
  return { rows, extras: [{ refresh }] };
}
