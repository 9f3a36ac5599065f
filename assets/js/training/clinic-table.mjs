/** The clinic's table: a row for the sound model and for each fault, sorted by the column clicked. */

import { h } from "../dom.mjs";
import { num } from "../format.mjs";
import { grouped } from "../marks/paint.mjs";
import { lossCurve, rangeOf } from "./clinic-curve.mjs";

const HEAVY = 1e15;
const loss = (value) => (value === null ? "–" : value.toFixed(3));
/** A measure as the table tells it. */
export const plain = (value) => (value === null || value === undefined ? "–" : Number.isInteger(value) && Math.abs(value) >= 1000 ? grouped(value) : num(value, 3));

/** Columns: title, words, what to sort by (null: not sortable), what to show. */
const COLUMNS = [
  ["No", "Number of the fault; 0 is the sound model", (row) => row.number, (row) => h("td", { class: "clinic-number", text: row.kind === "sound" ? "0" : String(row.number) })],
  ["Model", "The fault that it carries", (row) => row.title, (row) => h("th", { scope: "row" }, h("span", { text: row.title }), h("small", { class: "quiet", text: `${row.kind === "sound" ? "" : `${row.kind} fault · `}${row.trial}` }))],
  ["Loss", "Loss over the steps; the sound model of the same trial behind it", null, (row, range) => h("td", {}, lossCurve(row, range))],
  ["To loss 5", "First step at which the mean of 25 wake losses is below 5", (row) => row.steps_to_5 ?? HEAVY, (row) => h("td", { text: row.steps_to_5 === null ? "–" : String(row.steps_to_5) })],
  ["Final", "Mean loss of the last 50 wake steps, nat a token", (row) => row.final ?? HEAVY, (row) => h("td", { text: loss(row.final) })],
  ["Held out", "Loss of held-out text afterwards, nat a token", (row) => row.held_out ?? HEAVY, (row) => h("td", { text: loss(row.held_out) })],
  ["Norm", "Median gradient norm after the first 20 steps", (row) => row.norm_median ?? HEAVY, (row) => h("td", { text: plain(row.norm_median) })],
  ["Largest", "Largest gradient norm after the first 20 steps", (row) => row.norm_max ?? HEAVY, (row) => h("td", { text: plain(row.norm_max) })],
  ["What tells them apart", "The one measure in which the fault shows: sound, then faulty; and what it stopped with", (row) => row.telling?.name ?? "", tellingCell],
  ["By its curve?", "Whether its losses alone differ from the sound model's by more than twice what other seeds make", (row) => ({ true: 0, false: 1 })[row.curve_tells] ?? 2, (row) => h("td", { text: curveWord(row) })],
];

/** `rows`, and before the first fault of every other trial the sound run that they are compared with. */
export function withSound(rows) {
  const known = new Set(rows.filter(({ kind }) => kind === "sound").map(({ trial }) => trial)), more = [];
  for (const { beside, trial, number } of rows) {
    if (!beside || known.has(trial)) continue;
    known.add(trial);
    more.push({ ...beside, name: `sound, ${trial}`, number: number - 0.5, title: "the sound model", kind: "sound", trial, error: "", telling: null, curve_tells: null });
  }
  return [...rows, ...more];
}

function tellingCell({ telling, error }) {
  if (!telling) return h("td", { class: "quiet", text: "–" });
  return h("td", { class: "clinic-telling" },
    h("span", { text: `${telling.name}: ` }), h("strong", { text: `${plain(telling.sound)} → ${plain(telling.faulty)}` }),
    error ? h("code", { class: "clinic-error", text: error }) : null);
}

function curveWord({ kind, curve_tells: tells }) {
  if (kind === "sound") return "";
  return tells === null ? "it stops" : tells ? "yes" : "cannot tell";
}

export class ClinicTable {
  /** @param {(row: object) => ?Node} tool what stands at the end of a row */
  constructor(tool) {
    this.tool = tool;
    this.sorted = { column: 0, up: true };
    this.rows = [];
    this.body = h("tbody");
    this.heads = COLUMNS.map(([title, words, key], i) => h("th", { scope: "col", title: words },
      key ? h("button", { type: "button", class: "clinic-sort", text: title, on: { click: () => this.sortBy(i) } }) : title));
    this.node = h("table", { class: "clinic-table" },
      h("caption", { class: "quiet" }), h("thead", {}, h("tr", {}, ...this.heads, h("th", { scope: "col", "aria-label": "Train" }))), this.body);
  }

  sortBy(column) {
    this.sorted = { column, up: this.sorted.column === column ? !this.sorted.up : true };
    this.draw();
  }

  /** Show `rows` under `caption`. */
  set(rows, caption) {
    this.rows = rows;
    this.node.caption.textContent = caption;
    this.draw();
  }

  draw() {
    const { column, up } = this.sorted, key = COLUMNS[column][2], range = rangeOf(this.rows);
    this.heads.forEach((head, i) => {
      if (i === column) head.setAttribute("aria-sort", up ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    const order = (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.number - b.number);
    const rows = [...this.rows].sort((a, b) => (up ? order(a, b) : order(b, a)));
    this.body.replaceChildren(...rows.map((row) => h("tr", { data: { name: row.name, kind: row.kind } },
      ...COLUMNS.map(([, , , cell]) => cell(row, range)), h("td", {}, this.tool(row)))));
  }
}
