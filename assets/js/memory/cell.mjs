/** The chosen cell: its map large, its autocorrelogram or its spikes over episodes, declared beside measured. */

import { CIVIDIS_STOPS, DIVERGING_STOPS, addStops, diverging } from "../colors.mjs";
import { emptyNote, label, plate } from "../marks/paint.mjs";
import { h } from "../dom.mjs";
import { Atlas } from "./atlas.mjs";
import { comparison, fieldsOf, kindOf, spikesOf } from "./cells.mjs";

const ACCENT = "#D55E00", EPISODES_SHOWN = 30;

export class CellView {
  constructor(page) {
    this.page = page;
    this.maps = new Atlas();
    this.correlations = new Atlas();
  }

  paint(ctx, view) {
    const { store, constants, selected } = this.page;
    if (!store.newest.maps) { emptyNote(ctx, { x: 0, y: 0, w: view.w, h: view.h }, "Nothing of this cell yet", view.look); return; }
    const { kind } = kindOf(constants, selected);
    if (kind === "time") this.#raster(ctx, view);
    else this.#maps(ctx, view, kind);
  }

  #maps(ctx, { w, h, look }, kind) {
    const { store, constants, selected } = this.page, two = kind === "grid";
    const size = Math.max(20, Math.min(h - 38, two ? (w - 20) / 2 : w - 8));
    this.maps.take(store.newest.maps);
    this.maps.draw(ctx, selected, 4, 4, size, size);
    lyingBar(ctx, 4, size + 9, size, CIVIDIS_STOPS, ["0", "rate map", `${constants.full_hz[selected].toFixed(0)} Hz`], look);
    if (kind === "place") this.#field(ctx, look, size);
    else this.#correlation(ctx, look, size + 14, size);
  }

  /** Where the field is declared (circle) and where it was found (cross). */
  #field(ctx, look, size) {
    const { store, constants, selected } = this.page, { declared, measured } = fieldsOf(constants, store, selected);
    const at = (v) => v / constants.side_m * size;
    ctx.lineWidth = 2;
    if (declared) {
      ctx.strokeStyle = "#FFFFFF";
      ctx.setLineDash([4, 3]);
      ctx.beginPath();
      ctx.arc(4 + at(declared.x), 4 + size - at(declared.y), at(declared.width), 0, 7);
      ctx.stroke();
      ctx.setLineDash([]);
    }
    if (!Number.isFinite(measured?.x)) return;
    ctx.strokeStyle = ACCENT;
    const x = 4 + at(measured.x), y = 4 + size - at(measured.y);
    ctx.beginPath();
    ctx.moveTo(x - 6, y); ctx.lineTo(x + 6, y);
    ctx.moveTo(x, y - 6); ctx.lineTo(x, y + 6);
    ctx.stroke();
  }

  /** The map against itself, shifted; a circle of the declared spacing goes through the six peaks. */
  #correlation(ctx, look, x, size) {
    const { store, constants, selected } = this.page, array = store.newest.correlations;
    if (!array) return;
    this.correlations.take(array, diverging(0.5));
    this.correlations.draw(ctx, selected - this.page.first("grid"), x, 4, size, size);
    const { declared, measured } = fieldsOf(constants, store, selected);
    const span = constants.side_m * array.shape[1] / constants.bins;
    const ring = (metres, color, dash) => {
      if (!Number.isFinite(metres)) return;
      ctx.strokeStyle = color;
      ctx.lineWidth = 1.5;
      ctx.setLineDash(dash);
      ctx.beginPath();
      ctx.arc(x + size / 2, 4 + size / 2, Math.min(size / 2, metres / span * size), 0, 7);
      ctx.stroke();
      ctx.setLineDash([]);
    };
    ring(declared?.spacing, "#000000", [4, 3]);
    ring(measured?.spacing, "#009E73", []);
    lyingBar(ctx, x, size + 9, size, DIVERGING_STOPS, ["-1", "autocorrelation", "1"], look);
  }

  /** Spikes of a time cell, an episode a row, the newest on top. */
  #raster(ctx, { w, h, look }) {
    const { store, selected } = this.page, counts = spikesOf(store, selected), elapsed = store.column("path", 3);
    const seconds = this.page.value("recall.length") ?? 10;
    const box = { x: 34, y: 4, w: Math.max(20, Math.min(w - 44, 520)), h: Math.max(20, h - 36) }, tall = box.h / EPISODES_SHOWN;
    ctx.strokeStyle = look.line;
    ctx.lineWidth = 1;
    ctx.strokeRect(box.x - 0.5, box.y - 0.5, box.w + 1, box.h + 1);
    ctx.fillStyle = ACCENT;
    let row = 0;
    for (let i = elapsed.length - 1; i >= 0 && row < EPISODES_SHOWN; i--) {
      if (i + 1 < elapsed.length && elapsed[i] > elapsed[i + 1]) row++;
      if (counts.at(i) && row < EPISODES_SHOWN) ctx.fillRect(box.x + elapsed[i] / seconds * box.w - 1, box.y + (row + 0.1) * tall, 2, Math.max(2, tall * 0.8));
    }
    const at = fieldsOf(this.page.constants, store, selected).declared?.at;
    if (at <= seconds) {
      const x = Math.round(box.x + at / seconds * box.w);
      ctx.fillStyle = look.fg;
      for (let y = box.y; y < box.y + box.h; y += 7) ctx.fillRect(x, y, 1, 4);
      plate(ctx, "declared peak", x + 4, box.y + 9, look.fg, look.bg);
    }
    for (let t = 0; t <= seconds; t += seconds > 12 ? 5 : 2) label(ctx, String(t), box.x + t / seconds * box.w, box.y + box.h + 11, look.fg, "center");
    label(ctx, "s since the episode began", box.x + box.w / 2, box.y + box.h + 25, look.muted, "center");
  }
}

/** A colour bar below a map, with words at its ends and in its middle. */
function lyingBar(ctx, x, y, w, stops, [low, middle, high], look) {
  ctx.fillStyle = addStops(ctx.createLinearGradient(x, 0, x + w, 0), stops);
  ctx.fillRect(x, y, w, 7);
  label(ctx, low, x, y + 17, look.fg);
  if (w > 110) label(ctx, middle, x + w / 2, y + 17, look.muted, "center");
  label(ctx, high, x + w, y + 17, look.fg, "right");
}

/** The readout beside the picture; `refresh` writes what changed. */
export function cellReadout(page) {
  const title = h("h3", { class: "cell-title" });
  const body = h("tbody");
  const node = h("div", { class: "cell-readout", data: { part: "" } }, title,
    h("table", { class: "cell-table" }, h("thead", {}, h("tr", {}, h("th", { text: "" }), h("th", { text: "declared" }), h("th", { text: "measured" }))), body));
  let shown = "";
  return {
    node,
    refresh() {
      if (!page.constants) return;
      const { name } = kindOf(page.constants, page.selected);
      const rows = comparison(fieldsOf(page.constants, page.store, page.selected));
      const key = JSON.stringify([name, rows]);
      if (key === shown) return;
      shown = key;
      title.textContent = name[0].toUpperCase() + name.slice(1);
      body.replaceChildren(...rows.map(([what, declared, measured]) => h("tr", {}, h("th", { text: what }), h("td", { text: declared }), h("td", { text: measured }))));
    },
  };
}
