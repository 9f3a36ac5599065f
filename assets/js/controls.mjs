// The controls: built from the session's parameter specs, grouped by owner, searchable.

import { h, icon, iconButton, remembered, whenReady } from "./dom.mjs";
import { num } from "./format.mjs";
import { createNeuromods } from "./neuromods.mjs";
import { inForce, isChanged, overridesOf, scopeOwners, scopedPath, stagesOf } from "./paths.mjs";
import { createRow } from "./row.mjs";
import { createScope } from "./scope.mjs";
import { createStimulus } from "./upload.mjs";

const ORDER = ["lif", "stdp", "neuromod", "input", "stimulus", "homeostasis", "gate"];
const OPEN = ["lif", "stdp", "neuromod", "script", "train", "sample", "agent", "cells", "recall", "reading", "feelings"];

/** Fills `#controls` as soon as the session's parameters are known. */
export function mount(app) {
  const host = document.getElementById("controls");
  host.setAttribute("aria-label", "Controls");
  whenReady(app, () => build(app, host));
}

function build(app, host) {
  const names = [...new Set(app.params.specs.map((spec) => spec.group))];
  const rank = (name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  names.sort((a, b) => rank(a) - rank(b));
  const groups = names.map((name) => createGroup(app, name));
  const none = h("p", { class: "search-none", hidden: true });
  const search = searchBox((text) => filter(groups, none, text));
  const list = h("div", { class: "groups" }, none, ...groups.map((group) => group.node));
  host.prepend(h("div", { class: "controls-head" }, search, drawerClose(host)), list);
  document.body.append(drawerOpen(host));
  const refresh = () => groups.forEach((group) => group.refresh());
  app.on("params", refresh);
  app.on("tick", () => groups.forEach((group) => group.node.open && group.onTick?.()));
  refresh();
}

function createGroup(app, name) {
  const specs = app.params.specs.filter((spec) => spec.group === name);
  const body = h("div", { class: "group-body" });
  const badge = h("span", { class: "group-badge" });
  const summary = h("summary", {}, h("span", { text: titleOf(app, name) }), badge);
  const open = remembered.get(`open.${name}`, OPEN.includes(name)) || name === "lif";
  const node = h("details", { class: "group", data: { group: name }, open }, summary, body);
  summary.addEventListener("click", () => remembered.set(`open.${name}`, !node.open));
  const { rows, extras = [], onTick } = fill(app, name, specs, body);
  return {
    node,
    rows,
    onTick,
    refresh() {
      rows.forEach((row) => row.refresh());
      extras.forEach((extra) => extra.refresh());
      const changed = specs.filter((spec) => isChanged(app.params, spec, spec.path)).length + overridesOf(app.params, name).length;
      badge.textContent = changed ? `${changed} changed` : "";
    },
  };
}

/** Puts a group's rows into `body`; groups with more to them than rows have their own module. */
function fill(app, name, specs, body) {
  if (name === "neuromod") {
    const made = createNeuromods(app, specs, body);
    return { rows: made.rows, onTick: () => showLevels(app, made) };
  }
  if (name === "stimulus") return createStimulus(app, specs, body);
  if (scopeOwners(app.manifest, name).length) return scopedRows(app, name, specs, body);
  const rows = specs.map((spec) => createRow(app, spec));
  body.append(...rows.map((row) => row.node));
  return { rows };
}

function scopedRows(app, name, specs, body) {
  let scope = "";
  const rows = specs.map((spec) => createRow(app, spec, {
    pathOf: () => scopedPath(spec, scope),
    effective: () => (spec.path === "lif.v_thresh" ? effectiveText(app, spec, scope) : ""),
  }));
  const bar = createScope(app, name, (next) => {
    scope = next;
    rows.forEach((row) => row.abandon());
  });
  body.append(bar.node, ...rows.map((row) => row.node));
  return { rows, extras: [bar], onTick: () => rows.forEach((row) => row.showEffective()) };
}

/** `1.10 set, 0.86 effective` where homeostasis moves a threshold away from what is set. */
function effectiveText(app, spec, scope) {
  const theta = newest(app, "theta", app.store?.G ?? 0);
  if (!theta) return "";
  const set = inForce(app.params, scopedPath(spec, scope));
  const values = stagesOf(scope, app.manifest).map((stage) => theta[stage]).filter(Number.isFinite);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (values.every((value) => Math.abs(value - set) < 0.005)) return "";
  const span = high - low < 0.005 ? low.toFixed(2) : `${low.toFixed(2)} to ${high.toFixed(2)}`;
  return `${num(set)} set, ${span} effective`;
}

/** The newest received sample of one of the store's rings, or null. */
function newest(app, name, width) {
  const store = app.store;
  if (!store || store.empty) return null;
  const at = ((store.step1 - 1) % store.capacity) * width;
  return store[name].subarray(at, at + width);
}

function showLevels(app, made) {
  const levels = newest(app, "levels", app.store?.nLevels ?? 0);
  if (levels?.length) made.showLevels(levels);
}

/** The group's title from the manifest. */
function titleOf(app, name) {
  return app.manifest?.param_groups?.find((entry) => entry.group === name)?.title || name;
}

function searchBox(changed) {
  const input = h("input", { type: "search", id: "param-search", placeholder: "Search parameters  ( / )", "aria-label": "Search parameters", autocomplete: "off" });
  input.addEventListener("input", () => changed(input.value.trim().toLowerCase()));
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    input.value = "";
    changed("");
    input.blur();
  });
  return input;
}

function filter(groups, none, text) {
  let shown = 0;
  for (const group of groups) {
    const hits = group.rows.filter((row) => {
      row.node.hidden = text !== "" && !row.text.includes(text);
      return !row.node.hidden;
    });
    shown += hits.length;
    group.node.hidden = hits.length === 0;
    group.node.classList.toggle("group-searched", text !== "");
    if (text !== "" && hits.length > 0) group.node.open = true;
  }
  none.hidden = shown > 0;
  none.textContent = `No parameter matches "${text}".`;
}

function drawerOpen(host) {
  const button = h("button", { type: "button", class: "drawer-open", "aria-controls": "controls" }, icon("sliders"), h("span", { text: "Controls" }));
  button.addEventListener("click", () => {
    host.classList.add("drawer-shown");
    document.getElementById("param-search").focus({ preventScroll: true });
  });
  return button;
}

function drawerClose(host) {
  host.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) host.classList.remove("drawer-shown");
  });
  return iconButton("close", "Close the controls", () => host.classList.remove("drawer-shown"), { class: "drawer-close" });
}
