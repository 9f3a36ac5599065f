// The course of a run as a CSV file: a row for each step and run.

import { downloadBlob } from "../dom.mjs";

/** The text of the file: step, run, then every published number; empty where there is none. */
export function csvOf(course) {
  const { names, store, runs } = course, x = store.x, lines = [["step", "run", ...names].join(",")];
  const columns = runs.map((_, r) => names.map((name) => course.of(name, r)));
  for (let i = 0; i < store.n; i++) {
    runs.forEach((run, r) => lines.push([x[i], run.name, ...columns[r].map((column) => (Number.isNaN(column[i]) ? "" : plain(column[i])))].join(",")));
  }
  return `${lines.join("\n")}\n`;
}

/** A float32 as its shortest decimal. */
function plain(v) {
  for (let digits = 6; digits < 9; digits++) if (Math.fround(Number(v.toPrecision(digits))) === v) return String(Number(v.toPrecision(digits)));
  return String(v);
}

/** Saves it. */
export function saveCsv(app, course) {
  const last = course.store.n ? course.store.x[course.store.n - 1] : 0;
  downloadBlob(new Blob([csvOf(course)], { type: "text/csv" }), `t4dm-${app.session}-step-${last}.csv`);
}
