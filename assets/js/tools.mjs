/** The buttons and selects in each panel's head. */

import { askBytes } from "./ask.mjs";
import { theme } from "./colors.mjs";
import { panelPng } from "./compose.mjs";
import { downloadBlob } from "./dom.mjs";
import { mountHead } from "./heads.mjs";
import { ORDER_NAMES } from "./marks/raster.mjs";
import { membraneTools } from "./membranes.mjs";
import { blocksOf } from "./paths.mjs";
import { panelSvg } from "./svg.mjs";
import { tableButton } from "./table.mjs";
import { toast } from "./toasts.mjs";

const MEDIA = { csv: "text/csv", npz: "application/octet-stream" };

/** Fill `.panel-tools` of every panel. */
export function mountTools(app, board, inspector) {
  for (const surface of board.surfaces.values()) {
    const [shown, own = []] = selects(app, surface);
    const max = button("⤢", `Maximise ${titleOf(surface)}, or put it back`, () => app.maximise(surface.slug), "tool-max");
    mountHead(surface.section, shown, [...own, ...buttons(app, surface, inspector)], [max]);
  }
  const asking = document.getElementsByClassName("tool-asks");
  for (const event of ["tick", "view"]) app.on(event, () => followHeld(app, asking));
  app.on("maximise", (slug) => maximise(board, slug));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && app.view.maximised && !event.defaultPrevented) app.maximise(app.view.maximised);
  });
}

const titleOf = ({ section, slug }) => section.querySelector("h2")?.textContent ?? slug;

/** What asks the server for the window in view: greyed where none of it is held, its title says what has gone. */
function followHeld({ gone }, nodes) {
  for (const node of nodes) {
    const title = node.ariaLabel + (gone ? ` · ${gone.words}` : "");
    if (node.title !== title) node.title = title;
    node.disabled = node.ariaBusy === "true" || Boolean(gone?.whole && node.ariaExpanded !== "true");
  }
}

function buttons(app, surface, inspector) {
  const title = titleOf(surface);
  const data = (ext) => async () => {
    const bytes = await askBytes(app.url(`/panels/${surface.slug}.${ext}`, inspector.query(surface.slug)));
    downloadBlob(new Blob([bytes], { type: MEDIA[ext] }), `${surface.slug}.${ext}`);
  };
  return [
    tableButton(app, surface, () => inspector.query(surface.slug)),
    button("CSV", `Download the data of ${title} in view as CSV`, data("csv"), "tool-asks"),
    button("NPZ", `Download the data of ${title} in view as NPZ`, data("npz"), "tool-asks"),
    button("PNG", `Save ${title} as a PNG picture`, async () =>
      downloadBlob(await panelPng(app, surface, theme()), `${surface.slug}.png`)),
    button("SVG", `Save ${title} as an SVG drawing`, async () => {
      const drawn = await panelSvg(app, inspector.board.upToDate(surface.slug), theme());
      downloadBlob(new Blob([drawn], { type: "image/svg+xml" }), `${surface.slug}.svg`);
    }),
  ];
}

/** A tool; what fails in it is told. */
function button(text, title, act, className = "") {
  const node = document.createElement("button");
  node.type = "button";
  node.className = `tool ${className}`.trim();
  node.textContent = text;
  node.title = title;
  node.setAttribute("aria-label", title);
  node.addEventListener("click", async () => {
    node.disabled = true;
    node.ariaBusy = "true";
    try {
      await act();
    } catch (error) {
      const cause = error instanceof TypeError ? "the server does not answer." : error.message;
      toast(`${title}: ${cause}`, { kind: "error" });
    }
    node.disabled = false;
    node.ariaBusy = null;
  });
  return node;
}

/** The selects of a panel, and what of them may be folded away. */
function selects(app, surface) {
  switch (surface.slug) {
    case "raster":
      return [[
        rowSelect(app),
        viewSelect(app, "order", "Order of rows",
          Object.entries(ORDER_NAMES).map(([v, t]) => [v, `by ${t}`])),
      ]];
    case "neuromod":
      return [[viewSelect(app, "neuromod_view", "What to show",
        [["levels", "levels"], ["lines", "lines"], ["gains", "gains applied"]])]];
    case "membrane": return membraneTools(app);
    case "gate": return [[blockSelect(app, "gate_block")]];
    case "attention":
      return [[
        blockSelect(app, "attention_block"),
        matrixSelect(app, surface, "attention_view", "attention_heads", ["age", "by age of the key"], "head by head"),
      ]];
    case "weights":
      return [[
        blockSelect(app, "weights_block"),
        matrixSelect(app, surface, "weights_view", "weight_matrix", ["histogram", "histogram"], "matrix"),
      ]];
    case "stdp": return [[blockSelect(app, "weights_block")]];
    default: return [[]];
  }
}

function select(title, options, value, act) {
  const node = document.createElement("select");
  node.className = "tool-select";
  node.setAttribute("aria-label", title);
  node.title = title;
  fill(node, options, value);
  node.addEventListener("change", () => act(node.value));
  return node;
}

/** A select that follows `app.view[key]`. */
function viewSelect(app, key, title, options) {
  const node = select(title, options, app.view[key], (value) => app.setView({ [key]: value }));
  app.on("view", (changed) => { if (changed.includes(key)) node.value = app.view[key]; });
  return node;
}

/** What a panel shows first, or its matrix; where the session does not publish `probe` the option says so. */
function matrixSelect(app, { section }, key, probe, first, name) {
  const node = viewSelect(app, key, "What to show", [first, ["matrix", name]]);
  const offer = () => {
    const lacks = Boolean(app.manifest) && !app.manifest.probes[probe];
    Object.assign(node.options[1], { disabled: lacks, text: lacks ? `${name} (not published)` : name });
  };
  const mark = () => { section.dataset.view = app.view[key]; };
  app.on("manifest", offer);
  app.on("view", (changed) => { if (changed.includes(key)) mark(); });
  offer();
  mark();
  return node;
}

function fill(node, options, value) {
  node.replaceChildren(...options.map(([v, text]) => {
    const option = document.createElement("option");
    option.value = v;
    option.textContent = text;
    return option;
  }));
  node.value = value;
}

/** The sets of weights a watched module names, else the session's blocks. */
function partsOf(app, key) {
  const named = key === "weights_block" ? app.manifest?.weights : null;
  const blocks = named ?? blocksOf(app.manifest).map((b) => `block ${b}`);
  return (blocks.length ? blocks : ["–"]).map((name, i) => [String(i), name]);
}

function blockSelect(app, key) {
  const options = () => partsOf(app, key);
  const node = select("Block", options(), String(app.view[key]), (v) => app.setView({ [key]: Number(v) }));
  app.on("manifest", () => fill(node, options(), String(app.view[key])));
  app.on("view", (changed) => { if (changed.includes(key)) node.value = String(app.view[key]); });
  return node;
}

function rowSelect(app) {
  const options = () => [
    ["spread:200", "200 rows, all stages"], ["spread:600", "600 rows, all stages"], ["all", "all neurons"],
    ...blocksOf(app.manifest).map((b, i) => [`block:${i}`, `block ${b}`]),
    ...(app.manifest?.groups ?? []).map(({ name }, g) => [`stage:${g}`, name]),
  ];
  const node = select("Rows", options(), app.view.rows, (rows) => app.setRows(rows));
  app.on("manifest", () => fill(node, options(), app.view.rows));
  app.on("view", (changed) => { if (changed.includes("rows")) node.value = app.view.rows; });
  return node;
}

function maximise(board, slug) {
  document.getElementById("board").classList.toggle("has-maximised", Boolean(slug));
  const before = document.querySelector("#board > .panel.maximised");
  for (const surface of board.surfaces.values()) {
    const on = surface.slug === slug;
    surface.section.classList.toggle("maximised", on);
    const max = surface.section.querySelector(".tool-max");
    if (max) max.textContent = on ? "⤡" : "⤢";
  }
  if (!slug) before?.scrollIntoView({ block: "nearest" });
  for (const surface of board.surfaces.values()) surface.look();
  window.dispatchEvent(new Event("resize"));
}
