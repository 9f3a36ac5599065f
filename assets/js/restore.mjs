// From a dropped snapshot, a saved set or a link back to parameters and seed, after a look.

import { command } from "./api.mjs";
import { lacking } from "./capabilities.mjs";
import { changeTable, openDialog } from "./dialogs.mjs";
import { h, whenReady } from "./dom.mjs";
import { difference } from "./paths.mjs";
import { readText } from "./png.mjs";
import { checkSeed, checkValues, readLink } from "./share.mjs";
import { toast, toastError } from "./toasts.mjs";

const MAX_FILE = 64 * 2 ** 20;
export const KEYWORD = "t4dm";
export const FORMAT = "t4dm-snapshot";

/** Offers the set in the page's address, once. */
export function mount(app) {
  whenReady(app, () => {
    try {
      const set = readLink(location.hash);
      if (!set) return;
      history.replaceState(null, "", location.pathname + location.search);
      confirmRestore(app, { title: "Parameters from the link", ...set });
    } catch (error) {
      toast(`The link cannot be used: ${error.message}.`, { kind: "error" });
    }
  });
}

/** Reads a dropped PNG or JSON and offers what it holds; says why if it cannot be used. */
export async function restoreFile(app, file) {
  try {
    const { values, seed, note, id, dt } = await readSnapshot(file);
    const title = id ? `Restore snapshot ${id}` : "Restore parameters";
    await confirmRestore(app, { title, values, seed, note, dt });
  } catch (error) {
    toast(`${file.name.slice(0, 80)} cannot be restored: ${error.message}.`, { kind: "error" });
  }
}

/** `{values, seed, note, id, dt}` of a snapshot file; throws an Error that says what is wrong. */
export async function readSnapshot(file) {
  if (file.size > MAX_FILE) throw new Error("it is larger than 64 MB");
  const bytes = new Uint8Array(await file.arrayBuffer());
  const isPng = bytes[0] === 137;
  const text = isPng ? readText(bytes, KEYWORD) : decode(bytes);
  if (text === null) throw new Error("the picture carries no t4dm snapshot");
  return checkManifest(parse(text));
}

function decode(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("it is neither PNG nor JSON");
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("its JSON is damaged");
  }
}

/** Checks a manifest from outside; only known fields of the right kind come through. */
function checkManifest(data) {
  if (data?.format !== FORMAT) throw new Error("it is no t4dm snapshot");
  if (data.format_version !== 1) throw new Error("it was made by a newer version");
  const short = (value, length) => (typeof value === "string" ? value.slice(0, length) : "");
  return { values: checkValues(data.parameters), seed: checkSeed(data.seed), note: short(data.note, 500), id: short(data.id, 40), dt: Number.isFinite(data.dt_ms) ? data.dt_ms : null };
}

/** Shows what would change and, on a yes, replaces the parameters and, where asked, resets with the seed. */
export async function confirmRestore(app, { title, values, seed = null, note = "", dt = null }) {
  const rows = difference(app.params, values);
  const seeded = seed !== null;
  const why = lacking(app, "replace");
  const whyNoReset = seeded ? lacking(app, "reset") : "";
  const body = [
    note ? h("blockquote", { class: "note", text: note }) : null,
    changeTable(rows),
    seeded ? h("p", { text: `Seed: ${app.meta?.seed ?? "–"} now, ${seed} after a reset, which starts the run again from step 0. Values only: the run goes on with its seed.` }) : null,
    why || whyNoReset ? h("p", { class: "warn", text: why || whyNoReset }) : null,
    dt !== null && dt !== app.dt ? h("p", { class: "warn", text: `It was made in steps of ${dt} ms; those of this session last ${app.dt} ms, so that its run will be another one.` }) : null,
    rows.some((row) => !row.known) ? h("p", { class: "warn", text: "Names unknown to this session make the server refuse the whole set." }) : null,
  ].filter(Boolean);
  const actions = [
    { label: "Cancel", value: null },
    { label: seeded ? "Values only" : "Apply", value: seeded ? "values" : "apply", primary: !seeded, disabled: why !== "" || rows.length === 0 },
    seeded ? { label: "Values and seed (reset)", value: "apply", primary: true, disabled: why !== "" || whyNoReset !== "" } : null,
  ].filter(Boolean);
  const chosen = await openDialog({ title, body, actions });
  if (chosen === null) return false;
  const reseed = seeded && chosen === "apply";
  try {
    await command({ type: "replace", values, label: title.slice(0, 200) });
    if (reseed) await command({ type: "reset", seed });
    toast(reseed ? `Restored: ${rows.length} changes, seed ${seed}.` : `Applied: ${rows.length} changes.`);
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}
