// Modal dialogs: the browser's own <dialog>, so focus stays inside and Escape closes.

import { h, iconButton } from "./dom.mjs";
import { pathText, withUnit } from "./format.mjs";

let count = 0;
let host = null;

/** Takes the place where dialogs live. */
export function mount() {
  host = document.getElementById("dialogs");
}

/**
 * Opens a dialog. `body` is a list of nodes; `actions` are `{label, value, primary, disabled}`.
 * Resolves to the value of the chosen action, or null when it was closed. `id` opens it only once.
 */
export function openDialog({ title, body, actions = [], wide = false, id = "" }) {
  if (id && host.querySelector(`#${id}`)) return Promise.resolve(null);
  count += 1;
  const titleId = `dialog-title-${count}`;
  const opener = document.activeElement;
  return new Promise((resolve) => {
    let answer = null;
    const close = (value) => {
      answer = value;
      dialog.close();
    };
    const buttons = actions.map((action) => h("button", {
      type: "button", text: action.label, class: action.primary ? "primary" : "", disabled: Boolean(action.disabled),
      data: { action: String(action.value) }, on: { click: () => close(action.value) },
    }));
    const head = h("header", { class: "dialog-head" }, h("h2", { id: titleId, text: title }), iconButton("close", "Close", () => close(null)));
    const foot = buttons.length ? h("footer", { class: "dialog-foot" }, ...buttons) : null;
    const dialog = h("dialog", { id, class: wide ? "dialog dialog-wide" : "dialog", "aria-labelledby": titleId }, head, h("div", { class: "dialog-body" }, ...body), foot);
    if (!id) dialog.removeAttribute("id");
    dialog.addEventListener("close", () => {
      dialog.remove();
      opener?.focus?.({ preventScroll: true });
      resolve(answer);
    });
    dialog.addEventListener("click", (event) => event.target === dialog && close(null));
    host.append(dialog);
    dialog.showModal();
  });
}

/** True while a dialog stands open. */
export const dialogOpen = () => Boolean(document.querySelector("dialog[open]"));

/** The rows of `difference()` as a table: parameter, now, after. */
export function changeTable(rows) {
  if (rows.length === 0) return h("p", { class: "quiet", text: "No parameter would change." });
  const line = (row) => h("tr", { class: row.known ? "" : "row-unknown" },
    h("th", { scope: "row", text: pathText(row.path) }),
    h("td", { text: row.known ? withUnit(row.now, row.unit) : "unknown here" }),
    h("td", { text: row.cleared ? "override cleared" : withUnit(row.next, row.unit) }));
  const head = h("thead", {}, h("tr", {}, ...["parameter", "now", "after"].map((text) => h("th", { scope: "col", text }))));
  return h("div", { class: "table-scroll" }, h("table", { class: "change-table" }, head, h("tbody", {}, ...rows.map(line))));
}
