// Above the charts of two runs: which fault one of them carries, how it shows, and what tells them apart.

import { askJson } from "../ask.mjs";
import { h } from "../dom.mjs";
import { plain } from "./clinic-table.mjs";
import { INKS } from "./charts.mjs";
import { apart } from "./feet.mjs";

/** The line; hidden where nothing is compared. */
export function faultLine(app) {
  const title = h("strong", { class: "fault-title" });
  const number = h("output", { class: "fault-number", id: "apart" });
  const error = h("p", { class: "fault-error", id: "fault-error", role: "alert", hidden: true });
  const telling = h("output", { class: "fault-telling quiet", id: "fault-telling" });
  let asked = false;
  /** Some faults leave the losses as they are: the one measure in which each shows, as the clinic's table has it. */
  async function tell({ ablation }) {
    asked = true;
    try {
      const { finished } = await askJson("/clinic"), row = finished?.rows.find(({ name }) => name === ablation)?.telling;
      if (row) telling.textContent = `what tells them apart, in the clinic: ${row.name} ${plain(row.sound)} → ${plain(row.faulty)}`;
    } catch {
      asked = false;
    }
  }
  const node = h("section", { class: "fault-line", id: "fault-line", hidden: true, "aria-label": "Sound and faulty" }, title, keys(), number, telling, error);
  document.getElementById("board").prepend(node);
  const write = (one, text) => { if (one.textContent !== text) one.textContent = text; };
  return {
    refresh(course) {
      const fault = app.manifest?.constants?.fault;
      node.hidden = !fault;
      if (!fault) return;
      if (!asked) tell(fault);
      write(title, `Fault ${fault.number}: ${fault.title}`);
      title.title = `Shows as: ${fault.shows}`;
      const failed = app.meta?.progress?.errors?.faulty, stop = course.store.events.find(({ type, run }) => type === "error" && run === "faulty");
      error.hidden = !failed;
      telling.hidden = Boolean(failed);
      write(error, failed ? `The faulty run stopped${stop ? ` at step ${stop.step}` : ""}: ${failed}` : "");
      write(number, apart(course)?.text ?? (failed ? "" : `shows as: ${fault.shows}`));
    },
  };
}

function keys() {
  const key = (name, color, dashed) => h("span", { class: "run-key" }, h("i", { class: dashed ? "run-line dashed" : "run-line", style: `--light: ${color[0]}; --dark: ${color[1]}`, "aria-hidden": "true" }), h("span", { text: name }));
  return h("span", { class: "run-keys" }, key("sound", INKS[0], false), key("faulty", INKS[1], true));
}
