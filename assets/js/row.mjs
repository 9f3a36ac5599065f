// One parameter as a row: label, slider, exact number, unit, reset, and what is wrong or effective.

import { command } from "./api.mjs";
import { needs } from "./capabilities.mjs";
import { h, iconButton } from "./dom.mjs";
import { boxText, expected, valueText, withUnit } from "./format.mjs";
import { inForce, isChanged } from "./paths.mjs";
import { fromSlider, nudge, parseNumber, sliderSpec, toSlider } from "./scale.mjs";

const LONG_UNIT = 5;
let rows = 0;

/**
 * A row bound to `spec`. `pathOf()` gives the path it acts on now (a scope may point it at an
 * override); `effective()` gives a text where the model uses something else than what is set.
 */
export function createRow(app, spec, { pathOf = () => spec.path, effective = () => "", label = spec.label } = {}) {
  rows += 1;
  const id = `param-${rows}`;
  const box = makeBox(spec, id);
  const slider = spec.kind === "float" || spec.kind === "int" ? makeSlider(spec, label) : null;
  const reset = iconButton("back", "", () => apply(() => command({ type: "clear", path: pathOf() })), { class: "row-reset" });
  const message = h("output", { class: "row-message", id: `${id}-message`, htmlFor: id });
  const help = h("span", { class: "sr-only", id: `${id}-help`, text: `${spec.help} Valid: ${expected(spec)}.` });
  const name = h("label", { htmlFor: id, class: "row-label", text: label, title: `${spec.help}\n${spec.path}: ${expected(spec)}` });
  const isLong = spec.unit.length > LONG_UNIT;
  if (isLong) name.append(h("small", { text: spec.unit }));
  const unit = h("span", { class: "row-unit", text: spec.unit === "1" || isLong ? "" : spec.unit });
  const node = h("div", { class: "row", data: { kind: spec.kind, path: spec.path } }, name, slider, box, unit, reset, message, help);
  box.setAttribute("aria-describedby", `${id}-help ${id}-message`);
  needs(app, "set", box, ...(slider ? [slider] : []));
  needs(app, "clear", reset);

  let dirty = false;
  let dragging = false;
  let gesture = 0;

  const say = (text, kind = "") => {
    message.textContent = text;
    message.dataset.kind = kind;
    node.classList.toggle("row-refused", kind === "error");
    box.setAttribute("aria-invalid", String(kind === "error"));
  };

  /** Sends, then shows what the worker really took; a refusal stays beside the field. */
  async function apply(send) {
    try {
      await send();
      dirty = false;
      say("");
      refresh();
      return true;
    } catch (error) {
      say(error.message, "error");
      if (spec.kind === "bool" || spec.kind === "choice") {
        dirty = false;
        refresh();
      }
      return false;
    }
  }

  const set = (value, token = null) => apply(() => command({ type: "set", path: pathOf(), value }, token));

  function commit() {
    if (!dirty) return;
    const read = readBox(spec, box);
    if (read.error) say(`${spec.label}: ${read.error}`, "error");
    else set(read.value);
  }

  /** Drops what was typed and shows the value in force. */
  function abandon() {
    dirty = false;
    say("");
    refresh();
  }

  function arrow(event) {
    const read = readBox(spec, box);
    const from = read.error || read.value === null ? (inForce(app.params, pathOf()) ?? spec.lo) : read.value;
    const value = nudge(spec, from, event.key === "ArrowUp" ? 1 : -1, event.shiftKey ? 10 : 1);
    box.value = boxText(value);
    dirty = true;
    set(value, `${pathOf()} arrows`);
  }

  box.addEventListener("input", () => {
    dirty = true;
    if (spec.kind === "bool") set(box.checked);
    else if (spec.kind === "choice") set(box.value);
  });
  box.addEventListener("blur", commit);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (spec.kind !== "text" || !event.shiftKey)) {
      event.preventDefault();
      commit();
    } else if (event.key === "Escape") {
      if (dirty) event.preventDefault();
      abandon();
    }
    else if (slider && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      arrow(event);
    }
  });
  slider?.addEventListener("pointerdown", () => (gesture += 1));
  slider?.addEventListener("input", () => {
    dragging = true;
    const value = fromSlider(spec, Number(slider.value));
    box.value = boxText(value);
    describe(value);
    set(value, `${id} drag ${gesture}`);
  });
  slider?.addEventListener("change", () => {
    dragging = false;
    refresh();
  });

  const describe = (value) => slider?.setAttribute("aria-valuetext", withUnit(value, spec.unit));

  /** Redraws from the session's parameters; leaves a field alone while it is being edited. */
  function refresh() {
    const path = pathOf();
    const value = inForce(app.params, path);
    box.dataset.param = path;
    const changed = isChanged(app.params, spec, path);
    node.classList.toggle("row-changed", changed);
    node.classList.toggle("row-inherited", path !== spec.path && !changed);
    node.classList.toggle("row-free", value === null);
    reset.hidden = !changed;
    const target = path === spec.path ? `default ${valueText(spec.default)}` : "the wider setting";
    reset.title = `Back to ${target}`;
    reset.setAttribute("aria-label", `${label}: back to ${target}`);
    if (!dirty && !dragging) {
      writeBox(spec, box, value);
      if (slider) slider.value = String(toSlider(spec, value));
      describe(value);
    }
    showEffective();
  }

  /** Says what the model really uses where that is not what is set. */
  function showEffective() {
    if (message.dataset.kind === "error") return;
    const text = effective();
    if (text !== message.textContent) say(text);
  }

  return { node, spec, refresh, abandon, showEffective, text: `${spec.path} ${label} ${spec.help}`.toLowerCase() };
}

function makeBox(spec, id) {
  const data = { param: spec.path };
  if (spec.kind === "bool") return h("input", { type: "checkbox", role: "switch", id, class: "row-switch", data });
  if (spec.kind === "choice") {
    const options = spec.choices.map((choice) => h("option", { value: choice, text: choice.replaceAll("_", " ") }));
    return h("select", { id, class: "row-select", data }, ...options);
  }
  if (spec.kind === "text") return h("textarea", { id, class: "row-text", rows: 2, spellcheck: false, data });
  const placeholder = spec.nullable ? "free" : "";
  return h("input", { type: "text", inputMode: "decimal", autocomplete: "off", id, class: "row-box", placeholder, data });
}

function makeSlider(spec, label) {
  const { min, max, step } = sliderSpec(spec);
  return h("input", { type: "range", class: "row-slider", min, max, step, "aria-label": `${label}, slider` });
}

function readBox(spec, box) {
  if (spec.kind === "bool") return { value: box.checked };
  if (spec.kind === "choice" || spec.kind === "text") return { value: box.value };
  return parseNumber(spec, box.value);
}

function writeBox(spec, box, value) {
  if (spec.kind === "bool") box.checked = Boolean(value);
  else box.value = value === null || value === undefined ? "" : typeof value === "number" ? boxText(value) : value;
}
