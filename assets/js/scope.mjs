// Where the rows of a group point: all stages, one block or one stage; and the overrides in force.

import { command } from "./api.mjs";
import { h, icon } from "./dom.mjs";
import { pathText, valueText } from "./format.mjs";
import { blockCount, overridesOf, scopeOwners } from "./paths.mjs";
import { toastError } from "./toasts.mjs";

/** The scope chooser of `group`; calls `changed(scope)` with `""` (all) or e.g. `"2.lif_in"`. */
export function createScope(app, group, changed) {
  const select = h("select", { class: "scope-select", "aria-label": `Scope of the ${group} controls` });
  const chips = h("ul", { class: "chips", "aria-label": `Overrides of ${group}` });
  select.append(...options(app, group));
  select.addEventListener("change", () => changed(select.value));
  const field = h("label", { class: "scope" }, h("span", { text: "Applies to" }), select);
  const node = h("div", { class: "scope-bar" }, field, chips);

  /** Redraws the list of overrides. */
  function refresh() {
    const overrides = overridesOf(app.params, group);
    chips.replaceChildren(...overrides.map(([path, value]) => chip(path, value, show)));
    chips.hidden = overrides.length === 0;
  }

  /** Points the rows at the scope of an override in the list. */
  function show(path) {
    const [, block, owner] = path.split(".");
    select.value = `${block}.${owner}`;
    changed(select.value);
  }

  return { node, refresh };
}

function options(app, group) {
  const blocks = blockCount(app.manifest);
  const owners = scopeOwners(app.manifest, group);
  const all = h("option", { value: "", text: owners.length > 1 ? "all stages" : "all blocks" });
  const stage = (owner) => (owners.length > 1 ? ` · ${owner === group ? "both stages" : `stage ${owner.split("_")[1]}`}` : "");
  const groups = Array.from({ length: blocks }, (_, block) =>
    h("optgroup", { label: `block ${block}` }, ...owners.map((owner) =>
      h("option", { value: `${block}.${owner}`, text: `block ${block}${stage(owner)}` }))));
  return [all, ...groups];
}

function chip(path, value, show) {
  const clear = async () => {
    try {
      await command({ type: "clear", path });
    } catch (error) {
      toastError(error);
    }
  };
  return h("li", { class: "chip" },
    h("button", { type: "button", class: "chip-text", text: `${pathText(path)} ${valueText(value)}`, title: "Show this override", on: { click: () => show(path) } }),
    h("button", { type: "button", class: "chip-clear", title: `Clear ${path}`, "aria-label": `Clear ${path}`, on: { click: clear } }, icon("close")));
}
