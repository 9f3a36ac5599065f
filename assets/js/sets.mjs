// Named parameter sets: save, look before loading, rename, delete; copy as link, Python, curl.

import { deleteSet, getSet, getSets, putSet } from "./api.mjs";
import { needs } from "./capabilities.mjs";
import { openDialog } from "./dialogs.mjs";
import { copyText, h } from "./dom.mjs";
import { changedTexts } from "./provenance.mjs";
import { confirmRestore } from "./restore.mjs";
import { asCurl, asLink, asPython, checkValues } from "./share.mjs";
import { toast, toastError } from "./toasts.mjs";
import { takeFile } from "./upload.mjs";

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The dialog of all sets. */
export function openSets(app) {
  const list = h("ul", { class: "set-list" });
  const refresh = () => fillList(app, list, refresh);
  const body = [saveForm(app, refresh), list, shareBar(app), snapshotPicker(app)];
  refresh();
  return openDialog({ id: "sets-dialog", title: "Parameter sets", body, wide: true });
}

function saveForm(app, refresh) {
  const name = h("input", { type: "text", id: "set-name", maxLength: 64, autocomplete: "off", placeholder: "name, e.g. high-threshold" });
  const message = h("output", { class: "row-message", data: { kind: "error" } });
  const changed = changedTexts(app.params);
  const holds = changed.length ? changed.join(" · ") : "all defaults";
  const save = async () => {
    const valid = NAME.test(name.value);
    name.setAttribute("aria-invalid", String(!valid));
    message.textContent = valid ? "" : "A name has letters, digits, _ and -, at most 64, and starts with a letter or digit.";
    if (!valid) return;
    try {
      await putSet(name.value, { values: app.params.non_default });
      toast(`Saved "${name.value}".`);
      name.value = "";
      await refresh();
    } catch (error) {
      message.textContent = error.message;
    }
  };
  const store = h("button", { type: "button", text: "Save", data: { set: "save" }, on: { click: save } });
  needs(app, "keep", name, store);
  name.addEventListener("keydown", (event) => event.key === "Enter" && save());
  return h("section", {}, h("h3", { text: "Save what is set now" }), h("p", { class: "quiet", text: holds }),
    h("div", { class: "form-line" }, h("label", { htmlFor: "set-name", text: "Name" }), name, store), message);
}

async function fillList(app, list, refresh) {
  try {
    const names = namesOf(await getSets());
    const empty = h("li", { class: "quiet", text: "No set saved yet." });
    list.replaceChildren(...(names.length ? names.map((name) => setLine(app, name, refresh)) : [empty]));
  } catch (error) {
    list.replaceChildren(h("li", { class: "warn", text: error.message }));
  }
}

const namesOf = ({ sets }) => sets;

function setLine(app, name, refresh) {
  const attempt = (act) => async () => {
    try {
      await act();
    } catch (error) {
      toastError(error);
    }
  };
  const load = attempt(async () => {
    const set = await getSet(name);
    await confirmRestore(app, { title: `Load "${name}"`, values: checkValues(set.values) });
  });
  const remove = attempt(async () => {
    const sure = await openDialog({ title: `Delete "${name}"?`, body: [h("p", { text: "The saved set is gone then; the running model is untouched." })], actions: [{ label: "Keep", value: null }, { label: "Delete", value: "delete", primary: true }] });
    if (sure !== "delete") return;
    await deleteSet(name);
    await refresh();
  });
  const rename = attempt(async () => {
    const next = await askName(name);
    if (!next) return;
    const set = await getSet(name);
    if (namesOf(await getSets()).includes(next)) throw new Error(`There is a set "${next}" already.`);
    await putSet(next, { values: set.values });
    await deleteSet(name);
    await refresh();
  });
  const button = (text, act) => h("button", { type: "button", text, "aria-label": `${text} ${name}`, data: { set: text.toLowerCase().replace("…", "") }, on: { click: act } });
  const buttons = [button("Load…", load), button("Rename", rename), button("Delete", remove)];
  needs(app, "keep", ...buttons.slice(1));
  return h("li", { data: { name } }, h("span", { class: "set-name", text: name }), ...buttons);
}

/** Asks for another name; null when it is left, the same or not a name. */
async function askName(name) {
  const input = h("input", { type: "text", value: name, maxLength: 64, "aria-label": "New name" });
  const done = await openDialog({ title: `Rename "${name}"`, body: [input], actions: [{ label: "Cancel", value: null }, { label: "Rename", value: "rename", primary: true }] });
  if (done !== "rename" || input.value === name) return null;
  if (NAME.test(input.value)) return input.value;
  toast("A name has letters, digits, _ and -, at most 64.", { kind: "error" });
  return null;
}

function shareBar(app) {
  const values = () => app.params.non_default;
  const seed = () => app.meta?.seed ?? null;
  const copy = (what, make) => async () => {
    const text = make();
    if (await copyText(text)) toast(`Copied as ${what}.`);
    else showText(what, text);
  };
  const button = (what, make) => h("button", { type: "button", text: `Copy ${what}`, data: { copy: what.toLowerCase() }, on: { click: copy(what, make) } });
  return h("section", {}, h("h3", { text: "Share what is set now" }), h("div", { class: "button-row" },
    button("link", () => asLink(location.href, values(), seed())),
    button("Python", () => asPython(location.origin, app.session, values(), seed())),
    button("curl", () => asCurl(location.origin, app.session, values(), seed()))));
}

/** For those who cannot drag a file onto the page. */
function snapshotPicker(app) {
  const input = h("input", { type: "file", id: "snapshot-file", accept: ".png,.json" });
  input.addEventListener("change", () => takeFile(app, input.files[0]));
  return h("section", {}, h("h3", { text: "Restore from a snapshot" }), h("label", { class: "form-line", htmlFor: "snapshot-file" }, h("span", { text: "PNG or JSON" }), input));
}

/** Where the clipboard is refused, the text stands in a field to copy by hand. */
function showText(what, text) {
  const area = h("textarea", { class: "copy-text", readOnly: true, rows: 12, value: text, "aria-label": what });
  area.addEventListener("focus", () => area.select());
  return openDialog({ title: `Copy as ${what}`, body: [area], wide: true });
}
